"""Exports of well-known tools: the recipe that knows one writes its query, and its rows say what is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from opsmetrics.core.errors import ConfigurationError, SourceError
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.queries import FOLDER
from opsmetrics.proposals.start.draft import Draft, SourceDraft
from opsmetrics.proposals.start.from_rows import read_rows
from opsmetrics.proposals.start.source_rows import rows_of
from opsmetrics.recipes import Recipe, recognise


def write_queries(draft: Draft, folder: Path, others: list[Path]) -> tuple[dict[str, Path], list[Path]]:
    """Write a query for each export that a recipe knows.

    Args:
        draft: What is proposed so far.
        folder: Folder of a configuration whose root holds the exports.
        others: Files.

    Returns:
        Query -> its export, and the files that no recipe knows.
    """
    found: dict[str, Path] = {}
    unread: list[Path] = []
    for path in others:
        known: dict[str, Recipe] = {}
        for recipe in recognise(path):
            known.setdefault(recipe.stream, recipe)
        for recipe in known.values():
            _write(draft, folder, path, recipe, found)
        if not known:
            unread.append(path)
    return found, unread


def _write(draft: Draft, folder: Path, path: Path, recipe: Recipe, found: dict[str, Path]) -> None:
    try:
        query = recipe.write(folder, path)
    except ConfigurationError as error:
        draft.guess("sources/", f"{path.name} is {recipe.title.en}, and is left out", error.problems[0].fix)
        return
    name = f"{FOLDER}/{query.name}"
    found[name] = path
    draft.sources.append(SourceDraft(recipe.stream, "", f"{path.name} is {recipe.title.en}: {name}"))
    if recipe.note is not None:
        draft.guess(name, f"rows of {path.name} are {recipe.stream}", recipe.note.en)


def read_queries(draft: Draft, folder: Path, exports: dict[str, Path], root: Path, today: date) -> dict[str, str]:
    """Read what the rows of the queries name, and return the queries: file -> text.

    Args:
        draft: What is proposed so far.
        folder: Folder of the configuration that holds the queries.
        exports: Query -> its export.
        root: Folder of the exports.
        today: Local day.
    """
    organisation = load_organisation(folder)
    for query in organisation.queries:
        where = exports[query.path].name
        try:
            rows = rows_of(organisation, query, root, today)
        except SourceError as error:
            draft.guess(query.path, f"the query of {where} gives no rows: {error.problem.message}", error.problem.fix)
            continue
        aside = rows.filter(pl.col("_reason").is_not_null()).height
        if aside:
            fix = f"opsmetrics source try {query.name} shows which, and why"
            draft.guess(query.path, f"{aside} of {rows.height} rows of {where} would be set aside", fix)
        read_rows(draft, query.name, rows.filter(pl.col("_reason").is_null()), where)
    return {query.path: query.sql for query in organisation.queries}

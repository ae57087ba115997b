"""Exports of well-known tools: the recipe that knows one writes its query, and its rows say what is named."""

from __future__ import annotations

import fnmatch
import glob
import re
from dataclasses import dataclass
from datetime import date
from itertools import takewhile
from pathlib import Path

import polars as pl

from opsmetrics.core.errors import ConfigurationError, SourceError
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.queries import FOLDER
from opsmetrics.organisation.zone import configured_zone
from opsmetrics.proposals.start.draft import Draft, SourceDraft
from opsmetrics.proposals.start.from_rows import read_rows
from opsmetrics.proposals.start.source_rows import rows_of
from opsmetrics.proposals.start.teams_of_rows import read_teams
from opsmetrics.recipes import Recipe, own_columns, recognise
from opsmetrics.sources.file_days import undated


@dataclass(frozen=True, slots=True)
class Written:
    """The export that a query was written for.

    Attributes:
        path: Its file, or the pattern of several.
        team: Its column that names the team that handled a record, or None.
    """

    path: Path
    team: str | None


_DATE_LAST, _DATE_FIRST = re.compile(r"\d[\dTZ_.-]*$"), re.compile(r"^[\dTZ_.-]*\d")


def write_queries(draft: Draft, folder: Path, others: list[Path]) -> tuple[dict[str, Written], list[Path]]:
    """Write a query for each export that a recipe knows.

    Args:
        draft: What is proposed so far.
        folder: Folder of a configuration whose root holds the exports.
        others: Files.

    Returns:
        Query -> its export, and the files that no recipe knows.
    """
    found: dict[str, Written] = {}
    unread: list[Path] = []
    alike: dict[tuple[Path, str, str, str], tuple[Recipe, list[Path]]] = {}
    zone = configured_zone(folder)
    for path in others:
        known: dict[str, Recipe] = {}
        own = own_columns(path)
        for recipe in recognise(path) or ([own] if own is not None else []):
            known.setdefault(recipe.stream, recipe)
        for recipe in known.values():
            text = recipe.text_for(path, zone)
            alike.setdefault((path.parent, recipe.name, recipe.stream, text), (recipe, []))[1].append(path)
        if not known:
            unread.append(path)
    for recipe, paths in alike.values():
        pattern = common_pattern(paths) or (recipe.pattern_of(paths[0]) if len(paths) == 1 else None)
        for path, each in ((paths[0], pattern),) if pattern else ((path, None) for path in paths):
            _write(draft, folder, path, each, recipe, found)
    return found, unread


def common_pattern(paths: list[Path]) -> str | None:
    """Return a pattern that names these files of one folder and no other, so that next month's file is read too.

    Args:
        paths: Files of one form; with fewer than two, or where a pattern would name another file, there is none.
    """
    names = [path.name for path in paths]
    if len(names) < 2:
        return None
    start = _beginning(names)
    end = _beginning([name[len(start) :][::-1] for name in names])[::-1]
    # Parts of a date are left out: next year's file is of the same kind.
    forms = {undated(name) for name in names}
    pattern = forms.pop() if len(forms) == 1 else None
    pattern = pattern or f"{glob.escape(_DATE_LAST.sub('', start))}*{glob.escape(_DATE_FIRST.sub('', end))}"
    there = {path.name for path in paths[0].parent.iterdir() if fnmatch.fnmatchcase(path.name, pattern)}
    return pattern if there == set(names) else None


def _beginning(names: list[str]) -> str:
    """Return what all names begin with."""
    return "".join(signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*names, strict=False)))


def _write(
    draft: Draft, folder: Path, path: Path, pattern: str | None, recipe: Recipe, found: dict[str, Written]
) -> None:
    try:
        query = recipe.write(folder, path, pattern)
        team = recipe.team_in(path)
    except ConfigurationError as error:
        draft.guess("sources/", f"{path.name} is {recipe.title.en}, and is left out", error.problems[0].fix)
        return
    name = f"{FOLDER}/{query.name}"
    path = path.with_name(pattern) if pattern else path
    found[name] = Written(path, team)
    draft.sources.append(SourceDraft(recipe.stream, "", f"{path.name} is {recipe.title.en}: {name}"))
    if recipe.note is not None:
        draft.guess(name, f"rows of {path.name} are {recipe.stream}", recipe.note.en)


def tell_set_aside(draft: Draft, file: str, stream: str, rows: pl.DataFrame, where: str) -> None:
    """Say how many rows of a source would be set aside, and most often why.

    Args:
        draft: What is proposed so far.
        file: File of the configuration that names the source.
        stream: Stream.
        rows: All rows of the source.
        where: Its file, for people.
    """
    aside = rows.filter(pl.col("_reason").is_not_null())
    if not aside.is_empty():
        most = aside["_reason"].value_counts(sort=True)["_reason"][0]
        what = f"{aside.height} of {rows.height} rows of {where} would be set aside: {most}"
        draft.guess(file, what, f"opsmetrics source try {stream} shows which, and why", is_loss=True)


def read_queries(draft: Draft, folder: Path, exports: dict[str, Written], root: Path, today: date) -> dict[str, str]:
    """Read what the rows of the queries name, and return the queries: file -> text.

    Args:
        draft: What is proposed so far.
        folder: Folder of the configuration that holds the queries.
        exports: Query -> its export.
        root: Folder of the exports.
        today: Local day.
    """
    organisation = load_organisation(folder)
    asked: set[Path] = set()
    for query in organisation.queries:
        where = exports[query.path].path.name
        try:
            rows = rows_of(organisation, query, root, today)
        except SourceError as error:
            what = f"the query of {where} gives no rows: {error.problem.message}"
            draft.guess(query.path, what, error.problem.fix, is_loss=True)
            continue
        tell_set_aside(draft, query.path, query.name, rows, where)
        good = rows.filter(pl.col("_reason").is_null())
        read_rows(draft, query.name, good, where)
        team = exports[query.path].team
        if not good.is_empty() and team is not None and exports[query.path].path not in asked:
            # Two recipes of one file would say of a team what the first of them said.
            asked.add(exports[query.path].path)
            read_teams(draft, query, team, root, good, where)
    return {query.path: query.sql for query in organisation.queries}

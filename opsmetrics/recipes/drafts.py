"""A draft of the query for an export that no recipe knows: how its file is read, and what the stream asks for.

Does not belong here: what a column of the file means, which only its owner knows.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from opsmetrics.core.declare import Column
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.language.bilingual import Text
from opsmetrics.organisation.queries import FORMATS
from opsmetrics.recipes.recipe import Recipe, RecipeHeader
from opsmetrics.recipes.shape import Shape, shapes_of
from opsmetrics.sources.raw_table import folded
from opsmetrics.streams import Stream

_DEEPEST = 3
# What stands for a name that is empty.
_NAMELESS = re.compile(r"column \d+")
_WAYS = {"timestamp": ", such as instant(..., '%d.%m.%Y %H:%M')", "date": ", such as day_of(..., '%d.%m.%Y')"}


def draft(file: Path, stream: Stream) -> Recipe:
    """Return the recipe of one file that gives a stream its columns, of which those with the same name are filled in.

    Args:
        file: The export.
        stream: The stream that its records belong to.

    Raises:
        ConfigurationError: The file is of no format that can be read, or has no columns.
    """
    shape, place = _read_as(file)
    there = shape.records[place]
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")
    names = ", ".join(sorted(map(_shown, there)))
    header = RecipeHeader(
        title=Text(nb=f"utkast til {stream.name}", en=f"a draft of {stream.name}"),
        stream=stream.name,
        source=name if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name) else "export",
        input="item",
        columns=[min(there)],
        formats=(shape.kind,),
        records=(place,),
        naive_time="local",
        note=Text(nb=f"Filen har: {names}", en=f"The file has: {names}"),
    )
    lines = [_line(column, there) for column in stream.columns]
    return Recipe("draft", header, "select\n" + "\n".join(lines) + "\n    _file, _line\nfrom item")


def _shown(name: str) -> str:
    """A column as the select names it; what would end a comment or steer a terminal is a question mark."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in name)[:60]
    return plain if re.fullmatch(r"[a-z_][a-z0-9_]*", plain) else f'"{plain}"'


def _line(column: Column, there: frozenset[str]) -> str:
    value = f'"{column.name}"' if folded(column.name) in there else "null"
    said = f"{column.doc}; {column.allowed}{_WAYS.get(column.type, '')}"
    if column.required:
        return f"    {value} as {column.name},  -- required: {said}"
    return f"    {'' if value != 'null' else '-- '}{value} as {column.name},  -- {said}"


def _read_as(file: Path) -> tuple[Shape, str]:
    """Return what a file looks like, and where in it the records are."""
    if file.suffix.lower() not in FORMATS:
        fix = f"save it as one of {', '.join(FORMATS)}"
        raise ConfigurationError([Problem(str(file), None, "a query reads no files of this format", fix)])
    shapes = [shape for shape in shapes_of(file) if any(shape.records.values())]
    if not shapes:
        fix = "look at it: is it empty, cut off, or of another format than its name says?"
        raise ConfigurationError([Problem(str(file), None, "the file has no columns that can be found", fix)])
    # Titles above the columns have fewer cells, and rows have no more that hold anything.
    shape = max(shapes, key=lambda each: max(map(_named, each.records.values())))
    if shape.kind == "json":
        longest = [""]
        with suppress(ValueError, OSError):
            longest = [place for _, place in sorted(_lists("", json.loads(file.read_bytes()), 0), reverse=True)]
        found = next((place for place in longest if shape.records.get(place)), "")
        return shape, found if shape.records.get(found) else next(key for key, value in shape.records.items() if value)
    # Of the tables of a database the widest: the query says which, and another can be written there.
    return shape, max(shape.records, key=lambda name: len(shape.records[name]))


def _named(names: frozenset[str]) -> int:
    return sum(not _NAMELESS.fullmatch(name) for name in names)


def _lists(name: str, value: Any, depth: int) -> list[tuple[int, str]]:
    """Return the lists of objects in a JSON value: how long each is, and where."""
    if isinstance(value, list):
        return [(len(value), name)] if any(isinstance(each, dict) for each in value) else []
    if not isinstance(value, dict) or depth >= _DEEPEST:
        return []
    return [
        found
        for key, inner in value.items()
        if "." not in key
        for found in _lists(f"{name}.{key}".lstrip("."), inner, depth + 1)
    ]

"""Files with the columns of a stream that no pull can read as they are: the query says how they are written.

Workbooks, JSON, titles above the columns, other encodings, names in capitals, times as spreadsheets write them.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from opsmetrics.core.declare import Column
from opsmetrics.language.bilingual import Text
from opsmetrics.recipes.recipe import Recipe, RecipeHeader
from opsmetrics.recipes.shape import Shape, shapes_of
from opsmetrics.sources.raw_table import folded
from opsmetrics.streams import STREAMS, Stream

_TIMES = """[
        '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M', '%d.%m.%Y %H.%M.%S', '%d.%m.%Y %H.%M', '%d/%m/%Y %H:%M:%S',
        '%m/%d/%Y %H:%M:%S', '%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M', '%d/%m/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M:%S %p',
        '%d/%m/%Y %I:%M %p', '%m/%d/%Y %I:%M %p', '%d-%m-%Y %H:%M:%S', '%d-%m-%Y %H:%M'
    ]"""
_DAYS = "['%d.%m.%Y', '%d/%m/%Y', '%m/%d/%Y', '%d-%m-%Y', '%Y-%m-%d %H:%M:%S']"
# The last two are what a spreadsheet in Norwegian saves of a tick.
_WORDS = "map { 'ja': 'true', 'nei': 'false', 'yes': 'true', 'no': 'false', 'sann': 'true', 'usann': 'false' }"


def stream_of(columns: Collection[str]) -> Stream | None:
    """Return the stream whose contract these columns keep: all that are required, and most of the others.

    Args:
        columns: Names as the contract spells them.
    """
    best: tuple[int, Stream] | None = None
    for stream in STREAMS.values():
        known = len(set(columns) & set(stream.names))
        is_kept = all(column.name in columns for column in stream.columns if column.required)
        if is_kept and (best is None or known > best[0]):
            best = (known, stream)
    return best[1] if best else None


def own_columns(file: Path) -> Recipe | None:
    """Return the recipe of a file that has the columns of a stream; None where it has those of none.

    Args:
        file: The file.
    """
    for shape in shapes_of(file):
        for place, there in shape.records.items():
            stream = stream_of(there)
            if stream is not None:
                return _recipe(stream, shape, place)
    return None


def _recipe(stream: Stream, shape: Shape, place: str) -> Recipe:
    there = shape.records[place]
    columns = [column for column in stream.columns if folded(column.name) in there]
    header = RecipeHeader(
        title=Text(nb=f"en fil med kolonnene til {stream.name}", en=f"a file with the columns of {stream.name}"),
        stream=stream.name,
        source="export",
        input="item",
        columns=[column.name for column in stream.columns if column.required],
        formats=(shape.kind,),
        records=(place,),
        naive_time="local",
        note=Text(
            nb="Tider uten avvik fra UTC er i organisasjonens tidssone.",
            en="Times without an offset are of the organisation's time zone.",
        ),
    )
    lines = ["    _file, _line", *map(_line, columns)]
    return Recipe("own_columns", header, "select\n" + ",\n".join(lines) + "\nfrom item" + _newest(stream, there))


def _newest(stream: Stream, there: Collection[str]) -> str:
    """The choice of the newest of several files that tell of one record."""
    key = ", ".join(f'"{name}"' for name in stream.key if folded(name) in there)
    return f"\nqualify rank() over (partition by {key} order by made_at(_file, _modified_at) desc) = 1" if key else ""


def _line(column: Column) -> str:
    name = f'"{column.name}"'
    match column.type:
        case "timestamp" if column.ends_day:
            # A time, or the day until which something is due.
            time, day = f"instant({name}, {_TIMES}, _file)", f"day_of({name}, {_DAYS})"
            return (
                f"    case when regexp_matches({name}, '[0-9][ T]+[0-9]') then {time} else {day} end as {column.name}"
            )
        case "timestamp":
            return f"    instant({name}, {_TIMES}, _file) as {column.name}"
        case "date":
            return f"    day_of({name}, {_DAYS}) as {column.name}"
        case "boolean":
            return f"    mapped({name}, {_WORDS}) as {column.name}"
        case _:
            return f"    {name} as {column.name}"

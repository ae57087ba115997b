"""What the address of a file asks for: that it is there, and the rows that it names.

A file has no page around it that could say what is missing, so an address that asks for something in vain is an error.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import polars as pl
from starlette.datastructures import QueryParams
from starlette.responses import PlainTextResponse, Response

from opsmetrics.reports.addresses import SHARED
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.known import ALL, COLUMNS, THINGS, WORDS

KEY = "key"
"""The parameter that holds an address's signature, where sign-in is on."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("plan", "incidents", "diagnostics", "restated"), ("team",)),
    **dict.fromkeys(("area-months", "area-metrics"), ("area",)),
    **dict.fromkeys(("control-chart", "weeks", "entities", "evidence"), ("team", "metric")),
}
"""What an address must name, because the table is of one of them."""
_BY_QUERY: Mapping[str, tuple[str, ...]] = {"team-months": ("area",)}
"""What a table's query chooses by, though no column of it says so."""
_NAMED = 40  # of what there is, where an address names something else


def wrong(snapshot: Snapshot, table: str, asked: QueryParams) -> Response | None:
    """Return what an address asks for in vain: it is never answered with something else, nor with no rows."""
    for key in asked:
        values = set(asked.getlist(key)) - {""}
        if key not in ALL | {KEY}:
            return _no(400, "the address has a parameter that no file takes; files take", (*COLUMNS, *SHARED))
        if len(values) > 1:
            return _no(400, f"the address has several values of {key}")
        known = THINGS.get(key) or WORDS.get(key)
        names = known(snapshot) if known else values
        if not values <= set(names):
            return _no(404, f"no such {'language' if key == 'lang' else key}; there are", names)
    missing = [key for key in NEEDED.get(table, ()) if not asked.get(key)]
    return _no(400, f"{table} is a table of one {missing[0]}: add {missing[0]}= to the address") if missing else None


def _no(status: int, words: str, names: Iterable[str] = ()) -> Response:
    """Answer with a line that says what is wrong, and what there is instead."""
    there = list(names)
    more = [f"and {len(there) - _NAMED} more"] if len(there) > _NAMED else []
    said = f"{words} {', '.join([*there[:_NAMED], *more])}" if there else words
    return PlainTextResponse(f"{said}\n", status_code=status)


def not_of_one(table: str, columns: Collection[str], values: Mapping[str, str]) -> Response | None:
    """Return that a file cannot be had for one of what an address names: it would hold the rows of all of them."""
    taken = {*NEEDED.get(table, ()), *_BY_QUERY.get(table, ())}
    for key, column in COLUMNS.items():
        if values.get(key) and column not in columns and key not in taken:
            return _no(400, f"{table} cannot be had for one {key}: leave {key}= out of the address")
    return None


def chosen_rows(found: pl.DataFrame, values: Mapping[str, str]) -> pl.DataFrame:
    """The rows of what an address names, whether or not the table's own query asks for it."""
    wanted = {column: values[key] for key, column in COLUMNS.items() if values.get(key) and column in found.columns}
    return found.filter(**wanted) if wanted else found

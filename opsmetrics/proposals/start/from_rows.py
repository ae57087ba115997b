"""Rows of exports: which services, probes, datastores and environments they name, and since when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import polars as pl

from opsmetrics.core.model import is_slug
from opsmetrics.organisation.naming import fix_of
from opsmetrics.proposals.start.draft import Draft, names_of
from opsmetrics.proposals.start.toml import quoted
from opsmetrics.streams import STREAMS
from opsmetrics.streams.names import named_columns

_PRODUCTION = re.compile(r"prod|live|drift", re.IGNORECASE)
# A probe whose state is told less often than this many minutes apart writes changes, not checks.
_MOST_BETWEEN_CHECKS = 120


def read_rows(draft: Draft, stream: str, rows: pl.DataFrame, where: str) -> None:
    """Add what the rows of a stream name.

    Args:
        draft: What is proposed so far.
        stream: Their stream.
        rows: Rows that keep the contract.
        where: File, for people.
    """
    if rows.is_empty():
        return
    if rows["_day"].min() is not None:
        draft.days.append(_first(rows))
    for column, kind in named_columns(STREAMS[stream]):
        if column in rows.columns:
            for name, first, some in _names(rows, column):
                _read_name(draft, kind, name, first, some, where)


def _first(rows: pl.DataFrame) -> date:
    first = rows["_day"].min()
    assert isinstance(first, date)  # noqa: S101 - the caller looked
    return first


def _names(rows: pl.DataFrame, column: str) -> Iterator[tuple[str, date, pl.DataFrame]]:
    """Yield each name of a column with the first day of its rows, most rows first."""
    there = rows.filter(pl.col(column).is_not_null(), pl.col("_day").is_not_null())
    counts = there.group_by(column).len().sort(["len", column], descending=[True, False])
    for name in counts[column].to_list():
        some = there.filter(pl.col(column) == name)
        yield str(name), _first(some), some


def _read_name(draft: Draft, kind: str, name: str, first: date, some: pl.DataFrame, where: str) -> None:
    match kind:
        case "service":
            draft.service(name).seen(first, f"first row in {where}")
        case "repository":
            draft.service_of(name, name.rpartition("/")[2]).seen(first, f"first row in {where}")
        case "team":
            draft.team(name, where)
        case "environment":
            if name not in draft.environments:
                draft.environments.append(name)
        case "datastore":
            _datastore(draft, name, first, where)
        case _:
            _monitor(draft, name, first, some, where)


def _datastore(draft: Draft, name: str, first: date, where: str) -> None:
    if not is_slug(name.strip().lower()):
        what = f"{name!r} of {where} cannot be an id, so it is left out"
        draft.guess("datastores.toml", what, fix_of("datastore", name.strip()))
        return
    service = draft.nearest(name)
    if service is None:
        service = draft.service(name)
        said = "no service is called like it, so it has one of its own"
    else:
        said = f"it belongs to {service.id}, by its name"
    service.seen(first, f"first backup in {where}")
    draft.datastores[name.strip().lower()] = service.id
    draft.guess(
        "datastores.toml", f"{name}: {said}", "move it to the service whose data it holds; say class, RPO and RTO"
    )


def _monitor(draft: Draft, name: str, first: date, some: pl.DataFrame, where: str) -> None:
    service = draft.nearest(name)
    said = f"monitor {name!r} watches {service.id}, by its name" if service else f"monitor {name!r} is a service"
    service = service or draft.service(name)
    service.seen(first, f"first check in {where}")
    kind, why = _kind_of(some)
    entry = f"{{ id = {quoted(name)}, {kind} }}"
    if entry not in service.monitors:
        service.monitors.append(entry)
    draft.guess("services.toml", f"{said}; {why}", "move it to the service that it watches, and say how it is asked")


def _kind_of(some: pl.DataFrame) -> tuple[str, str]:
    """Polling or transitions, by the rows: a source of transitions never tells the same state twice in a row."""
    rows = some.sort("checked_at")
    if rows.height > 2:
        usual = float(rows.select(pl.col("checked_at").diff().dt.total_minutes().median()).item() or 0)
        is_change = bool((rows["status"] != rows["status"].shift(1)).fill_null(value=True).all())
        if not is_change and 0 < usual <= _MOST_BETWEEN_CHECKS:
            hold = round(usual * 1.5 + 1)
            return f"hold_minutes = {hold}", f"it is asked every {usual:.0f} minutes"
    return 'kind = "transitions"', "its rows are changes of state"


def production_names(draft: Draft) -> list[str]:
    """Return the names of environments that are production, by their names; all where none is called so."""
    found = [name for name in draft.environments if _PRODUCTION.search(name)]
    if draft.environments:
        chosen = found or draft.environments
        others = [name for name in draft.environments if name not in chosen]
        left = f"; others are left out: {names_of(others)}" if others else ""
        what = f"production is {names_of(chosen)}{left}"
        draft.guess("organisation.toml", what, "deployments and workloads of other environments do not count")
        return chosen
    return ["prod", "production"]

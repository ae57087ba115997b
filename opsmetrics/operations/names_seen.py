"""``opsmetrics check``: names of the sources against the configuration, by what is landed and what the files hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.core.atomic import literal
from opsmetrics.core.model import is_slug
from opsmetrics.landing import load_paths
from opsmetrics.operations.inspection import Head
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.advice import Finding, finding, line_of
from opsmetrics.organisation.known import KnownNames
from opsmetrics.organisation.names import folded, has_pattern_signs
from opsmetrics.organisation.naming import FILE, fix_of
from opsmetrics.streams import STREAMS
from opsmetrics.streams.names import named_columns

# Of a long landing the newest loads are looked at.
_NEWEST = 100
_SHOWN = 5


@dataclass(slots=True)
class Seen:
    """A name in a stream: rows, and the first day they are of."""

    kind: str
    stream: str
    name: str
    rows: int
    first_on: date | None


def names_seen(landing: Path, heads: Iterable[Head]) -> list[Seen]:
    """Return the names that loads and files carry."""
    found = [seen for head in heads if head.frame is not None for seen in _of_frame(head.source.name, head.frame)]
    with duckdb.connect() as con:
        for stream in STREAMS:
            paths = [literal(path) for path in sorted(load_paths(landing, stream))[-_NEWEST:]]
            if paths and any(named_columns(STREAMS[stream])):
                frame = _landed(con, stream, paths)
                found += _of_frame(stream, frame)
    return _merged(found)


def _landed(con: duckdb.DuckDBPyConnection, stream: str, paths: list[str]) -> pl.DataFrame:
    names = [column for column, _ in named_columns(STREAMS[stream])]
    names += ["provider"] if "monitor_id" in names else []
    columns = ", ".join(f'"{name}"' for name in names)
    query = f"select {columns}, _day from read_parquet($paths, union_by_name = true) where _reason is null"
    return con.sql(query, params={"paths": paths}).pl()


def _of_frame(stream: str, frame: pl.DataFrame) -> Iterator[Seen]:
    for column, kind in named_columns(STREAMS[stream]):
        name = pl.col(column)
        if kind == "monitor":
            name = pl.concat_str([pl.col("provider").fill_null(""), pl.lit("/"), name])
        grouped = frame.group_by(name.alias("name")).agg(pl.len().alias("rows"), pl.col("_day").min().alias("first"))
        for said, rows, first in grouped.drop_nulls("name").iter_rows():
            yield Seen(kind, stream, said, rows, first)


def _merged(found: Iterable[Seen]) -> list[Seen]:
    """One a name: a file and the load made of it hold the same rows."""
    merged: dict[tuple[str, str, str], Seen] = {}
    for seen in found:
        known = merged.setdefault((seen.kind, seen.stream, seen.name), seen)
        known.rows = max(known.rows, seen.rows)
        known.first_on = min(filter(None, (known.first_on, seen.first_on)), default=None)
    return sorted(merged.values(), key=lambda seen: (seen.stream, seen.kind, -seen.rows, seen.name))


def findings(organisation: Organisation, seen: list[Seen], *, partly: set[str]) -> list[Finding]:
    """Return names that lead nowhere, in either direction, and rows before an owner.

    Args:
        organisation: The configuration.
        seen: What the sources carry.
        partly: Kinds of names of which there may be more than was looked at.
    """
    known = KnownNames(organisation)
    found = [*_strangers(organisation, known, seen), *_before_owners(organisation, known, seen)]
    return [*found, *_unseen(organisation, known, seen, partly=partly)]


def _strangers(organisation: Organisation, known: KnownNames, seen: list[Seen]) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[Seen]] = {}
    for each in seen:
        groups.setdefault((each.stream, each.kind), []).append(each)
    for (stream, kind), names in groups.items():
        strange = [each for each in names if not known.knows(kind, each.name)]
        if not strange:
            continue
        shown = ", ".join(f"{each.name.lstrip('/')} ({each.rows})" for each in strange[:_SHOWN])
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        rows = sum(each.rows for each in strange)
        message = f"stream {stream!r}: {rows} rows name what is no {kind} of the configuration: {shown}{more}"
        first = strange[0].name
        bare = first.partition("/")[2] if kind == "monitor" else first
        near = known.near(kind, bare)
        # One name is told what to write; so is a datastore whose name cannot be an id.
        is_odd = kind == "datastore" and not is_slug(folded(first))
        fix = fix_of(kind, bare) if is_odd or len(strange) == 1 else _FIX[kind]
        fix = f"did you mean {near!r}? Else {fix}" if near else fix
        yield finding(organisation, FILE[kind], None, message, fix, error=len(strange) == len(names))


_OF_SERVICES = {"service", "repository", "monitor", "datastore"}
_FIX = {
    "service": "add them as aliases of a service",
    "repository": "add them to the repositories of a service",
    "monitor": "add them to the monitors of a service",
    "team": "add them as aliases of a team",
    "datastore": "add them as datastores, or write the ids of datastores.toml at the source",
    "environment": "add them to an environment of [environments]",
}


def _before_owners(organisation: Organisation, known: KnownNames, seen: list[Seen]) -> Iterator[Finding]:
    """Services whose first owner begins after their first row."""
    first: dict[str, Seen] = {}
    for each in seen:
        service = known.service_of(each.kind, each.name)
        before = first.get(service) if service else None
        if service and each.first_on and (before is None or before.first_on is None or each.first_on < before.first_on):
            first[service] = each
    for number, service in enumerate(organisation.services):
        row, begins = first.get(service.id), min(owner.valid_from for owner in service.owners)
        if row is not None and row.first_on is not None and row.first_on < begins:
            line = line_of(organisation.folder, "services.toml", ("service", number, "owners"))
            message = (
                f"{service.id!r} has an owner from {begins} on, but {row.stream} has rows of {row.first_on}:"
                " what is earlier belongs to nobody"
            )
            fix = "date the first owner from the day it really began, not from the day of writing"
            yield finding(organisation, "services.toml", line, message, fix, error=False)


def _unseen(organisation: Organisation, known: KnownNames, seen: list[Seen], *, partly: set[str]) -> Iterator[Finding]:
    """Monitors, repositories and services of services.toml that no source names."""
    file, folder = "services.toml", organisation.folder
    names = {kind: [each.name for each in seen if each.kind == kind] for kind in ("monitor", "repository")}
    for kind, said in names.items():
        for text in known.unseen(kind, said):
            has_signs = has_pattern_signs(text)
            if not has_signs and (not said or kind in partly):
                continue
            fix = (
                f"write 'glob:{text}' if it is a pattern"
                if has_signs
                else "write it as the source does, or 'glob:' before a pattern"
            )
            line = _line_with(folder / file, text)
            yield finding(organisation, file, line, f"no source knows the {kind} {text!r}", fix, error=False)
    reached = {known.service_of(each.kind, each.name) for each in seen}
    for number, service in enumerate(organisation.services):
        if seen and not partly & _OF_SERVICES and service.id not in reached:
            line = line_of(folder, file, ("service", number, "id"))
            fix = "add the names that sources have for it: aliases, repositories, monitors"
            yield finding(organisation, file, line, f"no source names the service {service.id!r}", fix, error=False)


def _line_with(path: Path, text: str) -> int | None:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return next((number for number, line in enumerate(lines, 1) if f'"{text}"' in line), None)

"""Checks across the files of an organisation: duplicates, unknown references, overlapping periods."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

from opsmetrics.organisation.connectors import Connector
from opsmetrics.organisation.models import Datastore, Owner, Service, Slo, Sources, Team
from opsmetrics.streams import FILES, STREAMS

_FOREVER = date.max
_QUOTED = re.compile(r'"([^"]*)"')


class Sink(Protocol):
    """What the checks need of the reader."""

    texts: dict[str, str]

    def add(self, file: str, line: int | None, message: str, fix: str) -> None:
        """Record one problem."""
        ...


def check_all(
    sink: Sink,
    tables: dict[str, list[Any]],
    registers: dict[str, list[tuple[int, Any]]],
    sources: Sources | None,
) -> None:
    """Run every cross-file check and record what is wrong in ``sink``."""
    teams: list[Team] = tables["teams.toml"]
    services: list[Service] = tables["services.toml"]
    team_ids = {team.id for team in teams}
    service_ids = {service.id for service in services}
    for file, items in tables.items():
        if file != "slo.toml":
            _duplicates(sink, file, [item.id for item in items])
    for service in services:
        _ownership(sink, service, team_ids)
    _shared_names(sink, services)
    _slos(sink, tables["slo.toml"], service_ids)
    datastores: list[Datastore] = tables["datastores.toml"]
    for store in datastores:
        _known(sink, "datastores.toml", _line_of(sink, "datastores.toml", store.id), store.service, service_ids)
    _registers(sink, registers, team_ids, service_ids)
    if sources is not None:
        _sources(sink, sources, team_ids)


@lru_cache(maxsize=16)
def _places(text: str, *, named: bool) -> dict[str, int]:
    """First line of each quoted word of a file; ``named``: only of lines that give an id or a name."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not named or line.lstrip().startswith(("id", "name")):
            for word in _QUOTED.findall(line):
                found.setdefault(word, number)
    return found


def _line_of(sink: Sink, file: str, value: str, *, named: bool = True) -> int | None:
    """Line of the first ``id = "value"`` of a file, or of the first ``"value"``."""
    return _places(sink.texts.get(file, ""), named=named).get(value)


def _known(sink: Sink, file: str, line: int | None, name: str, names: set[str]) -> None:
    if name not in names:
        near = difflib.get_close_matches(name, sorted(names), n=1)
        fix = f"did you mean {near[0]!r}?" if near else "add it to the configuration first"
        sink.add(file, line, f"{name!r} is not in the catalogue", fix)


def _duplicates(sink: Sink, file: str, ids: list[str]) -> None:
    for name in sorted(name for name, times in Counter(ids).items() if times > 1):
        sink.add(file, _line_of(sink, file, name), f"id {name!r} is used twice", "give each its own id")


def _overlap(periods: Iterable[tuple[date, date | None]]) -> bool:
    spans = sorted((start, end or _FOREVER) for start, end in periods)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def _ownership(sink: Sink, service: Service, team_ids: set[str]) -> None:
    line = _line_of(sink, "services.toml", service.id)
    owners: list[Owner] = service.owners
    for owner in owners:
        _known(sink, "services.toml", line, owner.team, team_ids)
    if _overlap((owner.valid_from, owner.valid_to) for owner in owners):
        sink.add(
            "services.toml",
            line,
            f"service {service.id!r} has two owners at the same time",
            "end the earlier ownership ('to') on the day the later one begins ('from')",
        )


def _shared_names(sink: Sink, services: list[Service]) -> None:
    """Two services must not claim the same alias, repository pattern or monitor."""
    seen: dict[tuple[str, str], str] = {}
    for service in services:
        claims = [("alias", name) for name in (service.id, *service.aliases)]
        claims += [("repository", name) for name in service.repositories]
        claims += [("monitor", monitor.id) for monitor in service.monitors]
        for claim in claims:
            other = seen.setdefault(claim, service.id)
            if other != service.id:
                line = _line_of(sink, "services.toml", service.id)
                message = f"{claim[0]} {claim[1]!r} belongs to {other!r} and to {service.id!r}"
                sink.add("services.toml", line, message, "let one service have it")


def _slos(sink: Sink, slos: list[Slo], service_ids: set[str]) -> None:
    periods: dict[tuple[str, str], list[tuple[date, date | None]]] = {}
    for slo in slos:
        line = _line_of(sink, "slo.toml", slo.service, named=False)
        _known(sink, "slo.toml", line, slo.service, service_ids)
        periods.setdefault((slo.service, slo.kind), []).append((slo.valid_from, slo.valid_to))
        if _overlap(periods[slo.service, slo.kind]):
            sink.add("slo.toml", line, f"two {slo.kind} SLOs of {slo.service!r} overlap", "end the earlier one")


def _registers(
    sink: Sink, registers: dict[str, list[tuple[int, Any]]], team_ids: set[str], service_ids: set[str]
) -> None:
    for name, rows in registers.items():
        file = f"registers/{name}.csv"
        ids: dict[str, int] = {}
        for line, row in rows:
            if hasattr(row, "team_id"):
                _known(sink, file, line, row.team_id, team_ids)
            if hasattr(row, "service_id"):
                _known(sink, file, line, row.service_id, service_ids)
            if name == "efforts" or (name == "goals" and row.is_open):
                pair = f"{row.team_id} {row.metric_id}"
                if ids.setdefault(pair, line) != line:
                    fix = "keep one row per team and metric" if name == "efforts" else "close or drop the earlier goal"
                    sink.add(file, line, f"{pair} stands on line {ids[pair]} too", fix)
            if name == "goals":
                _goal(sink, file, line, row, ids)
            own = getattr(row, "waiver_id", None) or getattr(row, "window_id", None)
            if own is not None and ids.setdefault(own, line) != line:
                sink.add(file, line, f"id {own!r} stands on line {ids[own]} too", "give each row its own id")


def _goal(sink: Sink, file: str, line: int, row: Any, ids: dict[str, int]) -> None:
    key = f"{row.team_id} {row.metric_id} {row.decided_on}"
    if ids.setdefault(key, line) != line:
        sink.add(file, line, f"{key} stands on line {ids[key]} too", "decide once a day on a metric of a team")
    for name in ("due_on", "acted_on"):
        day = getattr(row, name)
        if day is not None and day < row.decided_on:
            fix = f"write a {name} from {row.decided_on} on, or the day of the decision"
            sink.add(file, line, f"{name} {day} lies before decided_on {row.decided_on}", fix)


def _connector(sink: Sink, file: str, connector: Connector, team_ids: set[str]) -> None:
    line = _line_of(sink, file, connector.name)
    known = sorted(connector.feeds)
    for stream in connector.streams:
        if stream not in connector.feeds:
            near = difflib.get_close_matches(stream, known, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"it delivers {', '.join(known)}"
            sink.add(file, line, f"kind {connector.kind!r} delivers no stream {stream!r}", fix)
    if connector.name == FILES:
        sink.add(file, line, f"the name {FILES!r} is that of the files", "choose another name")
    for team in connector.teams:
        if team != "*":
            _known(sink, file, line, team, team_ids)


def _sources(sink: Sink, sources: Sources, team_ids: set[str]) -> None:
    file = "sources.toml"
    _duplicates(sink, file, [source.name for source in sources.stream])
    _duplicates(sink, file, [connector.name for connector in sources.connector])
    for connector in sources.connector:
        _connector(sink, file, connector, team_ids)
    for source in sources.stream:
        line = _line_of(sink, file, source.name)
        if source.name not in STREAMS:
            near = difflib.get_close_matches(source.name, sorted(STREAMS), n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"known streams: {', '.join(sorted(STREAMS))}"
            sink.add(file, line, f"unknown stream {source.name!r}", fix)
            continue
        known = {column.name for column in STREAMS[source.name].columns}
        for column in source.columns.keys() - known:
            near = difflib.get_close_matches(column, sorted(known), n=1)
            sink.add(
                file,
                line,
                f"stream {source.name!r} has no column {column!r}",
                f"one of {near or sorted(known)}",
            )
        for team in source.teams:
            if team != "*":
                _known(sink, file, line, team, team_ids)
        if source.covers is not None and source.covers[1] < source.covers[0]:
            sink.add(file, line, "covers ends before it begins", "write covers = [first day, last day]")

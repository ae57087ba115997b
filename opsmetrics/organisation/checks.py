"""Checks across the files of an organisation: duplicates, unknown references, overlapping periods."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, Protocol

from opsmetrics.core.toml_lines import toml_line
from opsmetrics.organisation.connectors.base import Connector
from opsmetrics.organisation.file_sources import READ, Sources, StreamSource
from opsmetrics.organisation.models import Datastore, Owner, Service, Slo, Team
from opsmetrics.organisation.names import folded
from opsmetrics.organisation.working_time import WorkingHours
from opsmetrics.streams import FILES, STREAMS

_FOREVER = date.max
_QUOTED = re.compile(r'"([^"]*)"')


class Sink(Protocol):
    """What the checks need of the reader."""

    texts: dict[str, str]
    ids: dict[str, set[str] | None]
    numbers: dict[str, list[int]]

    def add(self, file: str, line: int | None, message: str, fix: str) -> None:
        """Record one problem."""
        ...


def check_all(
    sink: Sink,
    tables: dict[str, list[Any]],
    registers: dict[str, list[tuple[int, Any]]],
    sources: Sources | None,
    usual: WorkingHours,
) -> None:
    """Run every cross-file check and record what is wrong in ``sink``."""
    teams: list[Team] = tables["teams.toml"]
    services: list[Service] = tables["services.toml"]
    team_ids, service_ids = sink.ids.get("teams.toml"), sink.ids.get("services.toml")
    for file, items in tables.items():
        if file != "slo.toml":
            _duplicates(sink, file, [item.id for item in items])
    _teams(sink, teams, usual)
    for number, service in zip(sink.numbers.get("services.toml", ()), services, strict=False):
        _ownership(sink, number, service, team_ids)
    _shared_names(sink, services)
    _slos(sink, tables["slo.toml"], service_ids)
    datastores: list[Datastore] = tables["datastores.toml"]
    for number, store in zip(sink.numbers.get("datastores.toml", ()), datastores, strict=False):
        place = partial(toml_line, sink.texts.get("datastores.toml", ""), ("datastore", number, "service"))
        _known(sink, "datastores.toml", place, store.service, service_ids)
    _registers(sink, registers, team_ids, service_ids)
    if sources is not None:
        known = service_ids and service_ids | {alias for service in services for alias in service.aliases}
        _sources(sink, sources, team_ids, known)


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


def _known(
    sink: Sink, file: str, place: int | Callable[[], int | None] | None, name: str, names: set[str] | None
) -> None:
    """Tell of a name that nobody has; its line is looked for only then: a look at every item took most of a check."""
    # Of a file that cannot be read nobody knows what it names.
    if names is not None and name not in names:
        near = difflib.get_close_matches(name, sorted(names), n=1)
        fix = f"did you mean {near[0]!r}?" if near else "add it there first"
        line = place() if callable(place) else place
        sink.add(file, line, f"{name!r} is not in the configuration", fix)


def _duplicates(sink: Sink, file: str, ids: list[str]) -> None:
    for name in sorted(name for name, times in Counter(ids).items() if times > 1):
        sink.add(file, _line_of(sink, file, name), f"id {name!r} is used twice", "give each its own id")


def _overlap(periods: Iterable[tuple[date, date | None]]) -> bool:
    spans = sorted((start, end or _FOREVER) for start, end in periods)
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def _ownership(sink: Sink, number: int, service: Service, team_ids: set[str] | None) -> None:
    text = sink.texts.get("services.toml", "")
    line = _line_of(sink, "services.toml", service.id)
    owners: list[Owner] = service.owners
    for place, owner in enumerate(owners):
        at = partial(toml_line, text, ("service", number, "owners", place, "team"))
        _known(sink, "services.toml", at, owner.team, team_ids)
    if _overlap((owner.valid_from, owner.valid_to) for owner in owners):
        sink.add(
            "services.toml",
            line,
            f"service {service.id!r} has two owners at the same time",
            "end the earlier ownership ('to') on the day the later one begins ('from')",
        )


def _shared_names(sink: Sink, services: list[Service]) -> None:
    """Two services must not claim the same alias, repository or monitor; case counts where the sources promise it."""
    seen: dict[tuple[str, str], str] = {}
    for service in services:
        claims = [("alias", folded(name)) for name in (service.id, *service.aliases)]
        claims += [("repository", folded(name)) for name in (*service.repositories, *service.renamed_repositories)]
        claims += [("monitor", monitor.id) for monitor in service.monitors]
        line = _line_of(sink, "services.toml", service.id)
        for claim in sorted({claim for claim in claims if claims.count(claim) > 1}):
            if claim[0] != "alias":
                message = f"{claim[0]} {claim[1]!r} stands twice at {service.id!r}"
                sink.add("services.toml", line, message, "keep one of them")
        for claim in claims:
            other = seen.setdefault(claim, service.id)
            if other != service.id:
                message = f"{claim[0]} {claim[1]!r} belongs to {other!r} and to {service.id!r}"
                sink.add("services.toml", line, message, "let one service have it")


def _teams(sink: Sink, teams: list[Team], usual: WorkingHours) -> None:
    """A team's name means one team at a time, and its hours end after they start."""
    spans: dict[str, list[tuple[str, date, date]]] = {}
    for team in teams:
        spans.setdefault(folded(team.id), []).append((team.id, date.min, _FOREVER))
    for team in teams:
        line = _line_of(sink, "teams.toml", team.id)
        for alias in team.aliases:
            start, end = alias.valid_from or date.min, alias.valid_to or _FOREVER
            others = spans.setdefault(folded(alias.name), [])
            for other, since, until in others:
                if start < until and since < end:
                    message = f"alias {alias.name!r} of {team.id!r} means {other!r} at the same time"
                    sink.add("teams.toml", line, message, "date it with 'from' and 'to', or let one team have it")
            others.append((team.id, start, end))
        own = team.working_hours
        if own is not None and (own.end or usual.end) <= (own.start or usual.start):
            message = f"working_hours of {team.id!r}: 'end' must be later than 'start'"
            sink.add("teams.toml", line, message, "write both in the team's working_hours")


def _slos(sink: Sink, slos: list[Slo], service_ids: set[str] | None) -> None:
    periods: dict[tuple[str, str], list[tuple[date, date | None]]] = {}
    for number, slo in zip(sink.numbers.get("slo.toml", ()), slos, strict=False):
        line = partial(toml_line, sink.texts.get("slo.toml", ""), ("slo", number, "service"))
        _known(sink, "slo.toml", line, slo.service, service_ids)
        periods.setdefault((slo.service, slo.kind), []).append((slo.valid_from, slo.valid_to))
        if _overlap(periods[slo.service, slo.kind]):
            sink.add("slo.toml", line(), f"two {slo.kind} SLOs of {slo.service!r} overlap", "end the earlier one")


def _registers(
    sink: Sink, registers: dict[str, list[tuple[int, Any]]], team_ids: set[str] | None, service_ids: set[str] | None
) -> None:
    _rosters(sink, registers["rosters"])
    for name, rows in registers.items():
        file = f"registers/{name}.csv"
        ids: dict[str, int] = {}
        for line, row in rows:
            if hasattr(row, "team_id"):
                _known(sink, file, line, row.team_id, team_ids)
            if hasattr(row, "service_id"):
                _known(sink, file, line, row.service_id, service_ids)
            identity, fix = _identity(name, row)
            if identity is not None and ids.setdefault(identity, line) != line:
                sink.add(file, line, f"{identity} stands on line {ids[identity]} too", fix)
            if name == "goals":
                _goal(sink, file, line, row, ids)
            own = getattr(row, "waiver_id", None) or getattr(row, "window_id", None)
            if own is not None and ids.setdefault(own, line) != line:
                sink.add(file, line, f"id {own!r} stands on line {ids[own]} too", "give each row its own id")


def _rosters(sink: Sink, rows: list[tuple[int, Any]]) -> None:
    """A team has one duty at a time: the rows of two would both be asked for."""
    spans: dict[str, list[tuple[int, Any]]] = {}
    for line, row in sorted(rows, key=lambda item: (item[1].valid_from, item[0])):
        earlier = spans.setdefault(row.team_id, [])
        other = next((n for n, each in earlier if row.valid_from < (each.valid_to or _FOREVER)), None)
        # Rows that begin on one day are told once, as such.
        if other is not None and all(each.valid_from != row.valid_from for _, each in earlier):
            message = f"{row.team_id} has another duty from {row.valid_from} on, and line {other} has not ended"
            fix = f"end that row: valid_to = {row.valid_from}"
            sink.add("registers/rosters.csv", line, message, fix)
        earlier.append((line, row))


def _identity(name: str, row: Any) -> tuple[str | None, str]:
    """What may stand once in a register that has no ids, and what to do where it stands twice."""
    match name:
        case "efforts":
            return f"{row.team_id} {row.metric_id}", "keep one row per team and metric"
        case "goals" if row.is_open:
            return f"{row.team_id} {row.metric_id}", "close or drop the earlier goal"
        case "applicability":
            return f"{row.team_id} {row.metric_id} {row.valid_from}", "keep one row that begins on that day"
        case "rosters":
            return f"{row.team_id} {row.valid_from}", "keep one row that begins on that day"
        case _:
            return None, ""


def _goal(sink: Sink, file: str, line: int, row: Any, ids: dict[str, int]) -> None:
    key = f"{row.team_id} {row.metric_id} {row.decided_on}"
    if ids.setdefault(key, line) != line:
        sink.add(file, line, f"{key} stands on line {ids[key]} too", "decide once a day on a metric of a team")
    for name in ("due_on", "acted_on"):
        day = getattr(row, name)
        if day is not None and day < row.decided_on:
            fix = f"write a {name} from {row.decided_on} on, or the day of the decision"
            sink.add(file, line, f"{name} {day} lies before decided_on {row.decided_on}", fix)


def _connector(sink: Sink, file: str, connector: Connector, team_ids: set[str] | None) -> None:
    line = _line_of(sink, file, connector.name)
    known = sorted(connector.feeds)
    _due(sink, file, line, connector)
    for stream in connector.streams:
        if stream not in connector.feeds:
            near = difflib.get_close_matches(stream, known, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"it delivers {', '.join(known)}"
            sink.add(file, line, f"kind {connector.kind!r} delivers no stream {stream!r}", fix)
    for stream, values in connector.assume.items():
        if stream not in connector.streams:
            sink.add(file, line, f"assume names {stream!r}, which it does not deliver", f"one of {connector.streams}")
            continue
        _columns(sink, file, line, stream, list(values))
        for column in sorted(values.keys() - set(connector.untold(stream))):
            sink.add(file, line, f"{stream}.{column} is told by the source", "assume only what it cannot tell")
    if connector.name == FILES:
        sink.add(file, line, f"the name {FILES!r} is that of the files", "choose another name")
    _teams_of(sink, file, line, connector.teams)
    for team in connector.teams:
        if team != "*":
            _known(sink, file, line, team, team_ids)


def _due(sink: Sink, file: str, line: int | None, connector: Connector) -> None:
    """Each stream is named once, and due on some day."""
    for stream in sorted({stream for stream in connector.streams if connector.streams.count(stream) > 1}):
        sink.add(file, line, f"streams names {stream!r} twice", "keep one of them")
    begins = max(filter(None, (connector.valid_from, connector.connected_on)), default=None)
    if connector.valid_to is not None and begins is not None and connector.valid_to <= begins:
        message = f"until {connector.valid_to} is not after {begins}: no day is ever due"
        sink.add(file, line, message, "end it later, or take it out")


def _teams_of(sink: Sink, file: str, line: int | None, teams: list[str]) -> None:
    if not teams:
        fix = 'write teams = ["..."], or leave it out where all do'
        sink.add(file, line, "teams is empty: nobody would deliver, and nothing would count", fix)


def _columns(sink: Sink, file: str, line: int | None, stream: str, names: list[str]) -> None:
    known = sorted(column.name for column in STREAMS[stream].columns)
    for column in sorted(set(names) - set(known)):
        near = difflib.get_close_matches(column, known, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"its columns are {', '.join(known)}"
        sink.add(file, line, f"stream {stream!r} has no column {column!r}", fix)


def _idle(sink: Sink, file: str, line: int | None, source: StreamSource) -> None:
    """Settings of one whole file of events that say nothing of daily files or of a register."""
    what = "files of one day each" if source.is_daily else "a register"
    why = "each file is about its day" if source.is_daily else "each file is the whole state"
    idle: dict[str, object] = {"covers": source.covers, "remembers_days": source.remembers_days}
    idle |= {"exported": source.exported, "complete_from": source.complete_from}
    idle |= {"empty_since": source.empty_since} if source.is_daily else {}
    for name in (name for name, value in idle.items() if value is not None):
        sink.add(file, line, f"{name} says nothing of {what}", f"take it out: {why}")


def _dated(sink: Sink, file: str, line: int | None, source: StreamSource) -> None:
    """Ways of saying which days files are about that contradict each other."""
    if source.covers is not None and (source.tells_its_date or source.is_several):
        fix = "take covers out: each export says itself how far it goes"
        sink.add(file, line, "covers and the export's own date are two answers to one question", fix)
    if source.exported == READ:
        fix = "write exported = 'modified' or 'manifest', or {exported} in the path"
        sink.add(file, line, "that a file was read does not say that somebody still exports it", fix)
    if ("{from}" in source.path) != ("{to}" in source.path):
        sink.add(file, line, "{from} and {to} belong together", "name both, or neither")
    if source.is_several and STREAMS[source.name].is_register:
        fix = "name the newest file, or write a query (sources/<stream>.sql)"
        sink.add(file, line, "a register is one file: each is the whole state", fix)
    if source.cut is not None and not source.is_daily:
        sink.add(file, line, "cut says nothing of whole files", "take it out: their rows have times")


def _sources(sink: Sink, sources: Sources, team_ids: set[str] | None, service_names: set[str] | None) -> None:
    file = "sources.toml"
    _duplicates(sink, file, [source.name for source in sources.stream])
    for name in sources.without:
        if name not in STREAMS:
            near = difflib.get_close_matches(name, sorted(STREAMS), n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"known streams: {', '.join(sorted(STREAMS))}"
            sink.add(file, _line_of(sink, file, name, named=False), f"without: unknown stream {name!r}", fix)
    _duplicates(sink, file, [connector.name for connector in sources.connector])
    for connector in sources.connector:
        _connector(sink, file, connector, team_ids)
        line = _line_of(sink, file, connector.name)
        for name in connector.services.values():
            _known(sink, file, line, name, service_names)
    for source in sources.stream:
        _file(sink, file, source, team_ids)


def _file(sink: Sink, file: str, source: StreamSource, team_ids: set[str] | None) -> None:
    line = _line_of(sink, file, source.name)
    if source.name not in STREAMS:
        near = difflib.get_close_matches(source.name, sorted(STREAMS), n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"known streams: {', '.join(sorted(STREAMS))}"
        sink.add(file, line, f"unknown stream {source.name!r}", fix)
        return
    _columns(sink, file, line, source.name, [*source.columns, *source.assume])
    for column in sorted(source.assume.keys() & source.columns.keys()):
        sink.add(file, line, f"{column!r} is both mapped and assumed", "a file has the column, or it has not")
    _teams_of(sink, file, line, source.teams)
    for team in source.teams:
        if team != "*":
            _known(sink, file, line, team, team_ids)
    for name in sorted(source.bounds.model_fields_set & {"requests", "bytes_per_second"}):
        sink.add(file, line, f"bounds.{name} says nothing of files", "take it out: nobody is asked for them")
    if source.is_daily or STREAMS[source.name].is_register:
        _idle(sink, file, line, source)
    if source.valid_to is not None and source.connected_on is not None and source.valid_to <= source.connected_on:
        sink.add(file, line, "until is not after connected_on: no day is ever due", "end it later, or take it out")
    _dated(sink, file, line, source)
    if source.covers is not None and source.covers[1] < source.covers[0]:
        sink.add(file, line, "covers ends before it begins", "write covers = [first day, last day]")

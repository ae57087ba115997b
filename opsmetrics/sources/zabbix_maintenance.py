"""When hosts of Zabbix were in maintenance: what is suppressed then tells nobody (contracts, C4).

Whether an event *is* suppressed is told of now only; when a maintenance was in force is worked out of its periods, as
Zabbix' server does. Times of day are those of the server, whose zone no method tells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from opsmetrics.sources.recurring import MONTHS, Recurring

Row = dict[str, Any]
# What is asked of a period.
PERIOD = ("timeperiod_type", "start_date", "start_time", "period", "every", "month", "day", "dayofweek")
_KINDS: Mapping[int, Literal["once", "daily", "weekly", "monthly"]] = {0: "once", 2: "daily", 3: "weekly", 4: "monthly"}
# For so long days are asked for again at most because a problem of theirs is open.
MEMORY = timedelta(days=400)
_CONTAINS, _ANY_OF = 2, 2


@dataclass(frozen=True, slots=True)
class Span:
    """One time that a maintenance was in force, half-open."""

    since: datetime
    until: datetime
    maintenance: Maintenance

    def holds(self, at: datetime) -> bool:
        """Whether it was in force at an instant."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One maintenance, as the API tells it.

    Attributes:
        hosts: Ids of its hosts.
        groups: Names of its groups; those below them (``group/below``) are meant too.
        tags: Name of a tag, whether its value need only be contained, and the value.
        is_any: Whether one of the tags is enough; else one of each name.
    """

    hosts: frozenset[str]
    groups: tuple[str, ...]
    tags: tuple[tuple[str, bool, str], ...]
    is_any: bool

    def covers(self, host: str, groups: Sequence[str]) -> bool:
        """Whether it is of a host with these groups."""
        below = tuple(f"{name}/" for name in self.groups)
        return host in self.hosts or any(name in self.groups or name.startswith(below) for name in groups)

    def takes(self, tags: Sequence[Row]) -> bool:
        """Whether it suppresses a problem with these tags."""
        held: dict[str, bool] = defaultdict(bool)
        for name, is_part, value in self.tags:
            values = [tag["value"] for tag in tags if tag["tag"] == name]
            held[name] |= any(value in own if is_part else value == own for own in values)
        return not held or (any if self.is_any else all)(held.values())


def spans(items: Sequence[Row], first: datetime, last: datetime, zone: ZoneInfo) -> list[Span]:
    """Return when maintenances were in force between two instants, in order.

    Args:
        items: Answer of ``maintenance.get``; what is no maintenance is left.
        first: From when on.
        last: Until when.
        zone: Of the times of day that periods begin at.
    """
    found: list[Span] = []
    for item in items:
        if not item.get("timeperiods"):
            continue
        groups: list[Row] = item.get("hostgroups") or item.get("groups") or []
        told = Maintenance(
            frozenset(host["hostid"] for host in item.get("hosts") or []),
            tuple(group["name"] for group in groups),
            tuple((tag["tag"], int(tag["operator"]) == _CONTAINS, tag["value"]) for tag in item.get("tags") or []),
            int(item.get("tags_evaltype") or 0) == _ANY_OF,
        )
        active = (_at(item["active_since"]), _at(item["active_till"]))
        for period in filter(None, map(_recurring, item["timeperiods"])):
            found += [Span(*times, told) for times in period.times(active, (first, last), zone)]
    return sorted(found, key=lambda span: (span.since, span.until))


def seen_with(items: Sequence[Row], before: Sequence[Sequence[Any]], now: datetime) -> list[list[Any]]:
    """Return maintenances, each with when it was told last: those of now, and those that were there before.

    Zabbix tells those of now only: one that somebody deletes or moves is told no more, though it was in force.

    Args:
        items: Answer of ``maintenance.get``.
        before: What this function returned the last time.
        now: When the answer came.
    """
    left = [[at, item] for at, item in before if item not in items and now - datetime.fromisoformat(at) < MEMORY]
    return [*([now.isoformat(), item] for item in items), *left]


def spans_seen(
    seen: Sequence[Sequence[Any]], first: datetime, last: datetime, now: datetime, zone: ZoneInfo
) -> list[Span]:
    """Return when maintenances were in force, as :func:`spans`; one that is told no more was so until it was last told.

    Args:
        seen: From :func:`seen_with`.
        first: From when on.
        last: Until when.
        now: When those of now were told.
        zone: Of the times of day.
    """
    found: list[Span] = []
    for at, item in seen:
        told = datetime.fromisoformat(at)
        for span in spans([item], first, last, zone):
            until = span.until if told >= now else min(span.until, told)
            if span.since < until:
                found.append(replace(span, until=until))
    return sorted(found, key=lambda span: (span.since, span.until))


def _recurring(period: Row) -> Recurring | None:
    """Read a period, None of a kind that nobody knows."""
    kind = _KINDS.get(int(period["timeperiod_type"]))
    if kind is None:
        return None
    bits, day = int(period.get("dayofweek") or 0), int(period.get("day") or 0)
    return Recurring(
        kind,
        timedelta(seconds=int(period["period"])),
        once_at=_at(period["start_date"]) if kind == "once" else None,
        minute=int(period["start_time"]) // 60,
        every=int(period.get("every") or 1),
        weekdays=frozenset(number for number in range(7) if bits & 1 << number),
        days=frozenset([day] if day else []),
        months=frozenset(month for month in MONTHS if int(period.get("month") or 0) & 1 << (month - 1)),
    )


class Calendar:
    """When which hosts were in maintenance.

    Args:
        found: When each maintenance was in force.
        groups: Id of a host -> names of its groups.
    """

    def __init__(self, found: Sequence[Span], groups: Mapping[str, Sequence[str]]) -> None:
        self._spans, self._groups = found, groups

    def holding(self, hosts: Sequence[str], tags: Sequence[Row], at: datetime) -> list[Span]:
        """Return what suppresses a problem at an instant; all its hosts must be in maintenance then."""
        held = [
            [span for span in self._spans if span.holds(at) and span.maintenance.covers(host, self._of(host))]
            for host in hosts
        ]
        if not held or not all(held):
            return []
        return [span for spans_of_one in held for span in spans_of_one if span.maintenance.takes(tags)]

    def told_at(self, hosts: Sequence[str], tags: Sequence[Row], at: datetime) -> datetime:
        """Return when somebody is told of a problem that begins at an instant: when no maintenance holds any more."""
        while held := self.holding(hosts, tags, at):
            at = max(span.until for span in held)
        return at

    def _of(self, host: str) -> Sequence[str]:
        return self._groups.get(host, ())


def _at(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)

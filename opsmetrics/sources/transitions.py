"""Availability from sources that keep changes of state, not single checks (ADR 0028).

Of each monitor and asked day there is a row at the day's first instant with the state that stands then, and one for
each change. So a day can be read without the days before it, what the source does not know is *unknown*, and a monitor
that the source no longer has ends with its last day: give it ``hold_minutes = 1440`` in services.toml.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from opsmetrics.sources.fetching import FetchRequest

Status: TypeAlias = Literal["up", "down", "degraded", "unknown"]


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """From an instant on, a state; of two at one instant the later listed counts."""

    at: datetime
    status: Status


def rows_of(
    request: FetchRequest[Any], monitor: str, begins: datetime, changes: Iterable[Change]
) -> list[dict[str, Any]]:
    """Return the rows of one monitor in the asked days.

    Args:
        request: For the days and their midnights.
        monitor: The monitor, as in services.toml.
        begins: When the monitor came to be: before it there is nothing, from it on the state is unknown until a change.
        changes: What is known, in any order.
    """
    in_order = [Change(begins, "unknown"), *sorted(changes, key=lambda each: each.at)]
    first, end = request.days
    midnights = [request.organisation.midnight(first + timedelta(days=n)) for n in range((end - first).days)]
    told: dict[datetime, Status] = {}
    for midnight in midnights:
        before = [change.status for change in in_order if begins <= change.at <= midnight]
        if before:
            told[midnight] = before[-1]
    for change in in_order:
        if change.at >= begins and request.covers(change.at):
            told[change.at] = change.status
    return [
        {"provider": request.connector.name, "monitor_id": monitor, "checked_at": at, "status": status}
        for at, status in sorted(told.items())
        if at <= request.now
    ]

"""Which days a pull asks a connector for: those that are not settled and that the source still remembers.

A day is settled once it was seen later than its rows still change: some days after it, and never while one of its rows
is open (ADR 0028). So a first pull, a daily one, one after a crash and one after a gap are the same, and a daily pull
costs the same however long the history is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from opsmetrics.organisation import Delivery, Organisation
from opsmetrics.organisation.connectors.base import STATE
from opsmetrics.sources.notes import Seen, Window, days_of
from opsmetrics.sources.open_rows import OPEN, settled_at, settled_by_age
from opsmetrics.streams import Stream

# A pull that broke off is taken up where it stopped; what is older than this is asked for again.
RESUME = timedelta(hours=1)
# Old days that one pull asks for because a row of theirs is open; the others follow with the next ones.
MOST_OLD_DAYS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What a pull asks a connector for.

    Attributes:
        windows: Half-open local days, oldest first: what is about to be forgotten comes before what can wait.
        told: What is left open, and why.
    """

    windows: tuple[Window, ...]
    told: tuple[str, ...] = ()


def question_of(
    organisation: Organisation, delivery: Delivery, stream: Stream, asked: Window | None, now: datetime, seen: Seen
) -> Question:
    """Return what to ask a connector for.

    Args:
        organisation: Whose midnights.
        delivery: The connector's stream.
        stream: Its contract.
        asked: Exactly these half-open local days; default: every day that is not settled.
        now: Clock of the pull.
        seen: How each day was last seen.
    """
    today = now.astimezone(organisation.zone).date()
    if stream.is_register or delivery.remembers_days == STATE:
        # A state or a register is what it is now.
        is_due = delivery.due_to is None or today < delivery.due_to
        return Question(((today, today + timedelta(days=1)),) if is_due else ())
    first, last = asked or (delivery.due_from, today)
    first, last = max(first, delivery.due_from), min(last, delivery.due_to or date.max, today)
    remembered = first
    if asked is None and delivery.remembers_days is not None:
        remembered = max(first, today - timedelta(days=delivery.remembers_days))
    days = days_of((remembered, max(remembered, last)))
    if asked is not None:
        return Question(tuple(_runs(days, delivery.chunk_days)))
    repull = stream.repull_days if delivery.repull_days is None else delivery.repull_days
    young = [day for day in days if _is_young(organisation, repull, day, now, seen)]
    old = _old_days(organisation, repull, sorted(set(days) - set(young)), now, seen)
    put_off = sorted(old, key=lambda day: (seen[day.isoformat()].at, day))[MOST_OLD_DAYS:]
    told = _forgotten(delivery, (first, remembered), seen)
    if put_off:
        left = f"{len(put_off)} old days with open rows are left for the next pulls ({MOST_OLD_DAYS} a pull)"
        told.insert(0, left)
    chosen = _joined(sorted(set(old) - set(put_off)), delivery.chunk_days)
    within = {day for window in chosen for day in days_of(window)}
    others = _runs([day for day in young if day not in within], delivery.chunk_days)
    return Question(tuple(sorted((*chosen, *others))), tuple(told))


def _is_young(organisation: Organisation, repull: int, day: date, now: datetime, seen: Seen) -> bool:
    """Whether a day was not seen, or not yet after its rows still change for their age."""
    mark = seen.get(day.isoformat())
    if mark is None:
        return True
    at = datetime.fromisoformat(mark.at)
    # Seen in the future: the clock stood wrong then, and what was asked for had not happened yet.
    return at > now or (at < settled_by_age(organisation, repull, day) and now - at >= RESUME)


def _old_days(organisation: Organisation, repull: int, days: list[date], now: datetime, seen: Seen) -> list[date]:
    """Return days that only an open row, or one that ended late, keeps from being settled; each is asked once a day."""
    today = now.astimezone(organisation.zone).date()
    found: list[date] = []
    for day in days:
        mark = seen[day.isoformat()]
        at = datetime.fromisoformat(mark.at)
        settled = settled_at(organisation, repull, day, mark.ends)
        is_old = at >= settled_by_age(organisation, repull, day)
        if is_old and (settled is None or at < settled) and at.astimezone(organisation.zone).date() < today:
            found.append(day)
    return found


def _forgotten(delivery: Delivery, window: Window, seen: Seen) -> list[str]:
    """Say which open rows the source no longer remembers: nobody will tell how they ended."""
    days = [day for day in days_of(window) if (mark := seen.get(day.isoformat())) and mark.ends == OPEN]
    if not days:
        return []
    memory = f"the {delivery.remembers_days} days that {delivery.origin} remembers"
    return [
        f"{len(days)} days with open rows, from {days[0]}, are older than {memory}: how these rows end stays unknown"
    ]


def _joined(days: list[date], longest: int) -> list[Window]:
    """Join days that one question can reach: asking costs by the question, not by what lies between."""
    found: list[Window] = []
    for day in days:
        if found and day - found[-1][0] < timedelta(days=longest):
            found[-1] = (found[-1][0], day + timedelta(days=1))
        else:
            found.append((day, day + timedelta(days=1)))
    return found


def _runs(days: list[date], longest: int) -> Iterator[Window]:
    """Join days that follow each other into windows of at most ``longest`` days."""
    start = 0
    for place in range(1, len(days) + 1):
        ends = place == len(days) or days[place] != days[place - 1] + timedelta(days=1)
        if ends or place - start >= longest:
            yield days[start], days[place - 1] + timedelta(days=1)
            start = place

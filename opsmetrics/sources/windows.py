"""Which days a pull asks a connector for: those that are not settled and that the source still remembers.

A day is settled once it was seen later than its rows still change. So a first pull, a daily one, one after a crash and
one after a gap are the same, and a daily pull costs the same however long the history is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from opsmetrics.landing import LoadName
from opsmetrics.organisation import Delivery, Organisation, StreamSource
from opsmetrics.organisation.connectors import STATE
from opsmetrics.sources.ask import midnight
from opsmetrics.sources.notes import Seen, Window, days_of
from opsmetrics.streams import Stream

# A pull that broke off is taken up where it stopped; what is older than this is asked for again.
RESUME = timedelta(hours=1)


def windows_of(
    organisation: Organisation,
    delivery: Delivery,
    stream: Stream,
    asked: Window | None,
    now: datetime,
    seen: Seen,
) -> Iterator[Window]:
    """Yield the windows to ask for, oldest first: what is about to be forgotten comes before what can wait."""
    today = now.astimezone(organisation.zone).date()
    if stream.is_register or delivery.remembers_days == STATE:
        # A state or a register is what it is now.
        if delivery.due_to is None or today < delivery.due_to:
            yield today, today + timedelta(days=1)
        return
    first, last = asked or (delivery.due_from, today)
    first, last = max(first, delivery.due_from), min(last, delivery.due_to or date.max, today)
    if asked is None and delivery.remembers_days is not None:
        first = max(first, today - timedelta(days=delivery.remembers_days))

    def wanted(day: date) -> bool:
        mark = seen.get(day.isoformat())
        if asked is not None or mark is None:
            return True
        at = datetime.fromisoformat(mark[1])
        settled = midnight(day + timedelta(days=1 + stream.repull_days), organisation)
        # Seen in the future: the clock stood wrong then, and what was asked for had not happened yet.
        return at > now or (at < settled and now - at >= RESUME)

    yield from _runs([day for day in days_of((first, max(first, last))) if wanted(day)], delivery.chunk_days)


def scheduled_files(
    organisation: Organisation, source: StreamSource, window: Window, known: Sequence[LoadName]
) -> tuple[Window, Window | None]:
    """Return for a scheduled pull of ``window`` which daily files to look at, and the days to cut a file to.

    Daily files that came late or were mended lie before the window. A whole file is taken up where its last load
    ended, and landed in full where it has none.
    """
    history = (min(window[0], organisation.settings.history_from), window[1])
    if source.is_daily:
        return history, None
    reach = max((name.window[1] for name in known), default=None)
    return history, (min(window[0], reach), window[1]) if reach else None


def _runs(days: list[date], longest: int) -> Iterator[Window]:
    """Join days that follow each other into windows of at most ``longest`` days."""
    start = 0
    for place in range(1, len(days) + 1):
        ends = place == len(days) or days[place] != days[place - 1] + timedelta(days=1)
        if ends or place - start >= longest:
            yield days[start], days[place - 1] + timedelta(days=1)
            start = place

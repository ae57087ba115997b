"""Rows that can still change: which days hold one, and until when they are worth asking for (ADR 0028).

A row is open while all the columns that its stream names as ends are null. Its day is not settled by age then, and not
by age alone once it has ended: what is written down after an end (a post mortem, a verdict) comes later still.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

import polars as pl

from opsmetrics.landing import Load, read_columns
from opsmetrics.organisation import Organisation
from opsmetrics.streams import Stream

OPEN = "open"


def ends_by_day(frame: pl.DataFrame, stream: Stream, untold: Collection[str]) -> dict[str, str]:
    """Return, for each local day, when the last of its rows ended, or ``open``.

    Of a source that cannot tell of any end nothing is open: asking again would tell nothing new.

    Args:
        frame: Rows as they are landed: the stream's ends, ``_day`` and ``_reason``.
        stream: Their stream.
        untold: Columns that their source cannot tell.
    """
    ends = [name for name in stream.ends if name not in untold]
    if not ends:
        return {}
    days = (
        frame.filter(pl.col("_reason").is_null() & pl.col("_day").is_not_null())
        .select("_day", ended=pl.min_horizontal(ends))
        .group_by("_day")
        .agg(pl.col("ended").null_count().alias("open"), pl.col("ended").max())
        .sort("_day")
    )
    return {day.isoformat(): OPEN if still_open else ended.isoformat() for day, still_open, ended in days.iter_rows()}


def ends_in_load(load: Load, stream: Stream) -> dict[str, str]:
    """Return the same of a load that was landed; nothing where the stream's rows have no end."""
    if not stream.ends:
        return {}
    return ends_by_day(read_columns(load, (*stream.ends, "_day", "_reason")), stream, load.untold)


def settled_by_age(organisation: Organisation, repull_days: int, day: date) -> datetime:
    """Return the instant from which a day's rows no longer change for their age.

    Args:
        organisation: Whose midnights.
        repull_days: Days for which rows of the source change.
        day: The day.
    """
    return organisation.midnight(day + timedelta(days=1 + repull_days))


def settled_at(organisation: Organisation, repull_days: int, day: date, ends: str) -> datetime | None:
    """Return the instant from which a day no longer changes; None while a row of it is open."""
    if ends == OPEN:
        return None
    by_age = settled_by_age(organisation, repull_days, day)
    if not ends:
        return by_age
    return max(by_age, datetime.fromisoformat(ends) + timedelta(days=repull_days))

"""``ref`` tables of time: local days, the instants of evaluation, the windows that end there, and median ranks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.model import LONG_WINDOW_DAYS
from opsmetrics.core.declare import Row, Table, at, count, day, flag, id_, share, text
from opsmetrics.organisation.models import Team
from opsmetrics.organisation.organisation import Organisation

DIAGNOSTIC_DAYS = (0, 90, 180, 365)
CALENDAR_DAYS_BACK = 800
CALENDAR_DAYS_AHEAD = 400
# Rows of these have deadlines in days of the calendar, and one that is open may have begun at any time.
_LASTING_WITH_DEADLINES = ("incidents", "vulnerabilities")
GRAINS = ("month", "tertial", "week", "latest", "series_month", "series_quarter")

CALENDAR = Table(
    "ref.calendar",
    "Local days with their UTC instants, working days and working hours",
    (
        day("day", "Local day", required=True),
        at("starts_at", "Local midnight, UTC", required=True),
        at("ends_at", "Next local midnight, UTC (23 or 25 h later at clock changes)", required=True),
        flag("is_working_day", "A usual day of work, no public holiday, not closed", required=True),
        at("work_starts_at", "Start of the organisation's working hours, UTC", required=True),
        at("work_ends_at", "End of the organisation's working hours, UTC", required=True),
        count("working_day_number", "Count of working days up to and including this day", required=True),
    ),
    ("day",),
)


def oldest_deadline(con: duckdb.DuckDBPyConnection, horizon: datetime) -> date | None:
    """Return the local day of the oldest row with a deadline in days; None without any that landed by ``horizon``."""
    found = con.execute(
        """select min(r.day) from meta.day_rows as r
           join meta.loads as l on l.stream = r.stream and l.load_id = r.load_id
           where list_contains($1, r.stream) and l.loaded_at <= $2""",
        [list(_LASTING_WITH_DEADLINES), horizon],
    ).fetchone()
    return found[0] if found else None


def calendar(organisation: Organisation, today: date, oldest: date | None = None) -> Iterator[Row]:
    """Return the rows of ``ref.calendar``.

    Args:
        organisation: For zone, working hours and the first day of the history.
        today: The current local day.
        oldest: A day that the calendar must hold, however long before the history: :func:`oldest_deadline`.
    """
    for row in _work_days(organisation, None, today, oldest):
        on = row["day"]
        yield {
            **row,
            "starts_at": organisation.midnight(on),
            "ends_at": organisation.midnight(on + timedelta(days=1)),
        }


def _work_days(
    organisation: Organisation, team: Team | None, today: date, oldest: date | None
) -> Iterator[dict[str, Any]]:
    """Days with working hours of the organisation or of a team, and the count of working days."""
    first = organisation.settings.history_from - timedelta(days=CALENDAR_DAYS_BACK)
    on = min(first, oldest) if oldest else first
    last = today + timedelta(days=CALENDAR_DAYS_AHEAD)
    work = organisation.work_calendar(team, range(on.year, last.year + 1))
    number = 0
    while on <= last:
        is_working = work.is_working_day(on)
        number += is_working
        starts_at, ends_at = work.span(on)
        yield {
            "day": on,
            "is_working_day": is_working,
            "work_starts_at": starts_at,
            "work_ends_at": ends_at,
            "working_day_number": number,
        }
        on += timedelta(days=1)


TEAM_DAYS = Table(
    "ref.team_days",
    "Working days and hours of the teams that have hours of their own; the others have the organisation's",
    (
        id_("team_id", "Team"),
        day("day", "Local day", required=True),
        flag("is_working_day", "A usual day of work of the team, no holiday, not closed", required=True),
        at("work_starts_at", "Start of the team's working hours, UTC", required=True),
        at("work_ends_at", "End of the team's working hours, UTC", required=True),
        count("working_day_number", "Count of the team's working days up to and including this day", required=True),
    ),
    ("team_id", "day"),
)


def team_days(organisation: Organisation, today: date, oldest: date | None = None) -> Iterator[Row]:
    """Return the rows of ``ref.team_days``, of the same days as :func:`calendar`."""
    for team in organisation.teams:
        if team.working_hours is not None:
            for row in _work_days(organisation, team, today, oldest):
                yield {"team_id": team.id, **row}


AS_OF = Table(
    "ref.as_of",
    "Instants at which metrics are evaluated",
    (
        at("as_of", "End of the period, UTC (exclusive)", required=True),
        text(
            "grain",
            "month, tertial, week, latest; series_month and series_quarter for trends",
            required=True,
            one_of=GRAINS,
        ),
        at("period_starts_at", "Start of the period, UTC", required=True),
        day("on", "Last local day of the period", required=True),
        id_("label", "2026-10, 2026-T2, 2026-W44 or the day"),
    ),
    ("as_of", "grain"),
)


def as_of(organisation: Organisation, today: date) -> Iterator[Row]:
    """Return the rows of ``ref.as_of``."""
    for grain, start, end, label in sorted(periods(organisation, today), key=lambda period: (period[0], period[2])):
        yield {
            "as_of": organisation.midnight(end),
            "grain": grain,
            "period_starts_at": organisation.midnight(start),
            "on": end - timedelta(days=1),
            "label": label,
        }


def periods(organisation: Organisation, today: date) -> Iterator[tuple[str, date, date, str]]:
    """Complete months, tertials and ISO weeks since the history began, and the latest complete day.

    ``series_month`` and ``series_quarter`` are the same instants with windows that do not overlap: a trend needs
    independent points (method 3.11).

    Returns:
        Grain, first local day, day after the last, and label.
    """
    first = organisation.settings.history_from
    month = first.replace(day=1)
    while (end := _add_months(month, 1)) <= today:
        yield "month", month, end, f"{month:%Y-%m}"
        yield "series_month", month, end, f"{month:%Y-%m}"
        month = end
    quarter = first.replace(month=first.month - (first.month - 1) % 3, day=1)
    while (end := _add_months(quarter, 3)) <= today:
        if quarter >= first.replace(day=1):
            yield "series_quarter", quarter, end, f"{quarter.year}-Q{quarter.month // 3 + 1}"
        quarter = end
    tertial = date(first.year, 1, 1)
    while (end := _add_months(tertial, 4)) <= today:
        if end > first:
            yield "tertial", tertial, end, f"{tertial.year}-T{tertial.month // 4 + 1}"
        tertial = end
    week = first - timedelta(days=first.weekday())
    while (end := week + timedelta(days=7)) <= today:
        year, number, _ = week.isocalendar()
        yield "week", week, end, f"{year}-W{number:02d}"
        week = end
    yesterday = today - timedelta(days=1)
    yield "latest", yesterday, today, yesterday.isoformat()


def _add_months(on: date, months: int) -> date:
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, 1)


WINDOWS = Table(
    "ref.windows",
    "Start of each window length at each instant",
    (
        count("window_days", "Length in local days; 0 = state", required=True),
        at("as_of", "End, UTC", required=True),
        text("grain", "Grain", required=True, one_of=GRAINS),
        day("on", "Last local day", required=True),
        at("starts_at", "Start, UTC", required=True),
        day("starts_on", "First local day", required=True),
    ),
    ("window_days", "as_of", "grain"),
)


def windows(organisation: Organisation, catalogue: Catalogue, today: date) -> Iterator[Row]:
    """Return the rows of ``ref.windows``."""
    lengths = sorted({metric.window_days for metric in catalogue.metrics} | set(DIAGNOSTIC_DAYS))
    found = sorted(periods(organisation, today), key=lambda period: (period[0], period[2]))
    for days in lengths:
        for grain, period_start, end, _ in found:
            # A quarter is the series of metrics that look back long; the others have their months.
            if grain == "series_quarter" and days <= LONG_WINDOW_DAYS:
                continue
            start = _window_start(grain, period_start, end, days)
            yield {
                "window_days": days,
                "as_of": organisation.midnight(end),
                "grain": grain,
                "on": end - timedelta(days=1),
                "starts_at": organisation.midnight(start),
                "starts_on": start,
            }


def _window_start(grain: str, period_start: date, end: date, days: int) -> date:
    """First day of a window: its full length back, but in a trend series never before the period itself."""
    if days and grain.startswith("series_"):
        return period_start
    return end - timedelta(days=days)


# Of ``opsmetrics.scoring.median_ranks``.
MEDIAN_RANKS = Table(
    "ref.median_ranks",
    "Ranks of the items that bound a median with at least 95 % (method 3.10); none below six items",
    (
        count("sample_size", "Items", required=True, low=1),
        count("low_rank", "Rank of the lower end, 1 = smallest", required=True, low=1),
        count("high_rank", "Rank of the upper end", required=True, low=1),
        share("coverage", "Probability that the median lies between them", required=True),
    ),
    ("sample_size",),
)

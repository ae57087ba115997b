"""The ``ref.*`` frames: configuration, calendar and evaluation instants, ready for SQL.

Open ends of periods become 2200-01-01, so that SQL compares instead of testing for null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.organisation.models import Organisation

INSTANT = pl.Datetime("us", "UTC")
FOREVER = date(2200, 1, 1)
CRITICALITY = {"critical": 3.0, "important": 2.0, "ordinary": 1.0}
WORK_STARTS, WORK_ENDS = time(8), time(16)
LONG_WINDOW_DAYS = 120
DIAGNOSTIC_DAYS = (0, 90, 180, 365)
CALENDAR_DAYS_BACK = 800
CALENDAR_DAYS_AHEAD = 400

# Table -> (what a row is, column -> meaning): the comments that analysts read.
DESCRIPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "teams": (
        "Teams of the organisation",
        {
            "team_id": "Id",
            "name_nb": "Name, Norwegian",
            "name_en": "Name, English",
            "type": "product or platform",
            "onboarded_on": "First day of the team in the scorecard",
        },
    ),
    "services": (
        "Production services",
        {
            "service_id": "Id",
            "name_nb": "Name, Norwegian",
            "name_en": "Name, English",
            "criticality": "critical, important or ordinary",
            "criticality_weight": "3, 2 or 1 (method 2.1)",
            "last_major_change_on": "Last major change, which makes older assessments void",
        },
    ),
    "service_owners": (
        "Who owned a service when (half-open)",
        {
            "service_id": "Service",
            "team_id": "Owner",
            "valid_from_at": "From, UTC",
            "valid_to_at": "Until, UTC; 2200 = open",
        },
    ),
    "service_names": (
        "Names of services in the sources",
        {"name": "Id or alias", "service_id": "Service"},
    ),
    "repository_patterns": (
        "Repositories of services; * stands for anything",
        {"pattern": "owner/name or glob", "service_id": "Service"},
    ),
    "monitor_patterns": (
        "Availability monitors of services",
        {
            "pattern": "Monitor id or glob",
            "service_id": "Service",
            "hold_minutes": "How long a result stands; null = until the next row",
        },
    ),
    "environments": (
        "Names of environments in the sources",
        {"name": "Name in lower case", "environment_id": "Canonical environment"},
    ),
    "slos": (
        "Service level objectives, dated",
        {
            "service_id": "Service",
            "kind": "availability or latency",
            "target": "Promised share, 0..1",
            "valid_from_at": "From, UTC",
            "valid_to_at": "Until, UTC",
        },
    ),
    "datastores": (
        "Datastores and what is promised for their restore",
        {
            "datastore_id": "Id",
            "service_id": "Service",
            "data_class": "A to D; unclassified counts as A (method, bck_coverage)",
            "rpo_hours": "Recovery point objective, hours; class default where none is set",
            "rto_minutes": "Recovery time objective, minutes",
            "backup_interval_hours": "Hours between backups of the active policy; null = no policy",
            "has_restore_plan": "A plan row for restore tests exists",
            "has_rebuild_rationale": "Class D with approved rationale",
        },
    ),
    "maintenance_windows": (
        "Registered maintenance windows; eligibility is judged in facts.maintenance",
        {
            "window_id": "Id",
            "service_id": "Service",
            "starts_at": "Start, UTC",
            "ends_at": "End, UTC",
            "registered_at": "When it was registered, UTC",
            "reason": "Reason",
            "approver": "Approving role",
        },
    ),
    "waivers": (
        "Time-limited exceptions (method 3.7)",
        {
            "waiver_id": "Id",
            "team_id": "Team",
            "metric_id": "Metric",
            "reason": "Reason",
            "compensating_measure": "Compensating measure",
            "approver": "Approving role",
            "valid_from": "First day",
            "valid_to": "Day after the last",
        },
    ),
    "applicability": (
        "Metrics that do not apply to a team",
        {
            "team_id": "Team",
            "metric_id": "Metric",
            "reason": "Reason",
            "approver": "Approving role",
            "valid_from": "First day",
            "valid_to": "Day after the last",
        },
    ),
    "efforts": (
        "What a team expects a remedy to cost; other remedies cost the catalogue's default",
        {"team_id": "Team", "metric_id": "Metric", "effort_days": "Team-days"},
    ),
    "goals": (
        "Decisions to close gaps: who, and by when; scores.goal and scores.goal_effect say what came of them",
        {
            "team_id": "Team",
            "metric_id": "Metric",
            "owner_role": "Responsible role",
            "decided_on": "Day of the decision",
            "due_on": "Day by which the gap is to be closed",
            "status": "planned, in_progress, done or dropped",
            "is_open": "Planned or in progress; one a team and metric",
            "acted_on": "Day from which the action works, or null",
            "expected_points": "Points of the team score that it is to bring, where the register says so",
            "campaign": "Campaign that it belongs to, or null",
        },
    ),
    "oncall_duties": (
        "Duty that the handbook asks of a team, dated",
        {
            "team_id": "Team",
            "coverage": "working_hours, always or none",
            "valid_from_at": "From, UTC",
            "valid_to_at": "Until, UTC",
        },
    ),
    "team_streams": (
        "Which team delivers to which stream since when",
        {"team_id": "Team", "stream": "Stream", "connected_on": "First day"},
    ),
    "calendar": (
        "Local days with their UTC instants, working days and working hours",
        {
            "day": "Local day",
            "starts_at": "Local midnight, UTC",
            "ends_at": "Next local midnight, UTC (23 or 25 h later at clock changes)",
            "is_working_day": "Monday to Friday, no public holiday, not closed",
            "work_starts_at": "08:00 local, UTC",
            "work_ends_at": "16:00 local, UTC",
            "working_day_number": "Count of working days up to and including this day",
        },
    ),
    "as_of": (
        "Instants at which metrics are evaluated",
        {
            "as_of": "End of the period, UTC (exclusive)",
            "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
            "period_starts_at": "Start of the period, UTC",
            "on": "Last local day of the period",
            "label": "2026-10, 2026-T2, 2026-W44 or the day",
        },
    ),
    "windows": (
        "Start of each window length at each instant",
        {
            "window_days": "Length in local days; 0 = state",
            "as_of": "End, UTC",
            "grain": "Grain",
            "on": "Last local day",
            "starts_at": "Start, UTC",
            "starts_on": "First local day",
        },
    ),
}

_DEFAULT_RPO_HOURS = {"A": 1.0, "B": 24.0, "C": 168.0}


def reference_frames(organisation: Organisation, catalogue: Catalogue, now: datetime) -> dict[str, pl.DataFrame]:
    """Return the frame of every configured ``ref`` table, typed also when empty."""
    zone = organisation.zone
    today = now.astimezone(zone).date()
    instants = pl.DataFrame(list(_instants(organisation, today)), schema=_AS_OF_SCHEMA, orient="row")
    frames = {name: _frame(name, rows) for name, rows in _configured(organisation).items()}
    frames["calendar"] = _calendar(organisation, today)
    frames["as_of"] = instants.sort("grain", "as_of")
    frames["windows"] = _windows(instants, catalogue, zone)
    return frames


_SCHEMAS: dict[str, dict[str, Any]] = {
    "teams": {
        "team_id": pl.String,
        "name_nb": pl.String,
        "name_en": pl.String,
        "type": pl.String,
        "onboarded_on": pl.Date,
    },
    "services": {
        "service_id": pl.String,
        "name_nb": pl.String,
        "name_en": pl.String,
        "criticality": pl.String,
        "criticality_weight": pl.Float64,
        "last_major_change_on": pl.Date,
    },
    "service_owners": {
        "service_id": pl.String,
        "team_id": pl.String,
        "valid_from_at": INSTANT,
        "valid_to_at": INSTANT,
    },
    "service_names": {"name": pl.String, "service_id": pl.String},
    "repository_patterns": {"pattern": pl.String, "service_id": pl.String},
    "monitor_patterns": {"pattern": pl.String, "service_id": pl.String, "hold_minutes": pl.Float64},
    "environments": {"name": pl.String, "environment_id": pl.String},
    "slos": {
        "service_id": pl.String,
        "kind": pl.String,
        "target": pl.Float64,
        "valid_from_at": INSTANT,
        "valid_to_at": INSTANT,
    },
    "datastores": {
        "datastore_id": pl.String,
        "service_id": pl.String,
        "data_class": pl.String,
        "rpo_hours": pl.Float64,
        "rto_minutes": pl.Float64,
        "backup_interval_hours": pl.Float64,
        "has_restore_plan": pl.Boolean,
        "has_rebuild_rationale": pl.Boolean,
    },
    "maintenance_windows": {
        "window_id": pl.String,
        "service_id": pl.String,
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "registered_at": INSTANT,
        "reason": pl.String,
        "approver": pl.String,
    },
    "waivers": {
        "waiver_id": pl.String,
        "team_id": pl.String,
        "metric_id": pl.String,
        "reason": pl.String,
        "compensating_measure": pl.String,
        "approver": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
    },
    "applicability": {
        "team_id": pl.String,
        "metric_id": pl.String,
        "reason": pl.String,
        "approver": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
    },
    "oncall_duties": {
        "team_id": pl.String,
        "coverage": pl.String,
        "valid_from_at": INSTANT,
        "valid_to_at": INSTANT,
    },
    "efforts": {"team_id": pl.String, "metric_id": pl.String, "effort_days": pl.Float64},
    "goals": {
        "team_id": pl.String,
        "metric_id": pl.String,
        "owner_role": pl.String,
        "decided_on": pl.Date,
        "due_on": pl.Date,
        "status": pl.String,
        "is_open": pl.Boolean,
        "acted_on": pl.Date,
        "expected_points": pl.Float64,
        "campaign": pl.String,
    },
    "team_streams": {"team_id": pl.String, "stream": pl.String, "connected_on": pl.Date},
}
_AS_OF_SCHEMA: dict[str, Any] = {
    "as_of": INSTANT,
    "grain": pl.String,
    "period_starts_at": INSTANT,
    "on": pl.Date,
    "label": pl.String,
}


def _frame(name: str, rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    schema = _SCHEMAS[name]
    return pl.DataFrame(sorted(rows, key=repr), schema=schema, orient="row")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _configured(organisation: Organisation) -> dict[str, list[tuple[Any, ...]]]:
    zone = organisation.zone

    def span(start: date, end: date | None) -> tuple[datetime, datetime]:
        return midnight(start, zone), midnight(end or FOREVER, zone)

    services = organisation.services
    return {
        "teams": [(t.id, t.name.nb, t.name.en, t.type, t.onboarded_on) for t in organisation.teams],
        "services": [
            (s.id, s.name.nb, s.name.en, s.criticality, CRITICALITY[s.criticality], s.last_major_change_on)
            for s in services
        ],
        "service_owners": [(s.id, o.team, *span(o.valid_from, o.valid_to)) for s in services for o in s.owners],
        "service_names": [(name, s.id) for s in services for name in dict.fromkeys((s.id, *s.aliases))],
        "repository_patterns": [(name, s.id) for s in services for name in s.repositories],
        "monitor_patterns": [(m.id, s.id, m.hold_minutes) for s in services for m in s.monitors],
        "environments": [
            (name, environment)
            for environment, aliases in organisation.settings.environments.items()
            for name in dict.fromkeys((environment.lower(), *(alias.lower() for alias in aliases)))
        ],
        "slos": [(s.service, s.kind, s.target, *span(s.valid_from, s.valid_to)) for s in organisation.slos],
        "datastores": [
            (
                d.id,
                d.service,
                d.data_class or "A",
                d.rpo_hours or _DEFAULT_RPO_HOURS.get(d.data_class or "A"),
                d.rto_minutes,
                d.backup_interval_hours,
                d.restore_plan,
                d.rebuild_rationale is not None,
            )
            for d in organisation.datastores
        ],
        "maintenance_windows": [
            (w.window_id, w.service_id, w.starts_at, w.ends_at, w.registered_at, w.reason, w.approver)
            for w in organisation.maintenance_windows
        ],
        "waivers": [
            (
                w.waiver_id,
                w.team_id,
                w.metric_id,
                w.reason,
                w.compensating_measure,
                w.approver,
                w.valid_from,
                w.valid_to,
            )
            for w in organisation.waivers
        ],
        "applicability": [
            (a.team_id, a.metric_id, a.reason, a.approver, a.valid_from, a.valid_to) for a in organisation.applicability
        ],
        "efforts": [(e.team_id, e.metric_id, e.effort_days) for e in organisation.efforts],
        "goals": [
            (
                *(g.team_id, g.metric_id, g.owner_role, g.decided_on, g.due_on, g.status, g.is_open),
                *(g.acted_on, g.expected_points, g.campaign),
            )
            for g in organisation.goals
        ],
        "oncall_duties": list(_duties(organisation, zone)),
        "team_streams": [(team, stream, day) for (team, stream), day in sorted(_connections(organisation).items())],
    }


def _connections(organisation: Organisation) -> dict[tuple[str, str], date]:
    """First day that any source of a stream is connected for a team."""
    found: dict[tuple[str, str], date] = {}
    for delivery in organisation.deliveries:
        source = delivery.source
        for team in organisation.teams:
            if "*" in source.teams or team.id in source.teams:
                day = max(source.connected_on or team.onboarded_on, team.onboarded_on)
                key = (team.id, delivery.stream)
                found[key] = min(day, found.get(key, day))
    return found


def _duties(organisation: Organisation, zone: ZoneInfo) -> Iterator[tuple[str, str, datetime, datetime]]:
    """A team's own duty, interrupted by the rows of the roster register."""
    for team in organisation.teams:
        start = date(2000, 1, 1)
        rows = sorted((r for r in organisation.rosters if r.team_id == team.id), key=lambda row: row.valid_from)
        for row in rows:
            if start < row.valid_from:
                yield team.id, team.oncall, midnight(start, zone), midnight(row.valid_from, zone)
            start = row.valid_to or FOREVER
            yield team.id, row.coverage, midnight(row.valid_from, zone), midnight(start, zone)
        if start < FOREVER:
            yield team.id, team.oncall, midnight(start, zone), midnight(FOREVER, zone)


def _calendar(organisation: Organisation, today: date) -> pl.DataFrame:
    zone, settings = organisation.zone, organisation.settings
    first = settings.history_from - timedelta(days=CALENDAR_DAYS_BACK)
    last = today + timedelta(days=CALENDAR_DAYS_AHEAD)
    years = range(first.year, last.year + 1)
    public = holidays.country_holidays(settings.holidays, years=years) if settings.holidays else {}
    rows: list[tuple[Any, ...]] = []
    number, day = 0, first
    while day <= last:
        following = day + timedelta(days=1)
        working = day.weekday() < 5 and day not in public and f"{day:%m-%d}" not in settings.closed_days
        number += working
        hours = [datetime.combine(day, clock, zone).astimezone(UTC) for clock in (WORK_STARTS, WORK_ENDS)]
        rows.append((day, midnight(day, zone), midnight(following, zone), working, *hours, number))
        day = following
    schema: dict[str, Any] = {
        "day": pl.Date,
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "is_working_day": pl.Boolean,
        "work_starts_at": INSTANT,
        "work_ends_at": INSTANT,
        "working_day_number": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _instants(organisation: Organisation, today: date) -> Iterator[tuple[datetime, str, datetime, date, str]]:
    """Ends of complete months, tertials and ISO weeks since the history began, and the latest complete day.

    ``series_month`` and ``series_quarter`` are the same instants with windows that do not overlap: a trend needs
    independent points (method 3.11).
    """
    zone, first = organisation.zone, organisation.settings.history_from

    def row(grain: str, start: date, end: date, label: str) -> tuple[datetime, str, datetime, date, str]:
        return midnight(end, zone), grain, midnight(start, zone), end - timedelta(days=1), label

    month = first.replace(day=1)
    while (end := _add_months(month, 1)) <= today:
        yield row("month", month, end, f"{month:%Y-%m}")
        yield row("series_month", month, end, f"{month:%Y-%m}")
        month = end
    quarter = first.replace(month=first.month - (first.month - 1) % 3, day=1)
    while (end := _add_months(quarter, 3)) <= today:
        if quarter >= first.replace(day=1):
            yield row("series_quarter", quarter, end, f"{quarter.year}-Q{quarter.month // 3 + 1}")
        quarter = end
    tertial = date(first.year, 1, 1)
    while (end := _add_months(tertial, 4)) <= today:
        if end > first:
            yield row("tertial", tertial, end, f"{tertial.year}-T{tertial.month // 4 + 1}")
        tertial = end
    week = first - timedelta(days=first.weekday())
    while (end := week + timedelta(days=7)) <= today:
        year, number, _ = week.isocalendar()
        yield row("week", week, end, f"{year}-W{number:02d}")
        week = end
    yesterday = today - timedelta(days=1)
    yield row("latest", yesterday, today, yesterday.isoformat())


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _window_start(grain: str, period_start: date, on: date, days: int) -> date:
    """First day of a window: its full length back, but in a trend series never before the period itself."""
    if days and grain.startswith("series_"):
        return period_start
    return on + timedelta(days=1) - timedelta(days=days)


def _windows(instants: pl.DataFrame, catalogue: Catalogue, zone: ZoneInfo) -> pl.DataFrame:
    lengths = sorted({metric.window_days for metric in catalogue.metrics} | set(DIAGNOSTIC_DAYS))
    rows = [
        (days, as_of, grain, on, midnight(start, zone), start)
        for as_of, grain, period_start, on, _ in instants.iter_rows()
        for days in lengths
        # A quarter is the series of metrics that look back long; the others have their months.
        if grain != "series_quarter" or days > LONG_WINDOW_DAYS
        for start in [_window_start(grain, period_start.astimezone(zone).date(), on, days)]
    ]
    schema: dict[str, Any] = {
        "window_days": pl.Int64,
        "as_of": INSTANT,
        "grain": pl.String,
        "on": pl.Date,
        "starts_at": INSTANT,
        "starts_on": pl.Date,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("window_days", "grain", "as_of")

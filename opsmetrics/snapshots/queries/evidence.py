"""The rows behind a number, and what is measured but never scored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from opsmetrics.language.bilingual import Text
from opsmetrics.snapshots.queries.catalogue import Metric
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.reader import frame, query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.queries.scores import metric_scores
from opsmetrics.snapshots.store import Snapshot

_ITEM_AT = re.compile(r"(cast\(.*? as timestamptz\)|[\w.]+) as item_at")
_OF_DAY = re.compile(r"(?:^|\s)(\d{4}-\d{2}-\d{2})(?:\s|$)")
_ENDS, _STARTS = ("ends_at", "due_at"), ("starts_at", "valid_from_at")
_PERIOD = "period_starts_at"  # so many whole days before an instant: an hour off where the clocks changed between
_MOMENT = timedelta(microseconds=1)  # periods end at midnight, exclusive


@dataclass(frozen=True, slots=True)
class Evidence:
    """One item behind a metric's number; the type of the figures is the metric's own."""

    item_id: str
    item_at: datetime | None
    numerator: float | int | Decimal | None
    denominator: float | int | Decimal | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A number that is measured, but never scored."""

    title: Text
    explanation: Text
    entity_id: str | None
    statistic: str | None
    unit: str
    value: float | None
    low: float | None
    high: float | None
    sample_size: int | None
    not_known: int | None


@dataclass(frozen=True, slots=True)
class OrganisationFact:
    """A share that no single team answers for."""

    title: Text
    numerator: float | None
    denominator: float | None
    value: float | None


def evidence(snapshot: Snapshot, metric: Metric, period: Period, team_id: str) -> Rows[Evidence]:
    """Return the rows behind a metric's numbers: the metric's own SQL, stopped one step earlier.

    Behind a carried value they are those of the week that it comes from.
    """
    score = metric_scores(snapshot, period, team_id=team_id, metric_id=metric.metric_id).first()
    instant = period.instant(team_id=team_id)
    if score is not None and score.measured_at not in {None, period.as_of}:
        instant |= {"as_of": score.measured_at, "grain": "week"}
    return query(
        snapshot,
        Evidence,
        f"select * from ({metric.evidence_sql}) where team_id = $team_id and as_of = $as_of and grain = $grain"
        " order by item_at desc nulls last, item_id",
        instant,
    )


def day_of(metric: Metric, row: Evidence, zone: str) -> date | None:
    """Return the day that a row is of, where it is of a day and not of an instant.

    What a metric's SQL makes of a date is that date; an item of a day has the day in its id; what begins or ends at
    midnight is of its first or last day (``starts_at`` and ``ends_at`` are called so in every table, ADR 28).

    Args:
        metric: Whose evidence it is.
        row: One row of it.
        zone: In which days begin.
    """
    if row.item_at is None:
        return None
    found = _ITEM_AT.search(metric.evidence_sql)
    name = found[1] if found else ""
    local = row.item_at.astimezone(ZoneInfo(zone))
    named = _OF_DAY.search(row.item_id)
    if name.startswith("cast(") and "null" not in name:
        return row.item_at.astimezone(UTC).date()
    if name.endswith(_PERIOD) or (named and named[1] == local.date().isoformat()):
        return local.date()
    return _of_midnight(metric, name, local) if local.time() == time() else None


def _of_midnight(metric: Metric, name: str, local: datetime) -> date | None:
    """The first day of what begins at midnight, the last one of what ends there; None of what happened then."""
    if name.endswith(_ENDS) or ("null" in name and "due_at" in metric.evidence_sql):
        return (local - _MOMENT).date()
    return local.date() if name.endswith(_STARTS) else None


def diagnostics(snapshot: Snapshot, period: Period, team_id: str) -> Rows[Diagnostic]:
    """Return every diagnostic of a team at an instant."""
    return query(
        snapshot,
        Diagnostic,
        f"""select d.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en, u.unit
            from ({_all_tables(snapshot, "diagnostics")}) as d
            join meta.unscored as u using (table_id)
            where d.team_id = $team_id and d.as_of = $as_of and d.grain = $grain
            order by d.table_id, d.entity_id, d.statistic""",
        period.instant(team_id=team_id),
    )


def organisation_facts(snapshot: Snapshot, period: Period) -> Rows[OrganisationFact]:
    """Return the facts that no single team answers for, at an instant."""
    return query(
        snapshot,
        OrganisationFact,
        f"""select o.*, u.title_nb, u.title_en, u.explanation_nb, u.explanation_en
            from ({_all_tables(snapshot, "organisation")}) as o
            join meta.unscored as u using (table_id)
            where o.as_of = $as_of and o.grain = $grain order by o.table_id""",
        period.instant(),
    )


def _all_tables(snapshot: Snapshot, schema: str) -> str:
    """The select that stacks the tables of a schema, which all have the same shape (ADR 0008)."""
    sql = "select table_id from meta.unscored where kind = $kind order by 1"
    names = frame(snapshot, sql, {"kind": schema})["table_id"]
    return " union all by name ".join(f"select '{name}' as table_id, * from {schema}.{name}" for name in names)

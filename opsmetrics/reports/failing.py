"""What fails behind a metric's number, by name: the service, datastore, host, component or alert, the worst first.

Does not belong here: every row behind a number (``opsmetrics.snapshots.queries.evidence``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from opsmetrics.reports.source_links import Item, services, stream_of
from opsmetrics.snapshots.queries import evidence
from opsmetrics.snapshots.queries.catalogue import Metric
from opsmetrics.snapshots.queries.evidence import Evidence
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.scores import entities
from opsmetrics.snapshots.store import Snapshot

FULL_POINTS = 100.0
_NAMELESS = "oncall_shifts"  # nobody knows a shift by a name
# Keys that machines made for machines: nobody knows what they name.
_OPAQUE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+|[0-9a-f]{12,}(/\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failing:
    """One thing that fails.

    Attributes:
        name: As the source names it; of what only has a machine's key, what its row says of it.
        detail: What the row says beside the name; that of the newest where several fail.
        count: How often it fails.
        item_id: Of the newest row, for links into its system.
    """

    name: str
    detail: str
    count: int
    item_id: str


def failing(snapshot: Snapshot, metric: Metric, period: Period, team_id: str) -> list[Failing]:
    """Return what fails, worst first; empty where nothing is measured.

    Of a metric that is scored by entities (SLOs, resources) those below full points; of every other the rows that do
    not meet its requirement, those of one name together.
    """
    if stream_of(metric) == _NAMELESS:
        return []
    if metric.is_entity:
        return [
            Failing(row.entity_id, "", 1, row.entity_id)
            for row in entities(snapshot, period, team_id, metric.metric_id)
            if row.points is not None and row.points < FULL_POINTS
        ]
    rows = [row for row in evidence.evidence(snapshot, metric, period, team_id) if is_failing(metric, row)]
    return _named(rows, services(snapshot, metric, [Item(row.item_id, row.detail or "") for row in rows]))


def is_failing(metric: Metric, row: Evidence) -> bool:
    """Whether a row falls short of what the metric asks of the whole."""
    if row.numerator is None:
        return False
    if not row.denominator:  # of a count, each row that counts
        return row.numerator > 0 and not metric.is_up_good
    value = float(row.numerator) / float(row.denominator)
    return value < metric.requirement if metric.is_up_good else value > metric.requirement


def _named(rows: Sequence[Evidence], service_of: Mapping[str, str]) -> list[Failing]:
    """Rows by name, what loses most first, then the newest; the rows come with the newest first."""
    found: dict[str, Failing] = {}
    lost: dict[str, float] = {}
    for row in rows:
        name, detail = name_of(row, service_of.get(row.item_id))
        known = found.get(name, Failing(name, detail, 0, row.item_id))
        found[name] = replace(known, count=known.count + 1)
        lost[name] = lost.get(name, 0.0) + abs(float(row.denominator or 0) - float(row.numerator or 0))
    return sorted(found.values(), key=lambda each: -lost[each.name])


def name_of(row: Evidence, service: str | None) -> tuple[str, str]:
    """Return what people call a row, and what it says beside.

    A machine's key gives way to the service and what the row says first: ``api: queue-growth``.
    """
    detail = row.detail or ""
    if not _OPAQUE.fullmatch(row.item_id):
        return row.item_id, detail
    said, _, rest = detail.partition(": ")
    return ": ".join(part for part in (service, said) if part) or row.item_id, rest

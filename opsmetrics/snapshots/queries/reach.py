"""What is measured of whom today, and what the rest lacks: streams and columns that no source gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from opsmetrics.scoring.reach import ReachCell
from opsmetrics.scoring.status import DROPPED
from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.store import Snapshot

_LACKING = ("not_connected", "not_told")


@dataclass(frozen=True, slots=True)
class _Row:
    team_id: str
    metric_id: str
    area_id: str
    weight: float
    area_weight: float
    status: str
    reason: str | None


def reach_cells(snapshot: Snapshot) -> list[ReachCell]:
    """Return every metric of every team that applies at the latest day."""
    return [
        ReachCell(row.team_id, row.metric_id, row.area_id, row.weight, row.area_weight, _lacks(row))
        for row in _applying(snapshot)
    ]


def is_anything_reached(snapshot: Snapshot) -> bool:
    """Whether a source gives what at least one metric of one team needs; the first that does is enough to know."""
    return any(not _lacks(row) for row in _applying(snapshot))


def _applying(snapshot: Snapshot) -> Iterator[_Row]:
    rows = query(
        snapshot,
        _Row,
        """select s.team_id, s.metric_id, m.area_id, s.weight, a.weight as area_weight, s.status, s.reason
           from scores.metric as s
           join meta.metrics as m using (metric_id)
           join meta.areas as a using (area_id)
           where s.grain = 'latest' and s.weight > 0 order by all""",
    )
    return (row for row in rows if row.status not in DROPPED)


@dataclass(frozen=True, slots=True)
class _RestsOn:
    metric_id: str
    rests_on: list[str]


def rests_on(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return metric -> optional columns on which it rests, as ``stream.column``."""
    rows = query(snapshot, _RestsOn, "select metric_id, rests_on from meta.metrics order by metric_id")
    return {row.metric_id: row.rests_on for row in rows}


def _lacks(row: _Row) -> frozenset[str]:
    """What a reason names: ``not_connected:alerts,incidents``, ``not_told:incidents.first_alert_at``."""
    kind, _, names = (row.reason or "").partition(":")
    # Of a metric that is stale for what its source cannot tell, fresher rows would tell no more.
    is_unmeasured = row.status.startswith("not_measured") or (row.status, kind) == ("stale", "not_told")
    return frozenset(names.split(",")) if is_unmeasured and kind in _LACKING and names else frozenset()

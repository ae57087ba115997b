"""Whether practice goes with outcomes: the scorecard held to account (method 3.19)."""

from __future__ import annotations

from dataclasses import dataclass

from opsmetrics.snapshots.queries.reader import query
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class PracticeLink:
    """How one practice (``area_id`` empty: the team score) goes with one outcome, between teams or within them."""

    outcome: str
    area_id: str
    kind: str
    team_count: int
    quarter_count: int
    left_out_count: int
    correlation: float | None
    low: float | None
    high: float | None
    verdict: str
    left_out: list[str]


def links(snapshot: Snapshot) -> Rows[PracticeLink]:
    """Return every comparison, by outcome: first the team score, then the areas in their order."""
    return query(
        snapshot,
        PracticeLink,
        """select v.* replace (coalesce(v.area_id, '') as area_id)
           from scores.validity as v
           left join (select area_id, row_number() over () as position from meta.areas) as a on a.area_id = v.area_id
           order by v.outcome, a.position nulls first, v.kind""",
    )

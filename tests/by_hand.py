"""The team score by the method's words (3.4, 3.5), in a loop of its own: what tests hold joint gains against."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from opsmetrics.snapshots.store import open_current

Lifts = Mapping[tuple[str, str], float]


def gains_by_hand(home: Path, label: str, lifts: Lifts) -> tuple[dict[str, float], int]:
    """Return what lifting metrics (team, metric) to some points gives each team, and how many teams have a score.

    Args:
        home: State folder.
        label: The period: a month, or the newest day where it is ``latest``.
        lifts: Points that are reached; who has more keeps them.
    """
    with open_current(home / "snapshots") as con:
        ((share,),) = con.execute("select weakest_share from meta.known").fetchall()
        when = "w.grain = 'latest'" if label == "latest" else f"w.grain = 'month' and w.label = '{label}'"
        rows = con.execute(
            f"""select s.team_id, m.area_id, p.weight, a.score, s.metric_id, s.points, s.weight * s.evidence_weight
                from scores.metric as s join ref.as_of as w using (as_of, grain)
                join meta.metrics as m using (metric_id) join meta.areas as p using (area_id)
                join scores.area as a on a.team_id = s.team_id and a.area_id = m.area_id and a.as_of = s.as_of
                    and a.grain = s.grain
                where {when} and s.points is not null and a.status = 'ok' and s.weight * s.evidence_weight > 0"""
        ).fetchall()
        ((scored,),) = con.execute(
            f"select count(s.score) from scores.team as s join ref.as_of as w using (as_of, grain) where {when}"
        ).fetchall()
    found: dict[str, float] = {}
    for team in {team for team, _ in lifts} & {row[0] for row in rows}:
        before, after, weights = {}, {}, {}
        for area in {row[1] for row in rows if row[0] == team}:
            mine = [row for row in rows if row[:2] == (team, area)]
            total = sum(row[6] for row in mine)
            lifted = sum(row[6] * max(row[5], lifts.get((team, row[4]), 0)) for row in mine) / total
            kept = sum(row[6] * row[5] for row in mine) / total
            before[area], after[area], weights[area] = mine[0][3], mine[0][3] + lifted - kept, mine[0][2]

        def score(areas: dict[str, float], weights: dict[str, float] = weights) -> float:
            mean = sum(weights[area] * areas[area] for area in areas) / sum(weights.values())
            return (1 - share) * mean + share * min(areas.values())

        found[team] = score(after) - score(before)
    return found, scored

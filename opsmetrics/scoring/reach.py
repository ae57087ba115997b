"""What would be measured if something more was connected: coverage gained, step by step.

Pure: cells in, steps out. Belongs here: which streams give which metrics, and in which order. Does not belong here:
where cells come from, and how a stream is connected (``opsmetrics.reports.next_sources``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReachCell:
    """One metric that applies to one team.

    Attributes:
        team_id: Team.
        metric_id: Metric.
        area_id: Its area.
        weight: Of the metric in its area.
        area_weight: Of the area in the team score.
        lacks: Streams that nobody delivers, and columns (``stream.column``) that no source tells; none where measured.
    """

    team_id: str
    metric_id: str
    area_id: str
    weight: float
    area_weight: float
    lacks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """What to connect next.

    Attributes:
        lacks: Streams and columns that are connected together: one alone would measure nothing.
        metrics: Metrics that are measured then.
        areas: Their areas.
        gain: Coverage gained, 0..1, mean over all teams, at most: with every day delivered.
        teams: Team -> coverage gained, of those that gain.
        helped: Metrics that need it and something else besides.
    """

    lacks: tuple[str, ...]
    metrics: tuple[str, ...]
    areas: tuple[str, ...]
    gain: float
    teams: dict[str, float]
    helped: tuple[str, ...]


def shares(cells: Iterable[ReachCell]) -> dict[tuple[str, str], float]:
    """Return how much of a team's coverage each of its metrics is, as areas and teams add up (method 3.4 and 3.5)."""
    found = list(cells)
    in_area: dict[tuple[str, str], float] = {}
    areas: dict[str, dict[str, float]] = {}
    for cell in found:
        place = (cell.team_id, cell.area_id)
        in_area[place] = in_area.get(place, 0.0) + cell.weight
        areas.setdefault(cell.team_id, {})[cell.area_id] = cell.area_weight
    return {
        (c.team_id, c.metric_id): c.weight
        / in_area[c.team_id, c.area_id]
        * c.area_weight
        / sum(areas[c.team_id].values())
        for c in found
    }


def steps(cells: Iterable[ReachCell]) -> list[Step]:
    """Return what to connect, the largest gain for each stream first; each step counts on those before it.

    Args:
        cells: Every metric of every team that applies, measured or not.
    """
    everything = sorted(cells, key=lambda cell: (cell.team_id, cell.metric_id))
    share, count = shares(everything), len({cell.team_id for cell in everything})
    groups: Groups = {}
    for cell in everything:
        if cell.lacks:
            groups.setdefault(cell.lacks, []).append(cell)
    found: list[Step] = []
    while groups:
        # Of 500 teams there are as few sets of lacking things as of one.
        sums = {lacks: sum(share[c.team_id, c.metric_id] for c in group) for lacks, group in groups.items()}
        best = max(sorted(groups, key=sorted), key=lambda lacks: _gain(sums, lacks) / len(lacks))
        found.append(_step(groups, share, best, count))
        left: Groups = {}
        for lacks, group in groups.items():
            if not lacks <= best:
                left.setdefault(lacks - best, []).extend(group)
        groups = left
    return found


Groups = dict[frozenset[str], list[ReachCell]]


def _gain(sums: dict[frozenset[str], float], best: frozenset[str]) -> float:
    return sum(amount for lacks, amount in sums.items() if lacks <= best)


def _step(groups: Groups, share: dict[tuple[str, str], float], best: frozenset[str], count: int) -> Step:
    given = [cell for lacks, group in groups.items() if lacks <= best for cell in group]
    teams: dict[str, float] = {}
    for cell in given:
        teams[cell.team_id] = teams.get(cell.team_id, 0.0) + share[cell.team_id, cell.metric_id]
    rest = (group for lacks, group in groups.items() if lacks & best and not lacks <= best)
    helped = {cell.metric_id for group in rest for cell in group}
    metrics = {cell.metric_id for cell in given}
    return Step(
        tuple(sorted(best)),
        tuple(sorted(metrics)),
        tuple(sorted({cell.area_id for cell in given})),
        sum(teams.values()) / count,
        teams,
        tuple(sorted(helped - metrics)),
    )

"""The team score as a function of its metrics' points (method 3.4, 3.5), with weights and evidence held.

What several points together would give is asked of this, never added up: when the weakest area rises, another one
becomes the weakest. Does not belong here: how the points of today come about (``cells``, ``aggregate``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.intervals import Floats

KEY = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class TeamFormula:
    """One team at one instant.

    Attributes:
        metrics: Ids of the metrics that have points in a published area.
        areas: Ids of the published areas.
        place: For each metric the position of its area.
        within: For each metric its share of the effective weight of its area; sums to 1 in an area.
        points: Points of each metric, 0..100.
        base: Score of each area.
        weight: Share of each area in the mean; sums to 1.
        weakest_share: Lambda.
    """

    metrics: tuple[str, ...]
    areas: tuple[str, ...]
    place: npt.NDArray[np.int64]
    within: Floats
    points: Floats
    base: Floats
    weight: Floats
    weakest_share: float

    def area_scores(self, points: Floats) -> Floats:
        """Return area scores, shape (..., areas), for points of shape (..., metrics)."""
        spread = np.zeros((len(self.metrics), len(self.areas)))
        spread[np.arange(len(self.metrics)), self.place] = self.within
        return self.base + (points - self.points) @ spread

    def score(self, points: Floats) -> Floats:
        """Return team scores, shape (...), for points of shape (..., metrics)."""
        areas = self.area_scores(points)
        return (1 - self.weakest_share) * (areas @ self.weight) + self.weakest_share * areas.min(axis=-1)

    def gain(self, lifted: Mapping[str, float]) -> float:
        """Return what lifting some metrics together would give, in points of the team score.

        Args:
            lifted: Metric to the points that it is lifted to; one that has more is not lowered, and one without
                points in a published area gives nothing.
        """
        wanted = np.array([lifted.get(metric, 0.0) for metric in self.metrics])
        return float(self.score(np.maximum(self.points, wanted)) - self.score(self.points))


def formulas(parts: pl.DataFrame, weakest_share: float) -> Iterator[tuple[KEY, TeamFormula]]:
    """Yield ``(team_id, as_of, grain)`` and the formula of each team.

    Args:
        parts: ``team_id, as_of, grain, area_id, metric_id, points, effective`` (weight times evidence weight),
            ``score`` and ``area_weight`` of the metrics with points in published areas.
        weakest_share: Lambda of the ruleset.
    """
    for key, mine in parts.sort([*AREA, "metric_id"]).partition_by(TEAM, as_dict=True, maintain_order=True).items():
        areas = mine.select("area_id", "score", "area_weight").unique(maintain_order=True)
        ids = areas["area_id"].cast(pl.String).to_list()
        place = np.array([ids.index(area) for area in mine["area_id"].cast(pl.String)], dtype=np.int64)
        effective = mine["effective"].to_numpy().astype(np.float64)
        weight = areas["area_weight"].to_numpy().astype(np.float64)
        yield (
            key,
            TeamFormula(
                tuple(mine["metric_id"].cast(pl.String)),
                tuple(ids),
                place,
                effective / np.bincount(place, effective)[place],
                mine["points"].to_numpy().astype(np.float64),
                areas["score"].to_numpy().astype(np.float64),
                weight / weight.sum(),
                weakest_share,
            ),
        )

"""Practice of a quarter beside outcomes of the next: what ``scores.validity`` compares (method 3.19, ADR 0037).

The practice score is the published one without the metrics that rest on the outcome's own stream: a score that is made
of down minutes would foretell down minutes whatever it is worth. Months make the quarter, because their windows do not
reach back behind it: what is compared shares no day.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.aggregate import AREA, area_scores, team_scores
from opsmetrics.scoring.cells import area_weights

MONTHS = 3
DELIVERED = 0.90  # of the quarter; with less than this, what did not happen is not known


@dataclass(frozen=True, slots=True)
class Outcome:
    """What practice is for.

    Attributes:
        id: As ``facts.outcome_quarters`` names it.
        stream: The stream that tells it; metrics that rest on the same stream do not count as practice.
    """

    id: str
    stream: str


OUTCOMES = (
    Outcome("down_minutes", "availability_checks"),
    Outcome("major_incidents", "incidents"),
    Outcome("overdue_vulnerabilities", "vulnerabilities"),
)


def own_metrics(catalogue: Catalogue, outcome: Outcome) -> list[str]:
    """Return the metrics that rest on an outcome's own stream, by the headers of their SQL; sorted."""
    return sorted(
        metric.id
        for metric in catalogue.metrics
        if outcome.stream in metric.header.needs
        or any(
            name.partition(".")[0] == outcome.stream for name in (*metric.header.rests_on, *metric.header.better_with)
        )
    )


def pairs(catalogue: Catalogue, cells: pl.DataFrame, months: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return every quarter of practice with the outcome of the next.

    Args:
        catalogue: For the rules, the areas and what each metric rests on.
        cells: ``scores.metric`` of the grain ``series_month``.
        months: ``as_of, quarter``: the end of each month and of the quarter it belongs to.
        outcomes: ``facts.outcome_quarters`` with ``quarter``, the end of the quarter before.

    Returns:
        ``outcome, area_id`` (null: the team score), ``team_id, quarter, score`` and ``value``; the last two are null
        where they are not known. An area that is none of a team's, and a quarter without services, has no row.
    """
    parts = [_pairs(catalogue, outcome, cells, months, outcomes) for outcome in OUTCOMES]
    return pl.concat(parts).sort("outcome", "area_id", "team_id", "quarter")


def _pairs(
    catalogue: Catalogue, outcome: Outcome, cells: pl.DataFrame, months: pl.DataFrame, outcomes: pl.DataFrame
) -> pl.DataFrame:
    own = own_metrics(catalogue, outcome)
    practice = _practice(catalogue, cells.filter(~pl.col("metric_id").is_in(own)), months)
    known = pl.when(pl.col("delivered") >= DELIVERED).then("value")
    after = outcomes.filter((pl.col("outcome") == outcome.id) & (pl.col("exposure") > 0))
    return practice.join(after.select("team_id", "quarter", value=known), on=["team_id", "quarter"]).select(
        outcome=pl.lit(outcome.id),
        area_id="area_id",
        team_id="team_id",
        quarter="quarter",
        score="score",
        value="value",
    )


def _practice(catalogue: Catalogue, cells: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Scores of quarters: the mean of the three months, null unless each of them has one."""
    weights = area_weights(catalogue).with_columns(pl.col("area_id").cast(pl.String))
    area_of = pl.DataFrame(
        [(metric.id, metric.area_id) for metric in catalogue.metrics],
        schema={"metric_id": pl.String, "area_id": pl.String},
        orient="row",
    )
    areas = area_scores(cells.join(area_of, on="metric_id"), catalogue.ruleset).join(weights, on="area_id")
    teams = team_scores(areas, catalogue.ruleset).with_columns(area_id=pl.lit(None, pl.String))
    both = pl.concat([frame.select(*AREA, "score", "status") for frame in (areas, teams)])
    there = pl.col("score").is_not_null().sum() == MONTHS
    return (
        both.filter(pl.col("status") != "not_applicable")
        .join(months, on="as_of")
        .sort("team_id", "area_id", "as_of")
        .group_by("team_id", "area_id", "quarter", maintain_order=True)
        .agg(score=pl.when(there).then(pl.col("score").mean()))
    )

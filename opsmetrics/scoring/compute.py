"""Put the parts together: values of all metrics in, the ``scores`` tables out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from opsmetrics.catalogue import Catalogue, Ruleset
from opsmetrics.scoring.aggregate import TEAM, area_levels, area_scores, team_levels, team_scores
from opsmetrics.scoring.columns import COLUMNS
from opsmetrics.scoring.gaps import gaps
from opsmetrics.scoring.points import entity_points, evidence_weight, points
from opsmetrics.scoring.status import CELL, apply_waivers, assign_status, carry_last_value

INSTANT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """Everything that decides scores.

    Attributes:
        values: ``team_id, metric_id, as_of, grain, entity_id, entity_weight, numerator, denominator, value,
            sample_size, completeness``; entity columns are null for metrics that are not scored per entity.
        windows: ``metric_id, as_of, grain, on, completeness``: every instant at which a metric is evaluated; ``on``
            is the last local day of the period.
        teams: ``team_id, type, onboarded_on``.
        connections: ``team_id, stream, connected_on``: who delivers to which stream since when.
        waivers: ``waiver_id, team_id, metric_id, valid_from, valid_to``.
        applicability: ``team_id, metric_id, valid_from, valid_to``.
        gates: ``gate_id, team_id, as_of, grain, area_id, cap, finding_count`` of tripped gates.
    """

    values: pl.DataFrame
    windows: pl.DataFrame
    teams: pl.DataFrame
    connections: pl.DataFrame
    waivers: pl.DataFrame
    applicability: pl.DataFrame
    gates: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Scores:
    """The ``scores`` tables; columns as the data dictionary lists them."""

    metric: pl.DataFrame
    entity: pl.DataFrame
    area: pl.DataFrame
    team: pl.DataFrame
    gap: pl.DataFrame


def compute_scores(catalogue: Catalogue, inputs: ScoreInputs) -> Scores:
    """Compute every score for every team, metric and instant."""
    parameters = _parameters(catalogue)
    entity = _entities(inputs.values, parameters, catalogue.ruleset)
    grid = _grid(parameters, inputs).join(_team_values(inputs.values, entity), on=CELL, how="left")
    grid = _with_points(grid)
    plain = carry_last_value(assign_status(grid, catalogue.ruleset), catalogue.ruleset)
    cells = apply_waivers(plain, inputs.waivers, catalogue.ruleset)
    weights = pl.DataFrame(
        {"area_id": [a.id for a in catalogue.areas], "area_weight": [a.weight for a in catalogue.areas]},
        schema={"area_id": pl.String, "area_weight": pl.Float64},
    )
    areas = area_scores(cells, catalogue.ruleset).join(weights, on="area_id")
    unwaived = area_scores(plain, catalogue.ruleset).join(weights, on="area_id")
    areas = area_levels(areas, inputs.gates, catalogue.ruleset)
    teams = team_levels(team_scores(areas, catalogue.ruleset), areas, catalogue.ruleset)
    teams = _beside(teams, team_scores(unwaived, catalogue.ruleset), TEAM)
    gap = gaps(cells, areas, catalogue.ruleset)
    areas = _beside(areas, unwaived, [*TEAM, "area_id"])
    return Scores(
        metric=_table("metric", cells),
        entity=_table("entity", entity),
        area=_table("area", areas),
        team=_table("team", teams),
        gap=_table("gap", gap),
    )


def _parameters(catalogue: Catalogue) -> pl.DataFrame:
    rows = [
        {
            "metric_id": metric.id,
            "area_id": metric.area_id,
            "floor": metric.header.floor,
            "krav": metric.header.krav,
            "mal": metric.header.mal,
            "weight": metric.header.weight if metric.header.lifecycle == "stable" else 0.0,
            "n_full": metric.header.n_full,
            "is_entity": metric.header.entity,
            "applies_to": metric.header.applies_to,
            "when_empty": metric.header.when_empty,
            "unit": metric.header.unit,
            "needs": metric.header.needs,
            "started_on": metric.header.started_on,
            "metric_version": metric.header.version,
        }
        for metric in catalogue.metrics
    ]
    schema = {
        "metric_id": pl.String,
        "area_id": pl.String,
        "floor": pl.Float64,
        "krav": pl.Float64,
        "mal": pl.Float64,
        "weight": pl.Float64,
        "n_full": pl.Int64,
        "is_entity": pl.Boolean,
        "applies_to": pl.String,
        "when_empty": pl.String,
        "unit": pl.String,
        "needs": pl.List(pl.String),
        "started_on": pl.Date,
        "metric_version": pl.Int64,
    }
    return pl.DataFrame(rows, schema=schema)


def _entities(values: pl.DataFrame, parameters: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Score each entity by itself.

    Points are null where the source delivered too little to tell, and 0 where there is no value to earn any with
    (a service without SLO).
    """
    known = pl.col("completeness") >= ruleset.stale_below
    scored = points(*(pl.col(name) for name in ("value", "floor", "krav", "mal"))).fill_null(0.0)
    anchors = parameters.filter("is_entity").select("metric_id", "floor", "krav", "mal")
    return values.join(anchors, on="metric_id").with_columns(points=pl.when(known).then(scored))


def _team_values(values: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    """One row per cell; entity metrics pool numerator and denominator and average entities' points."""
    plain = values.filter(pl.col("entity_id").is_null()).select(
        *CELL,
        "numerator",
        "denominator",
        "value",
        "sample_size",
        "completeness",
        entity_points=pl.lit(None, pl.Float64),
    )
    measured = values.filter(pl.col("entity_id").is_not_null()).join(
        entity.select(*CELL, "entity_id", "points"), on=[*CELL, "entity_id"], how="left"
    )
    weight = pl.col("entity_weight")
    pooled = (
        measured.sort([*CELL, "entity_id"])
        .group_by(CELL, maintain_order=True)
        .agg(
            pl.col("numerator").sum(),
            pl.col("denominator").sum(),
            value=pl.when(pl.col("denominator").sum() > 0).then(
                pl.col("numerator").sum() / pl.col("denominator").sum()
            ),
            sample_size=pl.col("sample_size").sum(),
            completeness=(weight * pl.col("completeness")).sum() / weight.sum(),
            entity_points=entity_points(weight, pl.col("points")),
        )
    )
    return pl.concat([plain, pooled], how="vertical_relaxed")


def _grid(parameters: pl.DataFrame, inputs: ScoreInputs) -> pl.DataFrame:
    """Every team, metric and instant since the team was onboarded, with who applies and who is connected."""
    windows = inputs.windows.rename({"completeness": "window_completeness"})
    grid = (
        inputs.teams.join(parameters, how="cross")
        .join(windows, on="metric_id")
        .filter(pl.col("on") >= pl.col("onboarded_on"))
    )
    exempt = (
        grid.select(*CELL, "on")
        .join(inputs.applicability, on=["team_id", "metric_id"])
        .filter(pl.col("valid_from") <= pl.col("on"), pl.col("on") < pl.col("valid_to"))
        .select(CELL)
        .unique()
        .with_columns(exempt=pl.lit(value=True))
    )
    other_type = (pl.col("applies_to") != "both") & (pl.col("applies_to") != pl.col("type"))
    is_exempt = pl.col("exempt").fill_null(value=False)
    return (
        grid.join(_connected(parameters, inputs), on=["team_id", "metric_id"], how="left")
        .join(exempt, on=CELL, how="left")
        .with_columns(
            applies=~(is_exempt | other_type),
            applies_reason=pl.when(other_type).then(pl.lit("other_team_type")).when(is_exempt).then(pl.lit("register")),
            grace_from=pl.max_horizontal("onboarded_on", "started_on"),
        )
        .drop("exempt")
    )


def _connected(parameters: pl.DataFrame, inputs: ScoreInputs) -> pl.DataFrame:
    """Per team and metric: the day its last needed stream was connected, and the streams that are missing."""
    needs = parameters.select("metric_id", stream=pl.col("needs")).explode("stream")
    return (
        inputs.teams.select("team_id")
        .join(needs, how="cross")
        .join(inputs.connections, on=["team_id", "stream"], how="left")
        .sort("stream")
        .group_by("team_id", "metric_id", maintain_order=True)
        .agg(
            connected_on=pl.col("connected_on").max(),
            missing=pl.col("stream").filter(pl.col("connected_on").is_null()).str.join(","),
        )
        .with_columns(missing_streams=pl.when(pl.col("missing") != "").then(pl.col("missing")))
        .drop("missing")
    )


def _with_points(grid: pl.DataFrame) -> pl.DataFrame:
    scored = points(*(pl.col(name) for name in ("value", "floor", "krav", "mal")))
    return (
        grid.with_columns(completeness=pl.coalesce("completeness", "window_completeness").fill_null(0.0))
        .with_columns(
            points=pl.when("is_entity").then(pl.col("entity_points")).otherwise(scored),
            evidence_weight=evidence_weight(
                pl.col("sample_size").fill_null(0), pl.col("n_full"), pl.col("completeness")
            ),
        )
        .drop("entity_points", "window_completeness")
    )


def _beside(frame: pl.DataFrame, unwaived: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return frame.join(unwaived.select(*by, score_without_waivers="score"), on=by, how="left")


def _table(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The promised columns in their order, rows sorted by what identifies them."""
    columns = list(COLUMNS[name][1])
    ids = [column for column in columns if column.endswith("_id")]
    return frame.select(columns).sort(*ids, "grain", "as_of")

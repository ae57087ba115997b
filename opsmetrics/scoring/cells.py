"""Cells: points, evidence weight and status of every team, metric and instant (method 3.1 to 3.3, 3.7)."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from opsmetrics.catalogue import Catalogue, MetricHeader, Ruleset
from opsmetrics.scoring.bounds import with_point_bounds
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.intervals import effective_size
from opsmetrics.scoring.points import entity_points, evidence_weight, points
from opsmetrics.scoring.status import CELL, apply_waivers, assign_status, carry_last_value

EFFORT_DAYS = {"S": 2.0, "M": 5.0, "L": 15.0}  # method 3.12
# Columns that decided the status and are needed no more.
_SPENT = (
    *("type", "onboarded_on", "missing_streams", "connected_on", "grace_from", "applies", "applies_reason", "needs"),
    *("when_empty", "started_on", "default_days", "applies_to", "window_completeness", "untold", "weaker"),
    *("least_stream", "told_share"),
)


@dataclass(frozen=True, slots=True)
class Cells:
    """Scored cells with waivers applied, without them, and the entities behind them."""

    waived: pl.DataFrame
    plain: pl.DataFrame
    entity: pl.DataFrame

    def at(self, instants: pl.DataFrame) -> Cells:
        """Return the cells of some instants (``as_of, grain``)."""
        kept = instants.with_columns(pl.col("grain").cast(self.plain.schema["grain"]))
        parts = (
            frame.join(kept, on=["as_of", "grain"], how="semi") for frame in (self.waived, self.plain, self.entity)
        )
        return Cells(*parts)


def score_cells(catalogue: Catalogue, inputs: ScoreInputs) -> Cells:
    """Points, evidence and status of every team, metric and instant."""
    parameters = _parameters(catalogue)
    entity = _entities(inputs.values, parameters, catalogue.ruleset)
    grid = _grid(parameters, inputs).join(_team_values(inputs.values, entity), on=CELL, how="left")
    pointed = _with_points(grid, catalogue.ruleset)
    plain = carry_last_value(assign_status(pointed, catalogue.ruleset), catalogue.ruleset).drop(_SPENT)
    return Cells(apply_waivers(plain, inputs.waivers, catalogue.ruleset), plain, entity)


def area_weights(catalogue: Catalogue) -> pl.DataFrame:
    """Return ``area_id, area_weight``."""
    return pl.DataFrame(
        {"area_id": [a.id for a in catalogue.areas], "area_weight": [a.weight for a in catalogue.areas]},
        schema={"area_id": pl.Enum(sorted(a.id for a in catalogue.areas)), "area_weight": pl.Float64},
    )


def series_parameters(catalogue: Catalogue) -> pl.DataFrame:
    """Return ``metric_id, area_id, n_full, window_days``: what the series of a metric rest on."""
    return _parameters(catalogue).select(pl.col("metric_id", "area_id").cast(pl.String), "n_full", "window_days")


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
            "window_days": metric.window_days,
            "interval": metric.header.interval if metric.header.kind == "sample" else None,
            "chance": _chance(metric.header),
            "default_days": EFFORT_DAYS[metric.header.effort],
        }
        for metric in catalogue.metrics
    ]
    schema = {
        "metric_id": pl.Enum(sorted(metric.id for metric in catalogue.metrics)),
        "area_id": pl.Enum(sorted(area.id for area in catalogue.areas)),
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
        "window_days": pl.Int64,
        "interval": pl.String,
        "chance": pl.String,
        "default_days": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def _chance(header: MetricHeader) -> str:
    """How luck enters a metric (method 3.10): by its items, by its standard error, or by the points of its entities."""
    if header.kind == "sample" and header.interval == "normal":
        return "normal"
    return "points" if header.entity or header.unit != "share" else "share"


def _units() -> pl.Expr:
    """Items of equal say behind a value; of entity metrics the entities."""
    effective = effective_size(pl.col("value"), pl.col("standard_error"), pl.col("units"))
    return pl.when(pl.col("interval") == "survival").then(effective).otherwise("units")


def _entities(values: pl.DataFrame, parameters: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    """Score each entity by itself.

    Points are null where the source delivered too little to tell, and 0 where there is no value to earn any with
    (a service without SLO).
    """
    known = pl.col("completeness") >= ruleset.stale_below
    scored = points(*(pl.col(name) for name in ("value", "floor", "krav", "mal"))).fill_null(0.0)
    anchors = parameters.filter("is_entity").select(
        "metric_id", "floor", "krav", "mal", "unit", "n_full", "window_days"
    )
    pointed = values.join(anchors, on="metric_id").with_columns(
        points=pl.when(known).then(scored), window_completeness="completeness"
    )
    return with_point_bounds(pointed).with_columns(
        points_low=pl.when(known).then("points_low").otherwise(0.0),
        points_high=pl.when(known).then("points_high").otherwise(100.0),
    )


def _team_values(values: pl.DataFrame, entity: pl.DataFrame) -> pl.DataFrame:
    """One row per cell; entity metrics pool numerator and denominator and average entities' points."""
    plain = values.filter(pl.col("entity_id").is_null()).select(
        *CELL,
        "numerator",
        "denominator",
        "value",
        "sample_size",
        "completeness",
        "standard_error",
        "worst_value",
        units=pl.col("sample_size").cast(pl.Float64),
        entity_points=pl.lit(None, pl.Float64),
        entity_low=pl.lit(None, pl.Float64),
        entity_high=pl.lit(None, pl.Float64),
    )
    measured = values.filter(pl.col("entity_id").is_not_null()).join(
        entity.select(*CELL, "entity_id", "points", "points_low", "points_high"), on=[*CELL, "entity_id"], how="left"
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
            standard_error=pl.lit(None, pl.Float64),
            worst_value=pl.lit(None, pl.Float64),
            units=pl.len().cast(pl.Float64),
            entity_points=entity_points(weight, pl.col("points")),
            entity_low=entity_points(weight, pl.col("points_low")),
            entity_high=entity_points(weight, pl.col("points_high")),
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
    by_register = pl.col("reason") == "register"
    exempt = (
        grid.select(*CELL, "on")
        .join(inputs.applicability, on=["team_id", "metric_id"])
        .filter(pl.col("valid_from") <= pl.col("on"), pl.col("on") < pl.col("valid_to"))
        .group_by(CELL)
        .agg(exempt=pl.when(by_register.any()).then(pl.lit("register")).otherwise(pl.col("reason").first()))
    )
    other_type = (pl.col("applies_to") != "both") & (pl.col("applies_to") != pl.col("type"))
    is_exempt = pl.col("exempt").is_not_null()
    return (
        grid.join(_connected(parameters, inputs), on=["team_id", "metric_id"], how="left")
        .join(inputs.efforts, on=["team_id", "metric_id"], how="left")
        .join(inputs.weaker, on=CELL, how="left")
        .join(inputs.late, on=CELL, how="left")
        .join(exempt, on=CELL, how="left")
        .with_columns(
            told_share=pl.col("told_share").fill_null(1.0),
            least_stream=pl.when(pl.col("told_share") < pl.col("window_completeness"))
            .then("late_stream")
            .otherwise("least_stream"),
            applies=~(is_exempt | other_type),
            applies_reason=pl.when(other_type).then(pl.lit("other_team_type")).otherwise("exempt"),
            grace_from=pl.max_horizontal("onboarded_on", "started_on"),
            effort_days=pl.coalesce("effort_days", "default_days"),
        )
        .drop("exempt", "late_stream")
        .with_columns(pl.col("window_completeness") * pl.col("told_share"))
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


def _with_points(grid: pl.DataFrame, ruleset: Ruleset) -> pl.DataFrame:
    scored = points(*(pl.col(name) for name in ("value", "floor", "krav", "mal")))
    pointed = grid.with_columns(
        completeness=pl.coalesce(pl.col("completeness") * pl.col("told_share"), "window_completeness").fill_null(0.0)
    ).with_columns(
        points=pl.when("is_entity").then(pl.col("entity_points")).otherwise(scored),
        evidence_weight=evidence_weight(
            pl.col("sample_size").fill_null(0), pl.col("n_full"), ruleset.evidence_at_least
        ),
        units=_units(),
    )
    return (
        with_point_bounds(pointed)
        .with_columns(
            points_low=pl.when("is_entity").then(pl.col("entity_low")).otherwise("points_low"),
            points_high=pl.when("is_entity").then(pl.col("entity_high")).otherwise("points_high"),
        )
        # A metric that does with less measures less than the obligation: what it cannot see may be anything.
        .with_columns(
            points_low=pl.when(pl.col("weaker").is_null()).then("points_low").otherwise(0.0),
            points_high=pl.when(pl.col("weaker").is_null()).then("points_high").otherwise(100.0),
        )
        .drop("entity_points", "entity_low", "entity_high", "worst_value")
    )

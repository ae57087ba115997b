"""Put the parts together: values of all metrics in, the ``scores`` tables out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import polars as pl

from opsmetrics.catalogue import Catalogue, Ruleset
from opsmetrics.scoring.aggregate import AREA, TEAM, area_levels, area_scores, team_levels, team_scores
from opsmetrics.scoring.change import State, waterfall
from opsmetrics.scoring.columns import COLUMNS
from opsmetrics.scoring.draws import score_intervals
from opsmetrics.scoring.gaps import gaps
from opsmetrics.scoring.intervals import log_log, normal, wilson
from opsmetrics.scoring.peers import peer_table
from opsmetrics.scoring.points import entity_points, evidence_weight, points
from opsmetrics.scoring.robustness import robustness_table
from opsmetrics.scoring.series import QUARTERLY, chart_table, trend_table
from opsmetrics.scoring.status import CELL, apply_waivers, assign_status, carry_last_value

INSTANT = pl.Datetime("us", "UTC")
EFFORT_DAYS = {"S": 2.0, "M": 5.0, "L": 15.0}  # method 3.12
# Method 3.8: coverage at least, width of the 90 % interval at most.
_CONFIDENCE = (("high", 0.80, 10.0), ("medium", 0.60, 25.0))


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """Everything that decides scores.

    Attributes:
        values: ``team_id, metric_id, as_of, grain, entity_id, entity_weight, numerator, denominator, value,
            sample_size, completeness, standard_error``; entity columns are null for metrics that are not scored
            per entity, the standard error where the items tell it.
        windows: ``metric_id, as_of, grain, on, completeness``: every instant at which a metric is evaluated; ``on``
            is the last local day of the period.
        teams: ``team_id, type, onboarded_on``.
        connections: ``team_id, stream, connected_on``: who delivers to which stream since when.
        waivers: ``waiver_id, team_id, metric_id, valid_from, valid_to``.
        applicability: ``team_id, metric_id, valid_from, valid_to``.
        efforts: ``team_id, metric_id, effort_days``: what teams expect remedies to cost.
        gates: ``gate_id, team_id, as_of, grain, area_id, cap, finding_count, lifted_by`` of tripped gates.
        frozen: Values at the ends of periods in which services changed hands, as if they had not; columns as
            ``values``. Empty where nothing moved.
    """

    values: pl.DataFrame
    windows: pl.DataFrame
    teams: pl.DataFrame
    connections: pl.DataFrame
    waivers: pl.DataFrame
    applicability: pl.DataFrame
    efforts: pl.DataFrame
    gates: pl.DataFrame
    frozen: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Scores:
    """The ``scores`` tables; columns as the data dictionary lists them."""

    metric: pl.DataFrame
    entity: pl.DataFrame
    area: pl.DataFrame
    team: pl.DataFrame
    gap: pl.DataFrame
    change: pl.DataFrame
    trend: pl.DataFrame
    control_chart: pl.DataFrame
    robustness: pl.DataFrame
    peer: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Cells:
    """Scored cells with waivers applied, without them, and the entities behind them."""

    waived: pl.DataFrame
    plain: pl.DataFrame
    entity: pl.DataFrame


def compute_scores(catalogue: Catalogue, inputs: ScoreInputs) -> Scores:
    """Compute every score for every team, metric and instant."""
    ruleset = catalogue.ruleset
    inputs = _encoded(catalogue, inputs)
    found = _cells(catalogue, inputs)
    weights = _area_weights(catalogue)
    # Quarters exist for some metrics only: they have trends, but make no area and no team.
    makes_areas = pl.col("grain") != QUARTERLY
    waived = area_scores(found.waived.filter(makes_areas), ruleset).join(weights, on="area_id")
    areas = area_levels(waived, inputs.gates, ruleset)
    # Drawing takes one core and holds no lock for long: the other tables are made meanwhile.
    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(score_intervals, found.waived, areas, ruleset)
        unwaived = area_scores(found.plain.filter(makes_areas), ruleset).join(weights, on="area_id")
        teams = team_levels(team_scores(areas, ruleset), areas, ruleset)
        tables = _other_tables(catalogue, inputs, found, areas, teams)
        teams = _beside(teams, team_scores(unwaived, ruleset), TEAM)
        tables["area"] = _beside(areas, unwaived, AREA)
        tables["team"] = _with_confidence(teams.join(drawing.result(), on=TEAM, how="left"))
    return Scores(**{name: _table(name, frame) for name, frame in tables.items()})


def _other_tables(
    catalogue: Catalogue,
    inputs: ScoreInputs,
    found: _Cells,
    areas: pl.DataFrame,
    teams: pl.DataFrame,
) -> dict[str, pl.DataFrame]:
    """Everything that rests on areas and teams but for the intervals."""
    cells, ruleset = found.waived, catalogue.ruleset
    gap = gaps(cells, areas, ruleset).join(cells.select(*CELL, "effort_days"), on=CELL, how="left")
    return {
        "metric": _with_display_interval(cells),
        "entity": found.entity,
        "gap": gap.with_columns(gain_per_day=pl.col("gain_if_met") / pl.col("effort_days")),
        "change": _changes(catalogue, inputs, cells),
        "trend": trend_table(cells, areas, teams),
        "control_chart": chart_table(cells),
        "robustness": robustness_table(areas, teams, ruleset),
        "peer": peer_table(cells, inputs.teams),
    }


def _encoded(catalogue: Catalogue, inputs: ScoreInputs) -> ScoreInputs:
    """Give ids a number each while scores are computed: sorting and joining texts takes most of the time otherwise."""
    teams = inputs.teams["team_id"].unique().sort()
    enums = {
        "team_id": pl.Enum(teams),
        "metric_id": pl.Enum(sorted(metric.id for metric in catalogue.metrics)),
        "area_id": pl.Enum(sorted(area.id for area in catalogue.areas)),
        "grain": pl.Enum(inputs.windows["grain"].unique().sort()),
    }

    def encode(frame: pl.DataFrame) -> pl.DataFrame:
        present = [name for name in enums if name in frame.columns]
        coded = frame.with_columns(pl.col(name).cast(enums[name], strict=False) for name in present)
        # What belongs to no known team or metric has no row to be joined to.
        return coded.drop_nulls([name for name in present if name != "grain"])

    return ScoreInputs(**{field.name: encode(getattr(inputs, field.name)) for field in fields(inputs)})


# Columns that decided the status and are needed no more.
_SPENT = (
    *("type", "onboarded_on", "missing_streams", "connected_on", "grace_from", "applies", "applies_reason", "needs"),
    *("when_empty", "started_on", "default_days", "applies_to"),
)


def _cells(catalogue: Catalogue, inputs: ScoreInputs) -> _Cells:
    """Points, evidence and status of every team, metric and instant."""
    parameters = _parameters(catalogue)
    entity = _entities(inputs.values, parameters, catalogue.ruleset)
    grid = _grid(parameters, inputs).join(_team_values(inputs.values, entity), on=CELL, how="left")
    plain = carry_last_value(assign_status(_with_points(grid), catalogue.ruleset), catalogue.ruleset).drop(_SPENT)
    return _Cells(apply_waivers(plain, inputs.waivers, catalogue.ruleset), plain, entity)


def _area_weights(catalogue: Catalogue) -> pl.DataFrame:
    return pl.DataFrame(
        {"area_id": [a.id for a in catalogue.areas], "area_weight": [a.weight for a in catalogue.areas]},
        schema={"area_id": pl.Enum(sorted(a.id for a in catalogue.areas)), "area_weight": pl.Float64},
    )


def _with_confidence(teams: pl.DataFrame) -> pl.DataFrame:
    """Add the word of method 3.8; shown beside the score, never multiplied into it."""
    width = pl.col("interval_high") - pl.col("interval_low")
    word = pl.lit("low")
    for name, coverage, widest in reversed(_CONFIDENCE):
        word = pl.when((pl.col("coverage") >= coverage) & (width <= widest)).then(pl.lit(name)).otherwise(word)
    return teams.with_columns(confidence=pl.when(width.is_not_null()).then(word))


def _with_display_interval(cells: pl.DataFrame) -> pl.DataFrame:
    """Add the 95 % interval of each sample metric's value: Wilson, log-log survival or normal (method 3.10)."""
    ends = {
        "jeffreys": wilson(pl.col("numerator"), pl.col("denominator")),
        "survival": log_log(pl.col("value"), pl.col("standard_error")),
        "normal": normal(pl.col("value"), pl.col("standard_error")),
    }
    low, high = (
        pl.coalesce(*(pl.when(pl.col("interval") == kind).then(pair[end]) for kind, pair in ends.items()))
        for end in (0, 1)
    )
    there = pl.col("value").is_not_null()
    return cells.with_columns(interval_low=pl.when(there).then(low), interval_high=pl.when(there).then(high))


def _changes(catalogue: Catalogue, inputs: ScoreInputs, cells: pl.DataFrame) -> pl.DataFrame:
    """Split every step from month end to month end, and from the newest month end to the latest day."""
    steps = _steps(inputs.windows)
    frozen = _frozen_cells(catalogue, inputs)
    weights = _area_weights(catalogue)

    def state(frame: pl.DataFrame, end: str) -> State:
        """Cells at one end of every step, filed under the instant at which the step ends."""
        keys = [f"{end}_as_of", f"{end}_grain"]
        chosen = frame.join(steps, left_on=["as_of", "grain"], right_on=keys, coalesce=False).join(
            weights, on="area_id"
        )
        return State(
            chosen.select(
                "team_id",
                "metric_id",
                *("area_id", "area_weight", "value", "is_entity", "weight", "floor", "krav", "mal"),
                as_of="to_as_of",
                grain="to_grain",
                status=pl.col("unwaived_status"),
                points=pl.col("unwaived_points"),
                evidence_weight=pl.col("unwaived_evidence"),
                completeness="completeness",
                is_waived=pl.col("status") == "waived",
            ),
            catalogue.ruleset,
        )

    kept = None if frozen is None else state(_instead(cells, frozen), "to")
    parts = waterfall(state(cells, "from"), state(cells, "to"), kept)
    starts = steps.select("from_as_of", as_of="to_as_of", grain="to_grain")
    return parts.join(starts, on=["as_of", "grain"])


def _steps(windows: pl.DataFrame) -> pl.DataFrame:
    instants = windows.filter(pl.col("grain").is_in(["month", "latest"])).select("as_of", "grain").unique()
    # A month end before the latest day of the same instant.
    ordered = instants.sort("as_of", pl.col("grain") == "latest")
    return ordered.select(
        from_as_of=pl.col("as_of").shift(1),
        from_grain=pl.col("grain").shift(1),
        to_as_of="as_of",
        to_grain="grain",
    ).filter(pl.col("from_as_of").is_not_null())


def _frozen_cells(catalogue: Catalogue, inputs: ScoreInputs) -> pl.DataFrame | None:
    if inputs.frozen.is_empty():
        return None
    instants = inputs.frozen.select("as_of", "grain").unique()
    rest = inputs.values.join(instants, on=["as_of", "grain"], how="anti")
    values = pl.concat([rest, inputs.frozen.select(rest.columns)])
    weekly = inputs.windows.filter(pl.col("grain") == "week")
    windows = pl.concat([inputs.windows.join(instants, on=["as_of", "grain"], how="semi"), weekly])
    cells = _cells(catalogue, replace(inputs, values=values, windows=windows)).waived
    return cells.join(instants, on=["as_of", "grain"], how="semi")


def _instead(cells: pl.DataFrame, frozen: pl.DataFrame) -> pl.DataFrame:
    instants = frozen.select("as_of", "grain").unique()
    return pl.concat([cells.join(instants, on=["as_of", "grain"], how="anti"), frozen.select(cells.columns)])


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
        "default_days": pl.Float64,
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
        "standard_error",
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
            standard_error=pl.lit(None, pl.Float64),
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
        .join(inputs.efforts, on=["team_id", "metric_id"], how="left")
        .join(exempt, on=CELL, how="left")
        .with_columns(
            applies=~(is_exempt | other_type),
            applies_reason=pl.when(other_type).then(pl.lit("other_team_type")).when(is_exempt).then(pl.lit("register")),
            grace_from=pl.max_horizontal("onboarded_on", "started_on"),
            effort_days=pl.coalesce("effort_days", "default_days"),
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
            evidence_weight=evidence_weight(pl.col("sample_size").fill_null(0), pl.col("n_full")),
        )
        .drop("entity_points", "window_completeness")
    )


def _beside(frame: pl.DataFrame, unwaived: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return frame.join(unwaived.select(*by, score_without_waivers="score"), on=by, how="left")


def _table(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The promised columns in their order, rows sorted by what identifies them."""
    columns = list(COLUMNS[name][1])
    ids = [column for column in columns if column.endswith("_id")]
    order = [*ids, *(name for name in ("grain", "as_of") if name in columns)]
    coded = [name for name in columns if isinstance(frame.schema[name], pl.Enum)]
    return frame.select(columns).sort(order).with_columns(pl.col(coded).cast(pl.String))

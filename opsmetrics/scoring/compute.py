"""Put the parts together: values of all metrics in, the ``scores`` tables out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.aggregate import AREA, TEAM, area_scores, team_scores, with_gates, with_shares
from opsmetrics.scoring.cells import area_weights, score_cells, series_parameters
from opsmetrics.scoring.chart_table import chart_parameters, chart_table
from opsmetrics.scoring.composition import FITTING_DAYS
from opsmetrics.scoring.dates import with_dates
from opsmetrics.scoring.draws import score_chances
from opsmetrics.scoring.gaps import gaps
from opsmetrics.scoring.inputs import ScoreInputs, encoded
from opsmetrics.scoring.intervals import log_log, normal, wilson
from opsmetrics.scoring.levels import REACH, with_chances, with_levels
from opsmetrics.scoring.peers import peer_table
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.scoring.robustness import robustness_table
from opsmetrics.scoring.series import MONTHLY, QUARTERLY, trend_table
from opsmetrics.scoring.status import CELL
from opsmetrics.scoring.steps import changes, steps_of
from opsmetrics.scoring.tables import TABLES

# Method 3.8: coverage at least, width of the 90 % interval at most.
_CONFIDENCE = (("high", 0.80, 10.0), ("medium", 0.60, 25.0))


@dataclass(frozen=True, slots=True)
class Scores:
    """The ``scores`` tables; columns as the data dictionary lists them."""

    metric: pl.DataFrame
    entity: pl.DataFrame
    area: pl.DataFrame
    team: pl.DataFrame
    gap: pl.DataFrame
    change: pl.DataFrame
    change_metric: pl.DataFrame
    trend: pl.DataFrame
    control_chart: pl.DataFrame
    robustness: pl.DataFrame
    peer: pl.DataFrame


@dataclass(frozen=True, slots=True)
class InstantScores:
    """The tables whose rows rest on one instant alone; columns as the data dictionary lists them."""

    metric: pl.DataFrame
    entity: pl.DataFrame
    area: pl.DataFrame
    team: pl.DataFrame
    gap: pl.DataFrame
    robustness: pl.DataFrame
    peer: pl.DataFrame


def compute_scores(catalogue: Catalogue, inputs: ScoreInputs) -> Scores:
    """Compute every score for every team, metric and instant at once."""
    instants = leveled(catalogue, compute_instants(catalogue, inputs))
    steps = steps_of(inputs.windows)
    trend, chart = compute_trends(catalogue, instants.metric), compute_charts(catalogue, instants.metric)
    own = {field.name: getattr(instants, field.name) for field in fields(instants)}
    change, by_metric = compute_changes(catalogue, inputs, steps)
    return Scores(**own, change=change, change_metric=by_metric, trend=trend, control_chart=chart)


def compute_instants(catalogue: Catalogue, inputs: ScoreInputs, wanted: pl.DataFrame | None = None) -> InstantScores:
    """Compute what rests on single instants.

    Args:
        catalogue: Metrics, areas and rules.
        inputs: For a part of the instants: their rows, and those of the weeks before that stale cells carry
            points from (``carry_days``).
        wanted: ``as_of, grain`` of the instants to return; default all.

    Returns:
        The tables; ``level`` is still null, because it rests on all evaluations before (:func:`leveled`).
    """
    ruleset = catalogue.ruleset
    inputs = encoded(catalogue, inputs)
    found = score_cells(catalogue, inputs)
    if wanted is not None:
        found = found.at(wanted)
    weights = area_weights(catalogue)
    # Quarters exist for some metrics only: they have trends, but make no area and no team. A month of a trend is made
    # of what a month holds whole: a longer window cut to it is another metric (method 3.11).
    cut = (pl.col("grain") == MONTHLY) & (pl.col("window_days") > FITTING_DAYS[MONTHLY])
    makes_areas = (pl.col("grain") != QUARTERLY) & ~cut
    waived = area_scores(found.waived.filter(makes_areas), ruleset).join(weights, on="area_id")
    areas = with_gates(waived, inputs.gates)
    # Drawing takes one core and holds no lock for long: the other tables are made meanwhile.
    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(score_chances, found.waived, areas, ruleset)
        unwaived = area_scores(found.plain.filter(makes_areas), ruleset).join(weights, on="area_id")
        teams = team_scores(areas, ruleset)
        gap = gaps(found.waived, areas, ruleset).join(found.waived.select(*CELL, "effort_days"), on=CELL, how="left")
        gap = gap.with_columns(gain_per_day=pl.col("gain_if_met") / pl.col("effort_days"))
        tables = {
            "metric": with_shares(_with_display_interval(found.waived)),
            "entity": found.entity,
            "gap": with_dates(gap, found.waived, areas, catalogue, inputs),
            "robustness": robustness_table(areas, teams, ruleset),
            "peer": peer_table(found.waived, inputs.teams),
        }
        chances = drawing.result()
    # Levels come when all evaluations are there.
    areas = _beside(areas, unwaived, AREA).with_columns(level=pl.lit(None, pl.Int32))
    teams = _beside(teams, team_scores(unwaived, ruleset), TEAM).with_columns(level=pl.lit(None, pl.Int32))
    tables["area"] = with_chances(areas, chances.area, AREA, ruleset)
    teams = with_chances(teams, chances.team, TEAM, ruleset).with_columns(krav_probability=f"{REACH}{MET_LEVEL}")
    tables["team"] = _with_confidence(teams)
    return InstantScores(**{name: _table(name, frame) for name, frame in tables.items()})


def leveled(catalogue: Catalogue, instants: InstantScores) -> InstantScores:
    """Return the tables with the levels of areas and teams, which rest on all instants together (method 3.6)."""
    area, team = with_levels(instants.area, instants.team, catalogue.caps(), catalogue.ruleset)
    return replace(instants, area=area, team=team)


def compute_changes(
    catalogue: Catalogue, inputs: ScoreInputs, steps: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split the change of every team's score over some steps.

    Args:
        catalogue: Metrics, areas and rules.
        inputs: The rows of both ends of each step, and of the weeks that stale cells carry points from.
        steps: Some rows of :func:`steps_of`.

    Returns:
        Columns as ``scores.change`` and ``scores.change_metric``.
    """
    inputs = encoded(catalogue, inputs)
    steps = steps.with_columns(pl.col("from_grain", "to_grain").cast(inputs.windows.schema["grain"]))
    cells = score_cells(catalogue, inputs).waived
    parts, metrics = changes(catalogue, inputs, cells, steps)
    return _table("change", parts), _table("change_metric", metrics)


def compute_trends(catalogue: Catalogue, metric: pl.DataFrame) -> pl.DataFrame:
    """Return the trends of teams, areas and metrics; columns as ``scores.trend``.

    Args:
        catalogue: For areas, and for the size and window of each metric.
        metric: ``scores.metric``; weeks and tertials are not looked at.
    """
    weights = area_weights(catalogue).with_columns(pl.col("area_id").cast(pl.String))
    cells = metric.join(series_parameters(catalogue), on="metric_id")
    return _table("trend", trend_table(cells, weights, catalogue.ruleset.weakest_share))


def compute_charts(catalogue: Catalogue, metric: pl.DataFrame) -> pl.DataFrame:
    """Return the control charts of metrics; columns as ``scores.control_chart``.

    Args:
        catalogue: For the size, unit and window of each metric.
        metric: ``scores.metric``; weeks and tertials are not looked at.
    """
    cells = metric.join(series_parameters(catalogue), on="metric_id")
    return _table("control_chart", chart_table(cells, chart_parameters(catalogue)))


def _with_confidence(teams: pl.DataFrame) -> pl.DataFrame:
    """Add the word of method 3.8; shown beside the score, never multiplied into it."""
    width = pl.col("interval_high") - pl.col("interval_low")
    word = pl.lit("low")
    for name, coverage, widest in reversed(_CONFIDENCE):
        word = pl.when((pl.col("coverage") >= coverage) & (width <= widest)).then(pl.lit(name)).otherwise(word)
    return teams.with_columns(confidence=pl.when(width.is_not_null()).then(word))


def _with_display_interval(cells: pl.DataFrame) -> pl.DataFrame:
    """Add the 95 % interval of each metric's value: Wilson, log-log survival or normal (method 3.10).

    A census counts all there is today, and says as little about the practice behind it as so many cases can.
    """
    census = wilson(pl.col("value") * pl.col("units"), pl.col("units"))
    ends = {
        "jeffreys": wilson(pl.col("numerator"), pl.col("denominator")),
        "survival": log_log(pl.col("value"), pl.col("standard_error")),
        "normal": normal(pl.col("value"), pl.col("standard_error")),
    }
    low, high = (
        pl.coalesce(*(pl.when(pl.col("interval") == kind).then(pair[end]) for kind, pair in ends.items()))
        for end in (0, 1)
    )
    is_census = pl.col("interval").is_null() & (pl.col("chance") == "share")
    low, high = (pl.when(is_census).then(end).otherwise(other) for end, other in zip(census, (low, high), strict=True))
    there = pl.col("value").is_not_null()
    return cells.with_columns(interval_low=pl.when(there).then(low), interval_high=pl.when(there).then(high))


def _beside(frame: pl.DataFrame, unwaived: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return frame.join(unwaived.select(*by, score_without_waivers="score"), on=by, how="left")


def _table(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The promised columns in their order, rows sorted by what identifies them."""
    columns = TABLES[name].names
    ids = [column for column in columns if column.endswith("_id")]
    order = [*ids, *(name for name in ("grain", "as_of") if name in columns)]
    coded = [name for name in columns if isinstance(frame.schema[name], pl.Enum)]
    return frame.select(columns).sort(order).with_columns(pl.col(coded).cast(pl.String))

"""What each gap can give, and by when (method 3.12, ADR 0036): the dated columns of ``scores.gap``.

Does not belong here: how one metric moves (``outlook``), and which of them a team should take (``plan``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.aggregate import AREA, TEAM
from opsmetrics.scoring.formula import TeamFormula, formulas
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.outlook import KEY, Prospect, done_after, prospects, quarter_ends
from opsmetrics.scoring.points import FULL_POINTS, required_points
from opsmetrics.scoring.status import CELL

_DATED = {
    "shows_on": pl.Date,
    "krav_on": pl.Date,
    "waits_for": pl.Int64,
    "dates_rest_on": pl.String,
    "gain_this_quarter": pl.Float64,
    "gain_next_quarter": pl.Float64,
    "quarter_gain_per_day": pl.Float64,
    "remedy_id": pl.String,
    "is_for_gate": pl.Boolean,
}
LATEST = pl.col("grain").cast(pl.String) == "latest"


def formula_parts(cells: pl.DataFrame, areas: pl.DataFrame) -> pl.DataFrame:
    """Return what :func:`formulas` needs: the metrics with points in published areas.

    Args:
        cells: ``team_id, as_of, grain, area_id, metric_id, points, weight, evidence_weight``.
        areas: ``team_id, as_of, grain, area_id, score, status, area_weight``.
    """
    published = areas.filter(pl.col("status") == "ok").select(*AREA, "score", "area_weight")
    effective = pl.col("weight") * pl.col("evidence_weight")
    return (
        cells.with_columns(effective=effective)
        .filter(pl.col("points").is_not_null() & (pl.col("effective") > 0))
        .select(*AREA, "metric_id", "points", "effective")
        .join(published, on=AREA)
    )


def prospects_of(catalogue: Catalogue, cells: pl.DataFrame, inputs: ScoreInputs) -> dict[KEY, Prospect]:
    """Return how every metric with points can move from the latest day on."""
    wanted = cells.filter(LATEST & pl.col("points").is_not_null())
    if "on" not in wanted.columns:
        days = inputs.windows.filter(LATEST).select(pl.col("metric_id").cast(pl.String), "as_of", "on").unique()
        wanted = wanted.join(days, on=["metric_id", "as_of"])
    return prospects(catalogue, wanted, inputs.items.filter(LATEST), inputs.due.filter(LATEST))


def with_dates(
    gap: pl.DataFrame, cells: pl.DataFrame, areas: pl.DataFrame, catalogue: Catalogue, inputs: ScoreInputs
) -> pl.DataFrame:
    """Add to the gaps of the latest day when they can close and what that gives; null elsewhere and where none is left.

    Args:
        gap: Columns of ``scores.gap`` up to ``gain_per_day``.
        cells: Scored cells with waivers applied.
        areas: Areas with their weights.
        catalogue: For windows, thresholds and shared remedies.
        inputs: For items and dues.
    """
    latest = gap.filter(LATEST)
    can = prospects_of(catalogue, cells, inputs)
    parts = formula_parts(cells.filter(LATEST), areas.filter(LATEST))
    remedy_of = catalogue.remedy_of()
    lifting = set(inputs.gates.filter(LATEST).select(pl.col("team_id").cast(pl.String), "lifted_by").iter_rows())
    rows: list[dict[str, object]] = []
    by_team = latest.partition_by(TEAM, as_dict=True)
    for key, formula in formulas(parts, catalogue.ruleset.weakest_share):
        if key in by_team:
            rows += _team_rows(by_team[key], formula, can, remedy_of, lifting)
    schema = {name: gap.schema[name] for name in CELL} | _DATED
    return gap.join(pl.DataFrame(rows, schema=schema), on=CELL, how="left")


def _team_rows(
    mine: pl.DataFrame,
    formula: TeamFormula,
    can: dict[KEY, Prospect],
    remedy_of: Mapping[str, str],
    lifting: set[tuple[object, ...]],
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    # One remedy brings all that it mends, at its largest price.
    together: dict[str, tuple[dict[str, float], list[float]]] = defaultdict(lambda: ({}, []))
    for gap in mine.iter_rows(named=True):
        prospect = can[gap["team_id"], gap["as_of"], gap["metric_id"]]
        if prospect.points >= FULL_POINTS:
            continue
        done = done_after(gap["effort_days"])
        path = prospect.path(done)
        this, following = ((end - prospect.on).days for end in quarter_ends(prospect.on))
        metric, remedy = gap["metric_id"], remedy_of.get(gap["metric_id"])
        lifted, efforts = together[remedy or metric]
        lifted[metric] = float(path[this])
        efforts.append(gap["effort_days"])
        rows.append(
            {
                **{name: gap[name] for name in CELL},
                **shown(prospect, done),
                "gain_this_quarter": formula.gain({metric: float(path[this])}),
                "gain_next_quarter": formula.gain({metric: float(path[following])}),
                "remedy_id": remedy,
                "is_for_gate": (gap["team_id"], metric) in lifting,
            }
        )
    for row in rows:
        lifted, efforts = together[str(row["remedy_id"] or row["metric_id"])]
        row["quarter_gain_per_day"] = formula.gain(lifted) / max(efforts)
    return rows


def shown(prospect: Prospect, done: int) -> dict[str, object]:
    """Return the columns that say when work that is done after some days shows."""
    full = prospect.shown_after(done)
    required = required_points(prospect.metric.header.krav)
    met = prospect.shown_after(done, required) if prospect.points < required else None
    return {
        "shows_on": None if full is None else prospect.on + timedelta(days=full),
        "krav_on": None if met is None else prospect.on + timedelta(days=met),
        "waits_for": 0 if full is None else prospect.waits_for(done, full),
        "dates_rest_on": prospect.basis,
    }

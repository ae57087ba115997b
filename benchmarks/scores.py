"""Scores of 500 teams x 40 metrics x 36 months: time and memory, against reading the inputs once.

The physical limit is one pass of Polars over the same values: whatever computes scores must at least touch them.

Run: ``python -m benchmarks.scores [--teams 500] [--months 36] [--repeat 3]``.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from benchmarks.figures import Figure, Report, peak_mib
from opsmetrics.catalogue import Catalogue, Metric, load_catalogue
from opsmetrics.catalogue.model import LONG_WINDOW_DAYS
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.scoring.compute import compute_scores
from opsmetrics.scoring.inputs import ScoreInputs
from opsmetrics.scoring.outlook import DUE, ITEMS
from opsmetrics.scoring.plan import compute_plans

INSTANT = pl.Datetime("us", "UTC")
FIRST = datetime(2023, 12, 31, 23, tzinfo=UTC)


def month_ends(months: int) -> list[datetime]:
    """Return month ends, 23:00 UTC of the last day."""
    ends: list[datetime] = []
    year, month = FIRST.year, FIRST.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        first = datetime(year + (month == 12), month % 12 + 1, 1, 23, tzinfo=UTC)
        ends.append(first - timedelta(days=1))
    return ends


def instants_of(metric: Metric, ends: list[datetime]) -> list[tuple[datetime, str]]:
    """Return the instants at which a metric is evaluated, with their grains."""
    instants = [(end, grain) for end in ends for grain in ("month", "series_month")]
    if metric.window_days > LONG_WINDOW_DAYS:
        instants += [(end, "series_quarter") for end in ends[2::3]]
    return [*instants, (ends[-1] + timedelta(days=9), "latest")]


def synthetic(catalogue: Catalogue, teams: int, months: int, seed: int = 1) -> ScoreInputs:
    """Return random inputs: every metric of every team at every month end, in the month's own window too, and today."""
    draws = np.random.default_rng(seed)
    names = [f"team-{number:04d}" for number in range(teams)]
    ends = month_ends(months)
    frames: list[pl.DataFrame] = []
    skill = draws.uniform(0.55, 0.97, (teams, 1))
    for metric in catalogue.metrics:
        header = metric.header
        instants = instants_of(metric, ends)
        count = len(instants)
        if header.n_full is None:
            items = np.full((teams, count), 12.0)
        else:
            items = draws.poisson(header.n_full * 0.8, (teams, count)).astype(float)
        level = np.clip(skill + draws.normal(0, 0.08, (teams, count)), 0, 1)
        worst, best = header.floor, header.mal
        if header.unit == "share" and worst < best:
            met = np.floor(items * level)
        elif header.unit == "share":
            met = np.floor(items * (1 - level))
        else:
            met = items * (worst + (best - worst) * level)
        frames.append(
            pl.DataFrame(
                {
                    "team_id": np.repeat(names, count),
                    "metric_id": metric.id,
                    "as_of": pl.Series([as_of for as_of, _ in instants] * teams, dtype=INSTANT),
                    "grain": [grain for _, grain in instants] * teams,
                    "entity_id": "e" if header.entity else None,
                    "entity_weight": 1.0 if header.entity else None,
                    "numerator": met.ravel(),
                    "denominator": items.ravel(),
                    "value": (met / np.where(items > 0, items, np.nan)).ravel(),
                    "sample_size": items.ravel().astype(np.int64),
                    "completeness": 1.0,
                    "standard_error": (0.06 if metric.has_standard_error else None),
                    "worst_value": None,
                },
                schema_overrides={
                    "entity_id": pl.String,
                    "entity_weight": pl.Float64,
                    "standard_error": pl.Float64,
                    "worst_value": pl.Float64,
                },
            ).with_columns(value=pl.col("value").fill_nan(None))
        )
    values = pl.concat(frames)
    windows = pl.DataFrame(
        [(metric.id, *instant) for metric in catalogue.metrics for instant in instants_of(metric, ends)],
        schema={"metric_id": pl.String, "as_of": INSTANT, "grain": pl.String},
        orient="row",
    ).with_columns(
        on=pl.col("as_of").dt.date(),
        completeness=pl.lit(1.0),
        least_stream=pl.lit(None, pl.String),
        untold=pl.lit(None, pl.String),
    )
    streams = sorted({stream for metric in catalogue.metrics for stream in metric.header.needs})
    start = FIRST.date()
    dated = {"team_id": pl.String, "metric_id": pl.String, "valid_from": pl.Date, "valid_to": pl.Date}
    keys = {"team_id": pl.String, "as_of": INSTANT, "grain": pl.String, "area_id": pl.String}
    return ScoreInputs(
        values=values,
        windows=windows,
        weaker=windows.clear()
        .select(pl.lit(None, pl.String).alias("team_id"), "metric_id", "as_of", "grain")
        .with_columns(weaker=pl.lit(None, pl.String)),
        teams=pl.DataFrame({"team_id": names}).with_columns(type=pl.lit("platform"), onboarded_on=pl.lit(start)),
        connections=pl.DataFrame({"team_id": names})
        .join(pl.DataFrame({"stream": streams}), how="cross")
        .with_columns(connected_on=pl.lit(start)),
        waivers=pl.DataFrame(schema={"waiver_id": pl.String, **dated}),
        applicability=pl.DataFrame(schema={**dated, "reason": pl.String}),
        efforts=pl.DataFrame(schema={"team_id": pl.String, "metric_id": pl.String, "effort_days": pl.Float64}),
        gates=pl.DataFrame(
            schema={"gate_id": pl.String, **keys, "cap": pl.Int64, "finding_count": pl.Int64, "lifted_by": pl.String}
        ),
        frozen=values.clear(),
        items=pl.DataFrame(schema=ITEMS),
        due=pl.DataFrame(schema=DUE),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=500)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    root = default_sql_root()
    catalogue = load_catalogue(root, load_all(root))
    inputs = synthetic(catalogue, options.teams, options.months)
    months = inputs.values.filter(pl.col("grain") == "month").height
    print(f"{options.teams} teams x {len(catalogue.metrics)} metrics x {options.months} months = {months} cells")
    print(f"{inputs.values.height} values with the trend's own windows and the latest day")
    report = Report()
    spans: list[tuple[float, float, float]] = []
    for _ in range(options.repeat):
        began = time.perf_counter()
        inputs.values.group_by("team_id", "metric_id").agg(pl.col("value").sum(), pl.col("sample_size").sum())
        limit = time.perf_counter() - began
        began = time.perf_counter()
        scores = compute_scores(catalogue, inputs)
        span = time.perf_counter() - began
        began = time.perf_counter()
        compute_plans(catalogue, scores, inputs)
        spans.append((span, limit, time.perf_counter() - began))
    span, limit, planning = min(spans)
    size = f"{options.teams} teams x {len(catalogue.metrics)} metrics x {options.months} months"
    note = f"{months:,} cells, peak memory {peak_mib():,.0f} MiB, plans to the next level {planning:.1f} s"
    report.add(Figure(f"scores: {size}", span, limit, "one Polars pass over the same values", note=note))


if __name__ == "__main__":
    main()

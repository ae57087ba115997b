"""What is measured on scored scenarios: pure functions, frames in and numbers out.

A figure is a share in 0..1, a number of points or a rate; None where nothing could be counted.
"""

from __future__ import annotations

import polars as pl

from calibration.scored import Scored
from opsmetrics.scoring.points import MET_LEVEL
from simulator.scenarios import SHIFT_DAY, Scenario, directions
from simulator.world import local

Figures = dict[str, float | None]
TEAM = ["scenario", "seed", "team_id"]
WEEKS_TO_TAKE_BACK = 4
MONTHS_TO_TELL = (1, 2, 3)
LARGE_SHIFT = 8.0
_SCENARIOS_OF_LEVELS = (Scenario.STEADY, Scenario.SHIFT)
_INSIDE = pl.col("score").is_between("interval_low", "interval_high")


def figures(scored: Scored) -> Figures:
    """Return every figure of the document but those of single metrics, by name."""
    months = scored.team.filter(pl.col("grain") == "month").sort(*TEAM, "as_of")
    found: Figures = {}
    steady = _of(months, Scenario.STEADY)
    found |= _coverage(steady)
    for scenario in _SCENARIOS_OF_LEVELS:
        found |= _levels(_of(scored.team, scenario), f"{scenario}.team", ["seed", "team_id"])
        found |= _levels(_of(scored.area, scenario), f"{scenario}.area", ["seed", "team_id", "area_id"])
    for scenario in (Scenario.STEADY, Scenario.DEMO):
        found |= _words(_of(months, scenario), scenario)
    return found | _shifts(months)


def metric_figures(scored: Scored) -> dict[str, dict[str, Figures]]:
    """Return for the steady scenario and the demo, and each metric, how far it can move.

    Returns:
        Scenario -> metric -> ``cells`` (measured team-months), ``at_0`` and ``at_100`` (shares of them), ``within``
        (standard deviation of points over the months of a team, pooled) and ``between`` (of the means of teams).
    """
    measured = scored.metric.filter(pl.col("points").is_not_null())
    return {
        scenario.value: {metric: _movement(cells) for (metric,), cells in _by_metric(_of(measured, scenario))}
        for scenario in (Scenario.STEADY, Scenario.DEMO)
    }


def _by_metric(cells: pl.DataFrame) -> list[tuple[tuple[str], pl.DataFrame]]:
    return sorted(((str(key[0]),), part) for key, part in cells.partition_by("metric_id", as_dict=True).items())


def _movement(cells: pl.DataFrame) -> Figures:
    points = pl.col("points")
    teams = cells.group_by("seed", "team_id").agg(
        mean=points.mean(), squares=((points - points.mean()) ** 2).sum(), months=pl.len()
    )
    more = teams.filter(pl.col("months") > 1)
    freedom = more.select((pl.col("months") - 1).sum()).item()
    variance = _number(more.select(pl.col("squares").sum()).item()) if freedom else None
    spread = teams.group_by("seed").agg(spread=pl.col("mean").std()).sort("seed")["spread"]
    return {
        "cells": float(cells.height),
        "at_0": _share(cells, points <= 0),
        "at_100": _share(cells, points >= 100),
        "within": None if variance is None else (variance / freedom) ** 0.5,
        "between": _number(spread.mean()),
    }


def _coverage(months: pl.DataFrame) -> Figures:
    """Whether intervals hold the score beside them, that of the next month, and the mean of all months."""
    by = ["seed", "team_id"]
    known = months.with_columns(next=pl.col("score").shift(-1).over(by), mean=pl.col("score").mean().over(by))
    known = known.filter(pl.col("interval_low").is_not_null())
    pairs = known.filter(pl.col("next").is_not_null())
    middle = (pl.col("interval_low") + pl.col("interval_high")) / 2
    width = pl.col("interval_high") - pl.col("interval_low")
    step = (pl.col("next") - pl.col("score")).abs()
    return {
        "steady.pairs": float(pairs.height),
        "steady.covers_next": _share(pairs, pl.col("next").is_between("interval_low", "interval_high")),
        "steady.next_above": _share(pairs, pl.col("next") > pl.col("interval_high")),
        "steady.next_below": _share(pairs, pl.col("next") < pl.col("interval_low")),
        "steady.covers_mean": _share(known, pl.col("mean").is_between("interval_low", "interval_high")),
        "steady.covers_own": _share(known, _INSIDE),
        "steady.off_centre": _mean(known, pl.col("score") - middle),
        "steady.width": _mean(known, width),
        "steady.step": _mean(pairs, step),
        "steady.step_90": _number(pairs.select(step.quantile(0.9, "linear")).item()),
    }


def _levels(rows: pl.DataFrame, name: str, by: list[str]) -> Figures:
    """Changes of weekly levels, and how many of them are taken back: the old level again within four weeks."""
    weeks = rows.filter((pl.col("grain") == "week") & pl.col("level").is_not_null()).sort(*by, "as_of")
    level = pl.col("level")
    weeks = weeks.with_columns(
        before=level.shift(1).over(by),
        **{f"after_{n}": level.shift(-n).over(by) for n in range(1, WEEKS_TO_TAKE_BACK + 1)},
    )
    known = weeks.filter(pl.col("before").is_not_null() & pl.col(f"after_{WEEKS_TO_TAKE_BACK}").is_not_null())
    changed = known.filter(level != pl.col("before"))
    again = [pl.col(f"after_{n}") == pl.col("before") for n in range(1, WEEKS_TO_TAKE_BACK + 1)]
    return {
        f"{name}.changes": float(changed.height),
        f"{name}.changes_a_year": changed.height / known.height * 52 if known.height else None,
        f"{name}.taken_back": _share(changed, pl.any_horizontal(again)),
    }


def _words(months: pl.DataFrame, scenario: Scenario) -> Figures:
    said = months.filter(pl.col("confidence").is_not_null())
    met = months.filter((pl.col("level") >= MET_LEVEL) & pl.col("krav_probability").is_not_null())
    words: Figures = {f"{scenario}.{word}": _share(said, pl.col("confidence") == word) for word in _WORDS}
    return words | {f"{scenario}.met_unlikely": _share(met, pl.col("krav_probability") < 0.5)}


_WORDS = ("high", "medium", "low")


def _shifts(months: pl.DataFrame) -> Figures:
    """How soon a change of practice is told: the score outside the last interval before it, on the right side."""
    before = local(SHIFT_DAY, 0)
    shift, steady = _of(months, Scenario.SHIFT), _of(months, Scenario.STEADY)
    worth = (
        _of(months, Scenario.SHIFTED)
        .join(steady, on=["seed", "team_id", "as_of"])
        .group_by("seed", "team_id")
        .agg(worth=(pl.col("score") - pl.col("score_right")).mean())
    )
    signs = pl.DataFrame(
        [(seed, team, sign) for seed in shift["seed"].unique().sort() for team, sign in directions(seed).items()],
        schema={"seed": pl.Int64, "team_id": pl.String, "sign": pl.Int64},
        orient="row",
    )
    told = _left(shift).join(signs, on=["seed", "team_id"]).join(worth, on=["seed", "team_id"])
    told = told.filter((pl.col("as_of") == before) & pl.col("interval_low").is_not_null())
    large = told.filter(pl.col("worth").abs() >= LARGE_SHIFT)
    quiet = _left(steady).filter(pl.col("interval_low").is_not_null())
    found: Figures = {
        "shift.teams": float(told.height),
        "shift.worth": _mean(told, pl.col("worth") * pl.col("sign")),
        "shift.large": float(large.height),
    }
    for n in MONTHS_TO_TELL:
        right = pl.when(pl.col("sign") > 0).then(f"above_{n}").otherwise(f"below_{n}")
        moved = (pl.col(f"score_{n}") - pl.col("score")) * pl.col("sign")
        found |= {
            f"shift.moved_{n}": _mean(told, moved),
            f"shift.told_{n}": _share(told, right),
            f"shift.large_told_{n}": _share(large, right),
            f"steady.false_{n}": _share(
                quiet.filter(pl.col(f"score_{n}").is_not_null()), pl.col(f"above_{n}") | pl.col(f"below_{n}")
            ),
        }
    return found


def _left(months: pl.DataFrame) -> pl.DataFrame:
    """Add whether the score has left each month's interval, above or below, by one, two, three months later."""
    by = ["seed", "team_id"]
    ahead = months.with_columns(**{f"score_{n}": pl.col("score").shift(-n).over(by) for n in MONTHS_TO_TELL})
    above = {n: pl.col(f"score_{n}") > pl.col("interval_high") for n in MONTHS_TO_TELL}
    below = {n: pl.col(f"score_{n}") < pl.col("interval_low") for n in MONTHS_TO_TELL}
    return ahead.with_columns(
        **{f"above_{n}": pl.any_horizontal(above[m] for m in MONTHS_TO_TELL if m <= n) for n in MONTHS_TO_TELL},
        **{f"below_{n}": pl.any_horizontal(below[m] for m in MONTHS_TO_TELL if m <= n) for n in MONTHS_TO_TELL},
    )


def _of(frame: pl.DataFrame, scenario: Scenario) -> pl.DataFrame:
    return frame.filter(pl.col("scenario") == scenario.value)


def _share(frame: pl.DataFrame, condition: pl.Expr) -> float | None:
    return _number(frame.select(condition.fill_null(value=False).cast(pl.Float64).mean()).item())


def _mean(frame: pl.DataFrame, value: pl.Expr) -> float | None:
    return _number(frame.select(value.mean()).item())


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None

"""The scores of many seeds and scenarios, by the library's scoring as it is now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context

import polars as pl

from calibration.inputs import Case, inputs_of
from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.scoring.compute import compute_instants, leveled


@dataclass(frozen=True, slots=True)
class Scored:
    """Tables ``scores.team``, ``scores.area`` and ``scores.metric``, with ``scenario`` and ``seed`` in front."""

    team: pl.DataFrame
    area: pl.DataFrame
    metric: pl.DataFrame


def score(cases: Iterable[Case], *, reuse: bool, jobs: int | None, told: Callable[[Case], None]) -> Scored:
    """Score every case.

    Args:
        cases: What to score.
        reuse: As :func:`calibration.inputs.inputs_of`.
        jobs: Processes side by side; None: one per core.
        told: Called with each case that is done.
    """
    todo = list(cases)
    workers = min(jobs or os.cpu_count() or 1, len(todo))
    parts: list[Scored] = []
    with ExitStack() as stack:
        if workers == 1:
            results = map(_one, todo, [reuse] * len(todo))
        else:
            # Not forked: threads of Polars and DuckDB do not survive that.
            pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
            results = pool.map(_one, todo, [reuse] * len(todo))
        for case, part in zip(todo, results, strict=True):
            parts.append(part)
            told(case)
    return Scored(*(pl.concat([getattr(part, name) for part in parts]) for name in ("team", "area", "metric")))


def _one(case: Case, reuse: bool) -> Scored:  # noqa: FBT001 - mapped over a pool, which gives no names
    sql = default_sql_root()
    catalogue = load_catalogue(sql, load_all(sql))
    found = leveled(catalogue, compute_instants(catalogue, inputs_of(case, reuse=reuse)))
    names = {"scenario": pl.lit(case.scenario.value), "seed": pl.lit(case.seed, pl.Int64)}
    months = found.metric.filter(pl.col("grain") == "month")
    return Scored(
        *(frame.select(**names, **{n: n for n in frame.columns}) for frame in (found.team, found.area, months))
    )

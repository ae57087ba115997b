"""Read practice and outcomes of quarters, judge them (``opsmetrics.scoring.validity``): rows of ``scores.validity``."""

from __future__ import annotations

import duckdb
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring.practice import OUTCOMES, own_metrics, pairs
from opsmetrics.scoring.tables import TABLES
from opsmetrics.scoring.validity import validity_table

_CELLS = "select * from scores.metric where grain = 'series_month'"
_MONTHS = """
    select m.as_of, q.as_of as quarter
    from ref.as_of as m
    join ref.as_of as q on m.as_of > q.period_starts_at and m.as_of <= q.as_of
    where m.grain = 'series_month' and q.grain = 'series_quarter'
"""
_OUTCOMES = "select * exclude (starts_at), starts_at as quarter from facts.outcome_quarters"


def read_validity(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> pl.DataFrame:
    """Return the rows of ``scores.validity`` as ``scores.metric`` and ``facts.outcome_quarters`` stand now."""
    compared = pairs(catalogue, *(con.sql(select).pl() for select in (_CELLS, _MONTHS, _OUTCOMES)))
    area_of = {metric.id: metric.area_id for metric in catalogue.metrics}
    own = pl.DataFrame(
        [(outcome.id, area_of[name], name) for outcome in OUTCOMES for name in own_metrics(catalogue, outcome)],
        schema={"outcome": pl.String, "area_id": pl.String, "left_out": pl.String},
        orient="row",
    )
    # The team score does without all of them.
    whole = own.with_columns(area_id=pl.lit(None, pl.String))
    left_out = pl.concat([own, whole]).group_by("outcome", "area_id").agg(pl.col("left_out").sort())
    return (
        validity_table(compared)
        .join(left_out, on=["outcome", "area_id"], how="left", nulls_equal=True)
        .with_columns(pl.col("left_out").fill_null([]))
        .select(TABLES["validity"].names)
        .sort("outcome", "area_id", "kind")
    )

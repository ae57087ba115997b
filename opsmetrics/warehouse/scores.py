"""Read values out of ``metrics`` and ``gates``, compute scores, write ``scores.*``."""

from __future__ import annotations

import duckdb
import polars as pl

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring import ScoreInputs, Scores, compute_scores
from opsmetrics.warehouse.connection import comment, replace_table, transaction

_CELL = {
    "team_id": "Team",
    "as_of": "Instant of evaluation, UTC",
    "grain": "month, tertial, week or latest",
}
COLUMNS: dict[str, tuple[str, dict[str, str]]] = {
    "metric": (
        "Points and status of every metric for every team and instant (method 3.1 to 3.3)",
        {
            "team_id": "Team",
            "metric_id": "Metric, see meta.metrics",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week or latest",
            "numerator": "Items or time that keep the obligation (lower-is-better: that break it)",
            "denominator": "Items or time that the obligation is about",
            "value": "The metric in its unit; entity metrics: pooled over entities, for display",
            "sample_size": "Items behind the value",
            "completeness": "Share of the window that the sources delivered, 0..1",
            "points": "0..100; null = no points, never 0 for unknown",
            "weight": "Weight in the area",
            "evidence_weight": "Z, 0..1 (method 3.2)",
            "status": "One of the nine statuses of method 3.3",
            "reason": "Why the status is not ok, as code:detail",
            "metric_version": "Version of the definition",
        },
    ),
    "entity": (
        "Points of each SLO, resource or datastore of entity metrics",
        {
            "team_id": "Team",
            "metric_id": "Metric",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week or latest",
            "entity_id": "SLO, resource or datastore",
            "entity_weight": "Criticality weight",
            "numerator": "Numerator",
            "denominator": "Denominator",
            "value": "Value in the metric's unit",
            "points": "0..100",
        },
    ),
    "area": (
        "Score, coverage, bounds and level of each area (method 3.4, 3.6)",
        {
            "team_id": "Team",
            "area_id": "Area",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week or latest",
            "score": "0..100; null where there is too little data",
            "coverage": "Share of applicable weight that is measured, 0..1",
            "low": "Score if everything unknown were 0",
            "high": "Score if everything unknown were 100",
            "level": "0 to 4, capped by gates; null without score",
            "gate": "Strictest tripped gate, or null",
            "status": "ok, provisional, too_little_data or not_applicable",
            "gate_findings": "Findings behind the gate",
            "score_without_waivers": "Score as if no waiver existed",
        },
    ),
    "team": (
        "Score, coverage, bounds and level of each team (method 3.5, 3.6)",
        {
            **_CELL,
            "score": "0..100; null where there is too little data",
            "coverage": "Weighted mean of area coverage, 0..1",
            "low": "Score if everything unknown were 0",
            "high": "Score if everything unknown were 100",
            "level": "0 to 4; at most one above the lowest published area",
            "status": "ok, provisional, too_little_data or not_applicable",
            "score_without_waivers": "Score as if no waiver existed",
        },
    ),
    "gap": (
        "Points of the team score lost per metric, and gained by mending it (method 3.12)",
        {
            "team_id": "Team",
            "area_id": "Area",
            "metric_id": "Metric",
            "as_of": "Instant of evaluation, UTC",
            "grain": "month, tertial, week or latest",
            "points_lost": "Share of 100 - T; sums to it per team",
            "gain_if_met": "T with this metric at its target (100 points), minus T",
            "gain_to_krav": "T with this metric at the requirement (60 points), minus T",
        },
    ),
}


def read_inputs(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> ScoreInputs:
    """Collect the values of all metrics and everything else that decides scores."""
    none = "cast(null as varchar) as entity_id, cast(null as double) as entity_weight"
    selects = [
        f"select team_id, '{metric.id}' as metric_id, as_of, grain, "
        f"{'entity_id, entity_weight' if metric.header.entity else none}, cast(numerator as double) as numerator, "
        "cast(denominator as double) as denominator, cast(value as double) as value, "
        "cast(sample_size as bigint) as sample_size, cast(completeness as double) as completeness "
        f"from {metric.file.table}"
        for metric in catalogue.metrics
    ]
    gates = [
        f"select '{gate.id}' as gate_id, team_id, as_of, grain, '{gate.header.area}' as area_id, "
        f"{gate.header.cap} as cap, finding_count from {gate.file.table} where finding_count > 0"
        for gate in catalogue.gates
    ]
    return ScoreInputs(
        values=con.sql(" union all ".join(selects)).pl(),
        windows=con.sql('select metric_id, as_of, grain, "on", completeness from ref.metric_windows').pl(),
        teams=con.sql("select team_id, type, onboarded_on from ref.teams").pl(),
        connections=con.sql("select team_id, stream, connected_on from ref.team_streams").pl(),
        waivers=con.sql("select waiver_id, team_id, metric_id, valid_from, valid_to from ref.waivers").pl(),
        applicability=con.sql("select team_id, metric_id, valid_from, valid_to from ref.applicability").pl(),
        gates=con.sql(" union all ".join(gates)).pl(),
    )


def write_scores(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> Scores:
    """Compute and write ``scores.metric``, ``entity``, ``area``, ``team`` and ``gap`` in one transaction."""
    scores = compute_scores(catalogue, read_inputs(con, catalogue))
    tables: dict[str, pl.DataFrame] = {
        "metric": scores.metric,
        "entity": scores.entity,
        "area": scores.area,
        "team": scores.team,
        "gap": scores.gap,
    }
    with transaction(con):
        for name, frame in tables.items():
            title, columns = COLUMNS[name]
            replace_table(con, f"scores.{name}", frame.select(list(columns)))
            comment(con, f"scores.{name}", title, columns)
    return scores

"""Read values out of ``metrics`` and ``gates``, compute scores, write ``scores.*``."""

from __future__ import annotations

import duckdb

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring import ScoreInputs, Scores, compute_scores
from opsmetrics.scoring.columns import COLUMNS
from opsmetrics.warehouse.connection import comment, replace_table, transaction


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
    with transaction(con):
        for name, (title, columns) in COLUMNS.items():
            replace_table(con, f"scores.{name}", getattr(scores, name))
            comment(con, f"scores.{name}", title, columns)
    return scores

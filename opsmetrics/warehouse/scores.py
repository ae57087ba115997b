"""Read values out of ``metrics`` and ``gates``, compute scores, write ``scores.*``."""

from __future__ import annotations

from dataclasses import fields

import duckdb

from opsmetrics.catalogue import Catalogue
from opsmetrics.scoring import ScoreInputs, compute_plans, compute_scores
from opsmetrics.scoring.columns import COLUMNS
from opsmetrics.sqlfile import SqlFile
from opsmetrics.warehouse.connection import comment, replace_table, transaction
from opsmetrics.warehouse.frozen import frozen_values


def _values(catalogue: Catalogue) -> str:
    """The query that reads the values of all metrics."""
    none = "cast(null as varchar) as entity_id, cast(null as double) as entity_weight"
    return " union all ".join(
        f"select team_id, '{metric.id}' as metric_id, as_of, grain, "
        f"{'entity_id, entity_weight' if metric.header.entity else none}, cast(numerator as double) as numerator, "
        "cast(denominator as double) as denominator, cast(value as double) as value, "
        "cast(sample_size as bigint) as sample_size, cast(completeness as double) as completeness, "
        f"{'standard_error' if metric.has_standard_error else 'cast(null as double) as standard_error'} "
        f"from {metric.file.table}"
        for metric in catalogue.metrics
    )


def _gates(catalogue: Catalogue) -> str:
    """The query that reads the tripped gates."""
    selects: list[str] = []
    for gate in catalogue.gates:
        lifted_by = f"'{gate.header.lifted_by}'" if gate.header.lifted_by else "cast(null as varchar)"
        selects.append(
            f"select '{gate.id}' as gate_id, team_id, as_of, grain, '{gate.header.area}' as area_id, "
            f"{gate.header.cap} as cap, finding_count, {lifted_by} as lifted_by "
            f"from {gate.file.table} where finding_count > 0"
        )
    return " union all ".join(selects)


def read_inputs(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, files: dict[str, SqlFile]) -> ScoreInputs:
    """Collect the values of all metrics and everything else that decides scores."""
    values = _values(catalogue)
    return ScoreInputs(
        values=con.sql(values).pl(),
        windows=con.sql('select metric_id, as_of, grain, "on", completeness from ref.metric_windows').pl(),
        teams=con.sql("select team_id, type, onboarded_on from ref.teams").pl(),
        connections=con.sql("select team_id, stream, connected_on from ref.team_streams").pl(),
        waivers=con.sql("select waiver_id, team_id, metric_id, valid_from, valid_to from ref.waivers").pl(),
        applicability=con.sql("select team_id, metric_id, valid_from, valid_to from ref.applicability").pl(),
        efforts=con.sql("select team_id, metric_id, effort_days from ref.efforts").pl(),
        gates=con.sql(_gates(catalogue)).pl(),
        frozen=frozen_values(con, catalogue, files, values),
    )


def write_scores(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, files: dict[str, SqlFile]) -> dict[str, int]:
    """Compute all scores and write the ``scores`` tables in one transaction.

    Returns:
        Rows per table.
    """
    inputs = read_inputs(con, catalogue, files)
    scores = compute_scores(catalogue, inputs)
    tables = {field.name: getattr(scores, field.name) for field in fields(scores)}
    tables["plan"] = compute_plans(catalogue, scores, inputs.gates)
    with transaction(con):
        for name, (title, columns) in COLUMNS.items():
            replace_table(con, f"scores.{name}", tables[name].select(list(columns)))
            comment(con, f"scores.{name}", title, columns)
    return {name: tables[name].height for name in COLUMNS}

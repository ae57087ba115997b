"""Every SQL case, and the rule that every metric and gate has one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/expect.csv"))


def insert(con, path: Path) -> None:
    """Insert a CSV into the table its name says; the table's own types decide what the text means."""
    _, schema, table, _ = path.name.split(".")
    replaces = (schema, table) in {
        *(
            ("ref", "metric_windows"),
            ("ref", "calendar"),
            ("ref", "as_of"),
            ("ref", "windows"),
            ("meta", "streams"),
            ("scores", "metric"),
            ("scores", "gap"),
            ("scores", "control_chart"),
            ("scores", "team"),
        ),
    }
    if replaces:
        con.execute(f"delete from {schema}.{table}")
    con.execute(
        f"insert into {schema}.{table} by name select * from read_csv($1, header = true, all_varchar = true)",
        [str(path)],
    )


def give(con, context, case: Path) -> None:
    """Insert a case's rows; then the tables that say who owns what at each of its instants follow from them."""
    for path in sorted(case.glob("given.*.csv")):
        insert(con, path)
    con.execute(
        """insert into ref.as_of select distinct as_of, grain, as_of - interval 31 day, "on", 'case' from ref.metric_windows
           where (as_of, grain) not in (select (as_of, grain) from ref.as_of)"""
    )
    for name in ("ref.owned_services", "ref.owned_datastores"):
        con.execute(f"delete from {name}")
        con.execute(f"insert into {name} {context.files[name].text}")


def approximately(actual, expected) -> bool:
    if isinstance(actual, float) and isinstance(expected, float):
        return math.isclose(actual, expected, abs_tol=5e-5)
    return actual == expected


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_case(case, warehouse, context):
    schemas = ("metrics", "gates", "facts", "diagnostics", "organisation", "alarms", "marts", "ref", "scores")
    names = [f"{schema}.{case.parent.name}" for schema in schemas if f"{schema}.{case.parent.name}" in context.files]
    file = context.files[names[0]]
    give(warehouse, context, case)
    warehouse.execute(f"create or replace temp table actual as {file.text}")
    warehouse.execute("create or replace temp table expected as select * from actual limit 0")
    header = (case / "expect.csv").read_text().splitlines()[0].split(",")
    warehouse.execute(
        "insert into expected by name select * from read_csv($1, header = true, all_varchar = true)",
        [str(case / "expect.csv")],
    )
    names = ", ".join(f'"{name}"' for name in header)
    actual, expected = (
        warehouse.execute(
            f"select {', '.join(_comparable(warehouse, name) for name in header)} from {table} order by {names}"
        ).fetchall()
        for table in ("actual", "expected")
    )
    assert len(actual) == len(expected), f"{actual} against {expected}"
    for found, wanted in zip(actual, expected, strict=True):
        assert all(map(approximately, found, wanted)), f"{header}: {found} against {wanted}"


def _comparable(con, name: str) -> str:
    """Decimals and floats compare as floats, everything else as it is."""
    ((kind,),) = con.execute(
        "select data_type from duckdb_columns() where table_name = 'actual' and column_name = $1", [name]
    ).fetchall()
    return f'cast("{name}" as double)' if kind.startswith(("DECIMAL", "DOUBLE", "HUGEINT")) else f'"{name}"'


def test_every_metric_gate_diagnostic_fact_and_alarm_has_a_case(context):
    covered = {case.parent.name for case in CASES}
    kinds = {"metrics", "gates", "diagnostics", "organisation", "alarms"}
    needed = {file.name for file in context.files.values() if file.schema in kinds}
    assert needed <= covered


METRIC_CASES = [
    case for case in CASES if case.parent.name[:4] in {"mon_", "mnt_", "inc_", "scl_", "sec_", "aut_", "bck_"}
]


@pytest.mark.parametrize("case", METRIC_CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_evidence_recounts_to_the_metric(case, warehouse, context):
    """The evidence rows are the items that the metric's own SQL sums: they add up to its numbers."""
    file = context.files[f"metrics.{case.parent.name}"]
    entity = ", entity_id" if context.catalogue.metric(file.name).header.entity else ""
    give(warehouse, context, case)
    key = f"team_id, grain, as_of{entity}"
    numbers = warehouse.execute(
        f"select {key}, numerator::double, denominator::double from ({file.text}) order by {key}"
    ).fetchall()
    recounted = warehouse.execute(
        f"""select {key}, sum(coalesce(numerator, 0))::double, sum(denominator)::double
            from ({file.evidence()}) group by all order by {key}"""
    ).fetchall()
    assert numbers
    assert numbers == recounted

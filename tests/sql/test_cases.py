"""Every SQL case, and that the evidence of a metric recounts to its numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from opsmetrics.warehouse.goal_effects import read_goal_effects
from tests.sql.cases import BY_PYTHON, CASES, table_of

# What a case gives of these is all there is; of every other table it is added to the base organisation.
REPLACED = {
    "facts.measured_windows",
    "ref.metric_windows",
    "ref.calendar",
    "ref.as_of",
    "ref.windows",
    "meta.known",
    "meta.metrics",
    "meta.delivered_days",
    "meta.untold",
    "meta.streams",
    "scores.metric",
    "scores.change_metric",
    "scores.gap",
    "scores.control_chart",
    "scores.area",
    "scores.team",
}
# Quoted, an empty text is a text; unquoted it is null.
CSV = "read_csv($1, header = true, all_varchar = true, allow_quoted_nulls = false)"


def insert(con, path: Path) -> None:
    """Insert a CSV into the table its name says; the table's own types decide what the text means."""
    _, schema, table, _ = path.name.split(".")
    if f"{schema}.{table}" in REPLACED:
        con.execute(f"delete from {schema}.{table}")
    con.execute(f"insert into {schema}.{table} by name select * from {CSV}", [str(path)])


def give(con, context, case: Path) -> None:
    """Insert a case's rows; then the tables that say who owns what at each of its instants follow from them."""
    given = sorted(case.glob("given.*.csv"))
    for path in given:
        insert(con, path)
    names = {path.name for path in given}
    # A window says that its instant is one; where a case gives instants and no windows, those are all.
    if "given.ref.as_of.csv" not in names or "given.facts.measured_windows.csv" in names:
        con.execute(
            """insert into ref.as_of
               select distinct as_of, grain, as_of - interval 31 day, "on", 'case' from facts.measured_windows
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
    table = table_of(case, context.files)
    give(warehouse, context, case)
    if table in BY_PYTHON:
        warehouse.register("made", read_goal_effects(warehouse))
        warehouse.execute("create or replace temp table actual as select * from made")
        warehouse.unregister("made")
    else:
        warehouse.execute(f"create or replace temp table actual as {context.files[table].text}")
    warehouse.execute("create or replace temp table expected as select * from actual limit 0")
    header = (case / "expect.csv").read_text().splitlines()[0].split(",")
    warehouse.execute(
        f"insert into expected by name select * from {CSV}",
        [str(case / "expect.csv")],
    )
    names = ", ".join(f'"{name}"' for name in header)
    shown = comparable(warehouse, header)
    actual, expected = (
        warehouse.execute(f"select {shown} from {table} order by {names}").fetchall()
        for table in ("actual", "expected")
    )
    assert len(actual) == len(expected), f"{actual} against {expected}"
    for found, wanted in zip(actual, expected, strict=True):
        assert all(map(approximately, found, wanted)), f"{header}: {found} against {wanted}"


def comparable(con, header: list[str]) -> str:
    """Decimals and floats compare as floats, everything else as it is."""
    kinds = dict(con.execute("select column_name, column_type from (describe actual)").fetchall())
    floats = {name for name, kind in kinds.items() if kind.startswith(("DECIMAL", "DOUBLE", "HUGEINT"))}
    return ", ".join(f'cast("{name}" as double)' if name in floats else f'"{name}"' for name in header)


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
        f"""select {key}, sum(numerator)::double, sum(denominator)::double
            from ({file.evidence()}) group by all order by {key}"""
    ).fetchall()
    assert numbers
    assert numbers == recounted

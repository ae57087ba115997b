"""Worked cases of SQL files: rows that are given, and what the file must make of them.

A case is a folder with ``given.<schema>.<table>.csv`` files and ``expect.csv``; its name is the rule that it shows. It
runs on a small base organisation: two teams with a service each, evaluated at the end of August 2026. The project's own
cases lie in its tests; those of an organisation's own metrics in ``metrics/cases/<metric>/`` beside its configuration.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from opsmetrics.build.context import Context, load_context
from opsmetrics.build.plan import Kind, Plan
from opsmetrics.build.stages import perform_all
from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.overlay import FILE
from opsmetrics.catalogue.schemas import NAMES
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import Settings

AS_OF = "2026-08-31T22:00:00Z"  # 1 September 2026, midnight in Oslo
NOW = datetime(2026, 9, 1, 4, tzinfo=UTC)
ORGANISATION = {
    "organisation.toml": 'id = "cases"\nname = { nb = "Tilfeller", en = "Cases" }\nhistory_from = 2026-01-01\n',
    "teams.toml": (
        '[[team]]\nid = "t1"\nname = { nb = "T1", en = "T1" }\ntype = "product"\nonboarded_on = 2020-01-01\n'
    ),
    "services.toml": (
        '[[service]]\nid = "s1"\nname = { nb = "S1", en = "S1" }\ncriticality = "critical"\n'
        'owners = [{ team = "t1", from = 2020-01-01 }]\n'
    ),
    "sources.toml": 'root = "."\n',
}
# Two teams with a service each; cases may add to it.
_BASE = """
    insert into ref.teams values
        ('t1', 'T1', 'T1', 'product', '2020-01-01'), ('t2', 'T2', 'T2', 'product', '2020-01-01');
    insert into ref.services values ('s1', 'S1', 'S1', 'critical', 3, null), ('s2', 'S2', 'S2', 'ordinary', 1, null);
    insert into ref.service_names values ('s1', 's1'), ('s2', 's2');
    insert into ref.team_names values
        ('t1', 't1', '2000-01-01', '2200-01-01'), ('t2', 't2', '2000-01-01', '2200-01-01');
    insert into ref.service_owners values
        ('s1', 't1', '2020-01-01', '2200-01-01'), ('s2', 't2', '2020-01-01', '2200-01-01');
"""
# Streams of which each day was delivered, unless a case says which were.
_DELIVERED = ("capacity_samples", "deployments", "latency_daily", "recovery_points", "toil_reports", "update_episodes")
_CLEARED = (
    "ref.teams",
    "ref.team_names",
    "ref.services",
    "ref.service_names",
    "ref.service_owners",
    "facts.measured_windows",
    "ref.metric_windows",
    "ref.windows",
    "ref.as_of",
    "ref.oncall_duties",
    "meta.delivered_days",
)
# What a case gives of these is all there is; of every other table it is added to the base organisation.
_REPLACED = {
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
_CSV = "read_csv($1, header = true, all_varchar = true, allow_quoted_nulls = false{})"
# Where commas part the names nothing is left to find out: to try every form of a few rows costs more than their insert.
_COMMAS = """, delim = ',', quote = '"', escape = '"'"""
_WINDOWS = (0, 28, 90, 91, 180, 365)


def write_organisation(folder: Path) -> Path:
    """Write the configuration that cases run under, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ORGANISATION.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def build_empty(context: Context, path: Path, plan: Plan) -> None:
    """Write a warehouse file with the tables of a plan, built on no data at all."""
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        for schema in NAMES:
            con.execute(f"create schema {schema}")
        perform_all(con, context, plan)
        con.execute(f"attach '{path}' as template")
        con.execute("copy from database memory to template")


def add_base(con: duckdb.DuckDBPyConnection, context: Context) -> None:
    """Insert the base organisation, with one window per metric."""
    for table in _CLEARED:
        con.execute(f"delete from {table}")
    for statement in _BASE.strip().split(";"):
        if statement.strip():
            con.execute(statement)
    con.execute(
        "insert into ref.as_of values ($1, 'month', $1::timestamptz - interval 31 day, '2026-08-31', '2026-08')",
        [AS_OF],
    )
    for days in sorted({*_WINDOWS, *(metric.window_days for metric in context.catalogue.metrics if metric.is_own)}):
        con.execute(
            "insert into ref.windows values ($1, $2, 'month', '2026-08-31', $2::timestamptz - to_days($1::int),"
            " date '2026-09-01' - $1::int)",
            [days, AS_OF],
        )
    con.execute(
        "insert into meta.delivered_days select s.stream, c.day from (select unnest($1::varchar[]) as stream) as s"
        " cross join ref.calendar as c where c.day <= '2026-08-31'",
        [list(_DELIVERED)],
    )
    for metric in context.catalogue.metrics:
        con.execute(
            "insert into facts.measured_windows values"
            " ($1, $2, 'month', '2026-08-31', $2::timestamptz - to_days($3), 1, null)",
            [metric.id, AS_OF, metric.window_days],
        )


def give(con: duckdb.DuckDBPyConnection, context: Context, case: Path) -> None:
    """Insert a case's rows; then the tables that say who owns what at each of its instants follow from them."""
    given = sorted(case.glob("given.*.csv"))
    for path in given:
        _insert(con, path)
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


def _insert(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Insert a CSV into the table its name says; the table's own types decide what the text means."""
    _, schema, table, _ = path.name.split(".")
    if f"{schema}.{table}" in _REPLACED:
        con.execute(f"delete from {schema}.{table}")
    con.execute(f"insert into {schema}.{table} by name select * from {_csv(path)}", [str(path)])


def _csv(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return _CSV.format(_COMMAS if "," in file.readline() else "")


def difference(con: duckdb.DuckDBPyConnection, case: Path) -> str:
    """Say how the temporary table ``actual`` differs from what a case expects; empty where it does not."""
    con.execute("create or replace temp table expected as select * from actual limit 0")
    header = (case / "expect.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    con.execute(f"insert into expected by name select * from {_csv(case / 'expect.csv')}", [str(case / "expect.csv")])
    names = ", ".join(f'"{name}"' for name in header)
    shown = _comparable(con, header)
    actual, expected = (
        con.execute(f"select {shown} from {table} order by {names}").fetchall() for table in ("actual", "expected")
    )
    if len(actual) != len(expected):
        return f"{len(actual)} rows against {len(expected)}: {actual} against {expected}"
    for found, wanted in zip(actual, expected, strict=True):
        if not all(map(_approximately, found, wanted)):
            return f"{header}: {found} against {wanted}"
    return ""


def _approximately(actual: object, expected: object) -> bool:
    if isinstance(actual, float) and isinstance(expected, float):
        return math.isclose(actual, expected, abs_tol=5e-5)
    return actual == expected


def _comparable(con: duckdb.DuckDBPyConnection, header: list[str]) -> str:
    """Decimals and floats compare as floats, everything else as it is."""
    kinds = dict(con.execute("select column_name, column_type from (describe actual)").fetchall())
    floats = {name for name, kind in kinds.items() if kind.startswith(("DECIMAL", "DOUBLE", "HUGEINT"))}
    return ", ".join(f'cast("{name}" as double)' if name in floats else f'"{name}"' for name in header)


def recounted(con: duckdb.DuckDBPyConnection, context: Context, metric_id: str) -> str:
    """Say how the evidence of a metric fails to add up to its numbers, on the rows that were given; else empty."""
    metric = context.catalogue.metric(metric_id)
    key = f"team_id, grain, as_of{', entity_id' if metric.header.entity else ''}"
    sums = "numerator::double, denominator::double"
    numbers = con.execute(f"select {key}, {sums} from ({metric.file.text}) order by {key}").fetchall()
    again = con.execute(
        f"""select {key}, sum(numerator)::double, sum(denominator)::double
            from ({metric.file.evidence()}) group by all order by {key}"""
    ).fetchall()
    return "" if numbers == again else f"the evidence adds up to {again}, the metric says {numbers}"


@contextmanager
def _prepared(settings: Settings, organisation: Path) -> Generator[tuple[duckdb.DuckDBPyConnection, Context]]:
    """The base organisation with the own metrics and numbers of a configuration, in a scratch warehouse."""
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as name:
        folder = write_organisation(Path(name) / "org")
        shutil.copytree(organisation / "metrics", folder / "metrics")
        if (organisation / FILE).exists():
            shutil.copy(organisation / FILE, folder / FILE)
        context = load_context(replace(settings, home=Path(name) / "home", org=folder, data=None, now=NOW))
        wanted = {Kind.INGEST, Kind.REFERENCE, Kind.SQL}
        stages = context.plan.part(Kind.INGEST, Kind.SCORES).stages
        path = Path(name) / "cases.duckdb"
        build_empty(context, path, Plan(tuple(stage for stage in stages if stage.kind in wanted)))
        with duckdb.connect(str(path)) as con:
            con.execute("set timezone = 'UTC'")
            add_base(con, context)
            yield con, context


def run_own_cases(settings: Settings, organisation: Path, metric_id: str) -> dict[str, str]:
    """Run the cases of an organisation's own metric.

    Args:
        settings: Where the shipped SQL is.
        organisation: Folder of the configuration.
        metric_id: The metric.

    Returns:
        Case -> what is wrong with it; empty where it holds.

    Raises:
        ConfigurationError: There is no such metric, or it has no case.
        SqlFileError: A metric breaks its form, or its result breaks its contract.
    """
    path = organisation / "metrics" / f"{metric_id}.sql"
    folder = organisation / "metrics" / "cases" / metric_id
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in path.parent.glob("*.sql"))) or "there is none yet"
        raise ConfigurationError([Problem(str(path), None, "there is no such metric", f"own metrics: {known}")])
    cases = sorted(found.parent for found in folder.glob("*/expect.csv"))
    if not cases:
        fix = f"write {folder.relative_to(organisation)}/<what it shows>/given.facts.<table>.csv and expect.csv"
        raise ConfigurationError([Problem(str(path), None, "the metric has no case", fix)])
    # What is wrong with the configuration is said of its own files, not of their copies.
    load_catalogue(settings.sql, load_all(settings.sql, organisation), organisation)
    found: dict[str, str] = {}
    with _prepared(settings, organisation) as (con, context):
        for case in cases:
            con.execute("begin")
            try:
                give(con, context, case)
                con.execute(f"create or replace temp table actual as {context.files[f'metrics.{metric_id}'].text}")
                found[case.name] = difference(con, case) or recounted(con, context, metric_id)
            except duckdb.Error as error:
                found[case.name] = str(error).splitlines()[0]
            con.execute("rollback")
    return found

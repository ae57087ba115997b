"""The heavy daily facts by others: ``python -m benchmarks.others [--teams N] [--days N]``.

dbt-duckdb runs our own SQL files as its models, Spark runs them through our engine on this machine, and pandas does the
runs of equal state by hand, as one would. All start from the same landed probe results, each in a process of its
own, and the runs that each finds are held against ours.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from benchmarks.estate import Estate, land_estate, write_organisation
from benchmarks.figures import Figure, Report, peak_mib
from benchmarks.warehouse import HEAVY, settings_for
from opsmetrics import build as plans
from opsmetrics.core.settings import SPARK_ENGINE, Settings, environment
from opsmetrics.warehouse import build_table, connect

RUNS = "facts.monitor_day_runs"
# What is made of single probe results; the rest is made of runs, a hundredth as many.
FACTS = HEAVY[: HEAVY.index(RUNS) + 1]
_PROFILE = """
facts:
  target: here
  outputs:
    here: {{ type: duckdb, path: "{path}", threads: 2, settings: {{ memory_limit: 2GB, timezone: UTC }} }}
"""
_PROJECT = "name: facts\nversion: '1.0'\nprofile: facts\nmodel-paths: [models]\nmacro-paths: [macros]\n"
# The schemas of our files, not dbt's names for them.
_SCHEMAS = "{% macro generate_schema_name(custom, node) %}{{ custom }}{% endmacro %}"


def prepare(con: duckdb.DuckDBPyConnection, context: plans.Context) -> None:
    """Bring in what the heavy tables are made of."""
    plans.perform_all(con, context, context.plan.part(plans.Kind.INGEST, plans.Kind.REFERENCE))


def ours(settings: Settings) -> float:
    """Build the heavy tables; return the seconds."""
    context = plans.load_context(settings)
    with connect(settings.warehouse) as con:
        if context.engine.external_streams:
            # Beginning a session is not what is measured.
            context.engine.ask(con, "select count(*) from ref.service_names", "true")
            prepare(con, context)
        began = time.perf_counter()
        for table in FACTS:
            build_table(con, context.files[table], context.catalogue, context.files, context.engine)
        return time.perf_counter() - began


def dbt(settings: Settings) -> float:
    """Let dbt make the same tables from the same files; return the seconds of its run."""
    files = plans.load_context(settings).files
    folder = settings.home / "dbt"
    (folder / "models").mkdir(parents=True)
    (folder / "macros").mkdir()
    for table in FACTS:
        text = files[table].text
        for other in FACTS:
            text = text.replace(other, f"{{{{ ref('{other.split('.')[1]}') }}}}")
        head = f"{{{{ config(materialized='table', schema='{files[table].schema}') }}}}\n"
        (folder / "models" / f"{files[table].name}.sql").write_text(head + text)
    (folder / "macros" / "schemas.sql").write_text(_SCHEMAS)
    (folder / "dbt_project.yml").write_text(_PROJECT)
    (folder / "profiles.yml").write_text(_PROFILE.format(path=settings.warehouse))
    command = [str(Path(sys.executable).parent / "dbt"), "--quiet", "--no-send-anonymous-usage-stats", "run"]
    began = time.perf_counter()
    subprocess.run([*command, "--project-dir", folder, "--profiles-dir", folder], check=True, cwd=folder)  # noqa: S603
    return time.perf_counter() - began


def by_pandas(settings: Settings) -> float:
    """Find the runs of each monitor and day with pandas; return the seconds."""
    hold = "select distinct monitor_id, 60 as hold_minutes from raw.availability_checks"
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        monitors = con.sql(hold).df()
    began = time.perf_counter()
    paths = sorted((settings.landing / "availability_checks").glob("*.parquet"))
    wanted = ["monitor_id", "checked_at", "status", "http_status", "sequence", "_day"]
    checks: Any = pd.concat([pd.read_parquet(path, columns=wanted) for path in paths], ignore_index=True)
    checks = checks.merge(monitors, on="monitor_id").sort_values(["_day", "monitor_id", "checked_at", "sequence"])
    groups = checks.groupby(["_day", "monitor_id"], sort=False)
    gap = checks["checked_at"] - groups["checked_at"].shift()
    is_new = (checks["status"] != groups["status"].shift()) | (gap > pd.to_timedelta(checks["hold_minutes"], "min"))
    checks["run_number"] = is_new.astype("int64").groupby([checks["_day"], checks["monitor_id"]]).cumsum()
    runs: Any = checks.groupby(["_day", "monitor_id", "run_number"], sort=False).agg(
        status=("status", "first"),
        starts_at=("checked_at", "min"),
        last_checked_at=("checked_at", "max"),
        check_count=("checked_at", "size"),
    )
    seconds = time.perf_counter() - began
    runs.reset_index().to_parquet(settings.home / "runs.parquet")
    return seconds


ROLES = {"ours": ours, "Spark": ours, "dbt": dbt, "pandas": by_pandas}


def measured(role: str, home: Path, work: Path) -> dict[str, Any]:
    """Run one of them on a copy of the prepared state, in a process of its own."""
    own = work / role
    own.mkdir()
    shutil.copytree(home / "org", own / "org")
    (own / "landing").symlink_to(home / "landing")
    shutil.copy2(home / "working.duckdb", own / "working.duckdb")
    command = [sys.executable, "-m", "benchmarks.others", "--role", role, "--home", str(own)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    return json.loads(done.stdout.strip().splitlines()[-1])


def same(work: Path) -> None:
    """Hold the runs that each found against ours.

    Raises:
        RuntimeError: They differ, and so would the comparison.
    """
    columns = "day, split_part(monitor_key, '/', -1) as monitor, status, starts_at, last_checked_at, check_count"
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        own = "_day as day, monitor_id as monitor, * exclude (_day, monitor_id, run_number)"
        selects = {"pandas": f"select {own} from '{work}/pandas/runs.parquet'"}
        for role in ("ours", "Spark", "dbt"):
            con.execute(f"attach '{work}/{role}/working.duckdb' as {role} (read_only)")
            selects[role] = f"select {columns} from {role}.{RUNS}"
        for role in ("Spark", "dbt", "pandas"):
            pairs = ((selects["ours"], selects[role]), (selects[role], selects["ours"]))
            counts = [con.execute(f"select count(*) from (({a}) except all ({b}))").fetchall()[0][0] for a, b in pairs]
            if counts != [0, 0]:
                raise RuntimeError(f"{role} finds other runs than ours: {counts}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teams", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--role", choices=ROLES)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    estate = Estate(teams=options.teams, days=options.days, pages=0.01, incidents=0.001, first=date(2025, 1, 1))
    if options.role:
        own = settings_for(estate, options.home)
        engine = {"OPSMETRICS_ENGINE": SPARK_ENGINE, "OPSMETRICS_SPARK_MASTER": "local[2]"}
        with environment(engine if options.role == "Spark" else {}):
            found = Settings.from_env()
            own = Settings(
                own.home, own.org, None, own.now, own.sql, engine=found.engine, spark_master=found.spark_master
            )
            print(json.dumps({"seconds": ROLES[options.role](own), "mib": peak_mib()}))
        return
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        home = work / "home"
        write_organisation(estate, home / "org")
        land_estate(estate, home / "landing")
        settings = settings_for(estate, home)
        with connect(settings.warehouse) as con:
            prepare(con, plans.load_context(settings))
            ((rows,),) = con.execute("select count(*) from raw.availability_checks").fetchall()
        found = {role: measured(role, home, work) for role in ROLES}
        same(work)
        memory = {role: f"{item['mib']:,.0f} MiB" for role, item in found.items()}
        base = found["ours"]["seconds"]
        report.add(Figure("the same facts: ours", base, note=f"{rows:,} probe results, {memory['ours']}"))
        notes = {
            "dbt": "our SQL files as its models, all at once; starting dbt included",
            "Spark": "through our engine, on this machine; starting Java left out",
            "pandas": f"runs only, all in memory: {memory['pandas']}",
        }
        for role, note in notes.items():
            report.add(Figure(f"the same facts: {role}", found[role]["seconds"], base, "ours", note=note))


if __name__ == "__main__":
    main()

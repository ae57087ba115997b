"""The asset graph: a golden list, Dagster's own view of it, and a run of it through Dagster."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.resources import WRITER_TAG, Workspace
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.settings import default_sql_root
from opsmetrics.landing import load_paths, read_load
from opsmetrics.snapshots.store import current
from opsmetrics.streams import STREAMS
from pipelines.definitions import build_definitions, build_graph
from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "graph.txt"


@pytest.fixture(scope="module")
def definitions():
    return build_definitions()


def describe(definitions: dg.Definitions) -> list[str]:
    """One line per asset: key, group, partitions, pool, dependencies."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.to_user_string()):
        node = graph.get(key)
        parents = " ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        daily = "daily" if node.partitions_def else "whole"
        pools = ",".join(sorted(node.pools or ())) or "-"
        lines.append(f"{key.to_user_string()} | {node.group_name} | {daily} | {pools} | {parents}")
    return lines


def test_the_graph_is_the_one_we_agreed_on(definitions):
    """A changed graph shows as a diff: UPDATE_GOLDEN=1 writes the list again."""
    lines = describe(definitions)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text("\n".join(lines) + "\n")
    assert GOLDEN.read_text().splitlines() == lines


def test_the_queue_begins_one_at_a_time_of_the_jobs_that_open_the_working_file(definitions):
    jobs = [job for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")]
    writing = {job.name for job in jobs if any(node.pool == "duckdb_writer" for node in job.all_node_defs)}
    assert writing == {"build_and_publish", "upkeep"}
    assert {job.name for job in jobs if WRITER_TAG in job.run_tags} == writing
    settings = yaml.safe_load((ROOT / "dagster_home" / "dagster.yaml").read_text())
    assert settings["concurrency"]["runs"]["tag_concurrency_limits"] == [{"key": WRITER_TAG, "limit": 1}]


def test_whatever_opens_the_working_file_runs_in_the_pool_of_one():
    graph = build_graph()
    assert all(asset.op.pool == "duckdb_writer" for asset in [*graph.tables, graph.snapshot])
    assert not any(asset.op.pool == "duckdb_writer" for asset in graph.pulls)


def test_every_sql_file_has_its_contract_as_a_blocking_check(definitions):
    checks = [check for asset in build_graph().tables for check in asset.check_specs if check.name == "contract"]
    assert {check.asset_key.to_user_string() for check in checks} == {
        name.replace(".", "/") for name in load_all(default_sql_root())
    }
    assert all(check.blocking for check in checks)


def test_jobs_and_schedules_are_in_oslo_time(definitions):
    repository = definitions.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} >= {"pull_daily", "build_and_publish"}
    zones = {schedule.execution_timezone for schedule in repository.schedule_defs}
    assert zones == {"Europe/Oslo"}
    assert len(repository.schedule_defs) == 6


def test_a_backfill_of_many_days_is_one_run(small, tmp_path):
    workspace = Workspace(home=str(tmp_path / "home"), org=str(small))
    (pull,) = [asset for asset in build_graph().pulls if asset.key.path[1] == "availability_checks"]
    with dg.instance_for_test() as instance:
        result = dg.materialize(
            [pull],
            resources={"workspace": workspace},
            instance=instance,
            tags={
                "dagster/asset_partition_range_start": "2026-08-25",
                "dagster/asset_partition_range_end": "2026-08-28",
            },
        )
        assert result.success
        days = instance.get_materialized_partitions(pull.key)
    assert days == {f"2026-08-{day}" for day in range(25, 29)}
    loads = [read_load(path) for path in load_paths(tmp_path / "home/landing", "availability_checks")]
    # Three days before the asked ones are read again: their rows may still have changed.
    assert [load.window_start for load in loads] == [date(2026, 8, day) for day in range(22, 29)]


def test_the_jobs_run_through_dagster_and_publish(small, tmp_path):
    workspace = Workspace(home=str(tmp_path / "home"), org=str(small))
    definitions = build_definitions(workspace)
    # In memory: a thousand events on disk take longer than what they tell of.
    with dg.DagsterInstance.ephemeral() as instance:
        for day in ("2026-08-30", "2026-08-31"):
            pulled = definitions.resolve_job_def("pull_daily").execute_in_process(partition_key=day, instance=instance)
            assert pulled.success
        built = definitions.resolve_job_def("build_and_publish").execute_in_process(instance=instance)
        assert built.success
        checks = built.get_asset_check_evaluations()
    assert all(check.passed for check in checks)
    assert current(tmp_path / "home" / "snapshots").path.exists()


def test_a_dead_source_warns_and_the_others_go_on(small, tmp_path):
    (small / "data" / "incidents.jsonl").unlink()
    (pull,) = [asset for asset in build_graph().pulls if asset.key.path[1] == "incidents"]
    workspace = Workspace(home=str(tmp_path / "home"), org=str(small))
    result = dg.materialize([pull], resources={"workspace": workspace})
    (failed,) = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert failed.check_name == "source_answered"
    assert failed.severity == dg.AssetCheckSeverity.WARN
    assert "incidents.jsonl" in str(failed.metadata["error"].value)


def test_workspace_yaml_loads_with_plain_dagster(tmp_path):
    """``dagster definitions validate`` with the repository's own workspace.yaml and dagster.yaml."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text((ROOT / "dagster_home" / "dagster.yaml").read_text())
    found = subprocess.run(
        [Path(sys.executable).parent / "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env=os.environ | {"DAGSTER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_stream_has_an_asset(definitions):
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert {f"landing/{name}" for name in STREAMS} | {f"raw/{name}" for name in STREAMS} <= keys

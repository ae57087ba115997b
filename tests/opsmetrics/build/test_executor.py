"""Executing the plan: everything is read once, nothing is built twice, and damage is repaired on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.build import context as contexts
from opsmetrics.build import stages
from opsmetrics.core.errors import SnapshotError, WarehouseDamagedError
from opsmetrics.core.settings import Settings
from opsmetrics.landing import DAMAGED, load_paths
from opsmetrics.operations.backup import back_up
from opsmetrics.snapshots import store


@pytest.fixture
def settings(small_run) -> Settings:
    return small_run


@pytest.fixture
def calls(monkeypatch) -> dict[str, int]:
    """How often a run reads configuration, SQL files and landing."""
    counts: dict[str, int] = {}

    def count(module, name: str) -> None:
        function = getattr(module, name)

        def counting(*args, **kwargs):
            counts[name] = counts.get(name, 0) + 1
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, counting)

    count(contexts, "load_organisation")
    count(contexts, "load_all")
    count(stages, "ingest")
    return counts


def checks(settings: Settings) -> int:
    with duckdb.connect(str(store.current(settings.snapshots).path), read_only=True) as con:
        return con.execute("select count(*) from staging.availability_checks").fetchall()[0][0]


def damage(settings: Settings) -> str:
    path = load_paths(settings.landing, "availability_checks")[3]
    path.write_bytes(path.read_bytes()[:200])
    return path.name


def test_a_run_reads_everything_once_and_with_nothing_new_builds_nothing(settings, calls):
    begun: list[str] = []
    before = store.current(settings.snapshots)
    again = plans.run(settings, plans.Progress(begins=lambda stage: begun.append(stage.name)))
    assert (again.ok, again.changed, again.build_id) == (True, False, before.build_id)
    assert begun == ["ingest", "compare", "publish"]
    assert calls == {"load_organisation": 1, "load_all": 1, "ingest": 1}


def test_a_finished_build_that_was_not_published_is_only_published(settings):
    (settings.snapshots / store.POINTER).unlink()
    begun: list[str] = []
    again = plans.run(settings, plans.Progress(begins=lambda stage: begun.append(stage.name)))
    assert again.changed
    assert begun == ["ingest", "compare", "publish"]


def test_a_damaged_load_is_pulled_again_in_the_same_run(settings, calls):
    whole = checks(settings)
    settings.warehouse.unlink()
    name = damage(settings)
    report = plans.run(settings)
    assert report.ok
    assert [name in text for text in report.set_aside] == [True]
    assert checks(settings) == whole
    assert (settings.landing / "availability_checks" / DAMAGED / name).exists()
    # The second time only the damaged stream is looked at.
    assert calls == {"load_organisation": 1, "load_all": 1, "ingest": 2}


def test_a_build_restores_a_damaged_load_from_the_backup_and_asks_no_source(settings, tmp_path):
    backed = replace(settings, backup=tmp_path / "backup")
    back_up(backed, tmp_path / "backup", datetime(2026, 9, 2, tzinfo=UTC))
    name = damage(backed)
    backed.warehouse.unlink()
    for path in (settings.org / "data" / "checks").glob("*.csv"):
        path.unlink()
    built = plans.build(plans.load_context(backed))
    assert name in built.damaged["availability_checks"][0]
    assert name in {path.name for path in load_paths(backed.landing, "availability_checks")}
    with duckdb.connect(str(backed.warehouse), read_only=True) as con:
        assert con.execute("select count(*) from staging.availability_checks").fetchall() == [(12 * 48,)]


def test_a_working_file_found_damaged_half_way_is_built_again_once(settings, monkeypatch):
    write_scores, failures = stages.write_scores, [1]

    def failing(*args):
        if failures:
            failures.pop()
            settings.warehouse.replace(settings.warehouse.with_suffix(".damaged"))
            raise WarehouseDamagedError("found damaged")
        return write_scores(*args)

    monkeypatch.setattr(stages, "write_scores", failing)
    settings.warehouse.unlink()
    begun: list[str] = []
    report = plans.run(settings, plans.Progress(begins=lambda stage: begun.append(stage.name)))
    assert report.ok
    assert begun.count("scores") == begun.count("ingest") == 2
    assert checks(settings) == 12 * 48
    failures[:] = [1, 1]
    settings.warehouse.unlink()
    with pytest.raises(WarehouseDamagedError):
        plans.run(settings)


def test_one_table_in_an_empty_working_file_is_built_on_what_comes_before(settings):
    """As a step of Dagster does, whose working file was set aside since the step before."""
    settings.warehouse.unlink()
    context = plans.load_context(settings)
    (wanted,) = [stage for stage in context.plan.stages if stage.name == "facts.incidents"]
    ((stage, result),) = plans.perform_stages(context.plan, context, [wanted])
    assert stage == wanted
    assert result.rows == {"facts.incidents": 20}


def test_nothing_is_published_that_was_not_finished(settings):
    settings.warehouse.unlink()
    with pytest.raises(SnapshotError, match="opsmetrics build"):
        plans.publish(plans.load_context(settings))

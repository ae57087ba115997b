"""Scores of instants that did not change are kept; what is kept and what is made again are one with a fresh build."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opsmetrics import build as plans
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.scoring.tables import TABLES
from opsmetrics.sources import pull_stream
from opsmetrics.warehouse import score_tables
from tests.built import LIBRARY, built
from tests.conftest import write_small

NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)


@pytest.fixture
def computed(monkeypatch) -> list[tuple[datetime, str]]:
    """Instants that were computed, in order."""
    found: list[tuple[datetime, str]] = []

    def spied(catalogue, inputs, wanted):
        found.extend(wanted.select("as_of", "grain").rows())
        return real(catalogue, inputs, wanted)

    real = score_tables.compute_instants
    monkeypatch.setattr(score_tables, "compute_instants", spied)
    return found


def settings_of(folder: Path) -> Settings:
    """The small organisation in ``org`` of a folder, without a clock of its own, and its state in ``home``."""
    return Settings(home=folder / "home", org=folder / "org", data=None, now=NOW, sql=default_sql_root())


def write_org(folder: Path) -> None:
    organisation = write_small(folder / "org") / "organisation.toml"
    organisation.write_text(organisation.read_text().replace("now = 2026-09-02T06:00:00Z", ""))


def after_a_run(name: str, change: Callable[[Path], None], target: Path) -> Settings:
    """Settings after a first run of the organisation with a change, in a copy of the test's own."""

    def make(folder: Path) -> None:
        write_org(folder)
        change(folder / "org")
        run(settings_of(folder))

    kept = built(name, make, (*LIBRARY, "tests/conftest.py", "tests/opsmetrics/warehouse/test_changed_instants.py"))
    for part in ("org", "home"):
        shutil.copytree(kept / part, target / part, symlinks=True)
    return settings_of(target)


@pytest.fixture
def ran(tmp_path) -> Settings:
    """Settings after a first run."""
    return after_a_run("instants", lambda _: None, tmp_path)


@pytest.fixture
def ran_on_one_area(tmp_path) -> Settings:
    """The same of an organisation of which one area has a score."""
    return after_a_run("instants-of-one-area", measure_one_area, tmp_path)


def run(settings: Settings) -> None:
    context = plans.load_context(settings)
    for name in context.organisation.streams:
        pull_stream(settings, context.organisation, name)
    plans.build(context)


def content(settings: Settings) -> dict[str, list[tuple]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        return {name: sorted(con.execute(f"from scores.{name}").fetchall(), key=repr) for name in TABLES}


def instants(settings: Settings) -> set[tuple[datetime, str]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        return set(con.sql("select distinct as_of, grain from ref.metric_windows").pl().rows())


def fresh(settings: Settings, tmp_path) -> dict[str, list[tuple]]:
    """The same landing, built from nothing."""
    scratch = replace(settings, home=tmp_path / "fresh")
    shutil.rmtree(scratch.home, ignore_errors=True)
    scratch.home.mkdir()
    (scratch.home / "landing").symlink_to(settings.landing)
    shutil.copytree(settings.home / "pulls", scratch.home / "pulls")
    plans.build(plans.load_context(scratch))
    return content(scratch)


def score_again(settings: Settings, *lost: str) -> None:
    """Lose tables of scores, and make what is missing of the facts and metrics that are there."""
    context = plans.load_context(settings)
    with duckdb.connect(str(settings.warehouse)) as con:
        for name in lost:
            con.execute(f"drop table scores.{name}")
    plans.execute(context.plan.part(plans.Kind.SCORES, plans.Kind.SCORES), context)


def measure_one_area(org: Path) -> None:
    """Leave only what the small organisation measures, so that there is an area with a score."""
    unmeasured = ("aut_iac_managed_share", "aut_toil_share", "aut_update_bot_coverage")
    (org / "registers").mkdir()
    (org / "registers" / "applicability.csv").write_text(
        "team_id,metric_id,reason,approver,valid_from,valid_to\n"
        + "".join(f"alfa,{metric},the team has none of it,board,2026-07-01,2027-07-01\n" for metric in unmeasured)
    )


def test_a_day_later_only_what_a_day_changes_is_computed(ran, tmp_path, computed):
    before = instants(ran)
    assert len(before) > 10
    later = replace(ran, now=NOW + timedelta(days=1))
    day = ran.org / "data" / "checks" / "2026-09-01.csv"
    (day.parent / "2026-09-02.csv").write_text(day.read_text().replace("2026-09-01T", "2026-09-02T"))
    run(later)
    assert 0 < len(set(computed)) < len(before) / 3
    assert {grain for _, grain in computed} <= {"latest", "week"}
    computed.clear()
    assert content(later) == fresh(later, tmp_path)
    assert set(computed) == instants(later), "a first build computes every instant"


def test_news_of_an_old_month_bring_that_month_and_what_rests_on_it(ran, tmp_path, computed):
    path = ran.org / "data" / "incidents.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[4]["manager_assigned_at"] = None
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    run(ran)
    july = datetime(2026, 7, 31, 22, tzinfo=UTC)
    august = datetime(2026, 8, 31, 22, tzinfo=UTC)
    assert (august, "month") in computed
    assert (july, "month") not in computed
    assert content(ran) == fresh(ran, tmp_path)


def test_another_rule_or_register_makes_everything_again(ran, tmp_path, computed):
    registers = ran.org / "registers"
    registers.mkdir()
    (registers / "efforts.csv").write_text("team_id,metric_id,effort_days\nalfa,aut_automated_deploy_share,3\n")
    run(ran)
    assert set(computed) == instants(ran)
    assert content(ran) == fresh(ran, tmp_path)
    computed.clear()
    run(ran)
    assert computed == []


def test_in_parts_of_any_size_scores_are_the_same(ran_on_one_area, monkeypatch):
    # A step is split only where a team has a score at both its ends.
    whole = content(ran_on_one_area)
    monkeypatch.setattr(score_tables, "VALUES_AT_ONCE", 1)
    monkeypatch.setattr(score_tables, "STEPS_AT_ONCE", 1)
    score_again(ran_on_one_area, *TABLES)
    assert content(ran_on_one_area) == whole
    assert whole["metric"]
    assert whole["change"]


def test_plans_follow_a_level_that_days_before_today_changed(ran_on_one_area, computed):
    """As if what is known of the last weeks had moved today's level: today is computed for its plans, nothing else."""
    settings = ran_on_one_area
    whole = content(settings)
    assert whole["plan"]
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("update scores.area set level = null where grain = 'latest'")
        con.execute("update scores.plan set target_level = target_level - 1")
        con.execute("drop table meta.build")
    run(settings)
    assert {grain for _, grain in computed} == {"latest"}
    assert content(settings) == whole


def test_scores_that_were_cut_off_are_made_again(small_run):
    settings = small_run
    whole = content(settings)
    score_again(settings, "gap")
    assert content(settings) == whole


def test_a_week_within_reach_of_a_stale_cell_is_a_part_of_it(small_run):
    """The digest of an instant holds the weeks that a stale cell could carry points from, and no later ones."""
    settings = small_run
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        rows = con.sql("select as_of, grain, own from meta.built_scores").pl()
    weeks = rows.filter(pl.col("grain") == "week").sort("as_of")
    month = rows.filter(pl.col("grain") == "month").sort("as_of").tail(1)
    carried = month["own"][0].count("+") + 1
    carry = timedelta(days=plans.load_context(settings).catalogue.ruleset.carry_days)
    near = weeks.filter(pl.col("as_of") <= month["as_of"][0], pl.col("as_of") >= month["as_of"][0] - carry)
    assert carried == near.height > 0

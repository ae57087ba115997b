"""Published scores beside restated ones, the past as it was known, and what other rules or configurations would do."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from opsmetrics import build as plans
from opsmetrics.cli import main
from opsmetrics.core.errors import SqlFileError
from opsmetrics.core.settings import DEMO_ORG, Settings, default_sql_root
from opsmetrics.proposals import preview
from opsmetrics.snapshots.store import current
from opsmetrics.sources import pull_stream
from tests.built import LIBRARY, built
from tests.conftest import write_small

FIRST, LATER = datetime(2026, 9, 4, 6, tzinfo=UTC), datetime(2026, 9, 20, 6, tzinfo=UTC)
KEPT = ("scores", "metrics", "gates", "facts", "diagnostics", "organisation", "alarms", "marts")


def with_a_clock(org: Path) -> Path:
    """The small organisation with a running clock and a year of incidents."""
    path = org / "organisation.toml"
    path.write_text(path.read_text().replace("now = 2026-09-02T06:00:00Z\n", ""))
    path = org / "sources.toml"
    path.write_text(path.read_text().replace("covers = [2026-07-01,", "covers = [2025-07-01,"))
    return org


@pytest.fixture
def org(small) -> Path:
    return with_a_clock(small)


@pytest.fixture
def published(tmp_path) -> tuple[Path, Path, Path]:
    """Copies of its configuration and of its state after the first publication, and what was published."""

    def make(folder: Path) -> None:
        publish(settings_at(with_a_clock(write_small(folder / "org")), folder / "home", FIRST))

    kept = built(
        "first-publication", make, (*LIBRARY, "tests/conftest.py", "tests/journeys/test_published_and_preview.py")
    )
    org, home = (shutil.copytree(kept / part, tmp_path / "published" / part, symlinks=True) for part in ("org", "home"))
    return org, home, current(home / "snapshots").path


def settings_at(org: Path, home: Path, now: datetime) -> Settings:
    return Settings(home=home, org=org, data=None, now=now, sql=default_sql_root())


def publish(settings: Settings) -> Path:
    context = plans.load_context(settings)
    for name in context.organisation.streams:
        pull_stream(settings, context.organisation, name)
    return plans.build_and_publish(context)[0].path


def content(path: Path) -> dict[str, list[tuple]]:
    """Every table that says something about teams."""
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where not temporary"
        ).fetchall()
        return {
            name: sorted(con.execute(f"select * from {name}").fetchall(), key=repr)
            for (name,) in names
            # When a source was last asked is about the pipeline, not about what was known.
            if name.split(".")[0] in KEPT and name != "marts.source_health"
        }


def add_late_incident(org: Path) -> None:
    """An August incident without manager that somebody registered in September."""
    late = {
        "incident_id": "LATE",
        "service_id": "web",
        "severity": 1,
        "declared_at": "2026-08-27T08:00:00Z",
        "resolved_at": "2026-08-27T10:00:00Z",
        "is_exercise": False,
    }
    path = org / "data" / "incidents.jsonl"
    path.write_text(path.read_text() + json.dumps(late) + "\n")


def exempt(org: Path, *metrics: str) -> None:
    """Of the area ``inc`` only what the small organisation measures is left: it has a score (coverage 0.4)."""
    (org / "registers").mkdir()
    (org / "registers" / "applicability.csv").write_text(
        "team_id,metric_id,reason,approver,valid_from,valid_to\n"
        + "".join(f"alfa,{metric},the team has none of it,board,2026-07-01,2027-07-01\n" for metric in metrics)
    )


def rows(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        return con.execute(query).fetchall()


def test_a_restated_score_stands_beside_the_published_one_with_its_cause(org, tmp_path):
    home = tmp_path / "home"
    exempt(
        org,
        "inc_ack_within_target",
        "inc_actions_on_time",
        "inc_assist_response",
        "inc_known_error_docs",
        "inc_oncall_coverage",
        "inc_postmortem_on_time",
    )
    first = publish(settings_at(org, home, FIRST))
    assert rows(first, "select count(*) from scores.published") == [(0,)]
    add_late_incident(org)
    second = publish(settings_at(org, home, LATER))
    metric = "metric_id = 'inc_incident_manager_involved' and team_id = 'alfa' and grain = 'month'"
    ((was, now, difference, cause, locked),) = rows(
        second,
        f"select published_score, restated_score, difference, cause, is_locked from scores.published where {metric}",
    )
    assert was == 100.0
    assert now < was
    assert difference == now - was
    assert (cause, locked) == ("late_data", True)
    area = rows(
        second,
        "select cause from scores.published where team_id = 'alfa' and area_id = 'inc' and metric_id = ''",
    )
    assert set(area) == {("late_data",)}
    untouched = rows(second, "select distinct cause from scores.published where team_id = 'beta'")
    assert untouched == [("none",)]


def test_other_rules_waivers_and_owners_are_named_as_causes(published, tmp_path):
    org, home, _ = published
    rules = other_rules(tmp_path)
    (org / "registers").mkdir()
    (org / "registers" / "waivers.csv").write_text(
        "waiver_id,team_id,metric_id,reason,compensating_measure,approver,valid_from,valid_to\n"
        "w1,alfa,aut_automated_deploy_share,Venter på ny plattform,Manuell kontroll hver uke,leder,2026-08-01,2026-12-01\n"
    )
    second = publish(replace(settings_at(org, home, LATER), sql=rules))
    causes = dict(
        rows(
            second,
            "select metric_id, cause from scores.published where team_id = 'alfa' and cause <> 'none' and metric_id <> '' and grain = 'month'",
        )
    )
    assert causes["aut_automated_deploy_share"] == "waivers"
    assert causes["aut_change_fail_rate"] == "rules"
    services = org / "services.toml"
    services.write_text(
        services.read_text().replace(
            'owners = [{ team = "beta", from = 2025-01-01 }]',
            'owners = [{ team = "beta", from = 2025-01-01, to = 2026-08-01 }, { team = "alfa", from = 2026-08-01 }]',
        )
    )
    third = publish(replace(settings_at(org, home, datetime(2026, 9, 21, 6, tzinfo=UTC)), sql=rules))
    causes = set(rows(third, "select cause from scores.published where team_id = 'beta' and metric_id <> ''"))
    assert ("ownership",) in causes


def test_the_past_as_it_was_known_comes_back_bit_for_bit(published):
    org, home, first = published
    add_late_incident(org)
    publish(settings_at(org, home, LATER))
    again = plans.load_context(settings_at(org, home, LATER), FIRST)
    plans.build(again)
    assert content(again.settings.warehouse) == content(first)


def test_a_publication_is_landed_once_and_after_a_crash_by_the_next_run(published):
    org, home, _ = published
    settings = settings_at(org, home, FIRST)
    landed = settings.landing / "published_scores"
    assert len(list(landed.glob("*.parquet"))) == 1
    publish(settings)
    assert len(list(landed.glob("*.parquet"))) == 1
    for path in landed.glob("*.parquet"):
        path.unlink()  # as if the process had been killed between publishing and landing
    publish(settings)
    assert len(list(landed.glob("*.parquet"))) == 1


# ---- rules and previews


def other_rules(folder: Path) -> Path:
    """The rules with a harder change fail rate, as a version of their own."""
    rules = folder / "rules"
    shutil.copytree(default_sql_root(), rules)
    file = rules / "metrics" / "aut" / "aut_change_fail_rate.sql"
    file.write_text(
        file.read_text().replace(
            "-- floor = 0.3\n-- krav = 0.15\n-- mal = 0.05", "-- floor = 0.1\n-- krav = 0.05\n-- mal = -0.5"
        )
    )
    areas = rules / "metrics" / "areas.toml"
    areas.write_text(re.sub(r'^version = ".*"$', 'version = "99.0.0"', areas.read_text(), flags=re.MULTILINE))
    try:
        plans.load_context(Settings(home=folder, org=Path("examples/demo"), data=None, now=FIRST, sql=rules))
    except SqlFileError as error:
        record = rules / "metrics" / "rulesets.toml"
        record.write_text(record.read_text() + str(error).split("add the line ")[1] + "\n")
    return rules


def test_a_changed_threshold_under_an_old_version_stops_everything(tmp_path):
    rules = tmp_path / "rules"
    shutil.copytree(default_sql_root(), rules)
    file = rules / "metrics" / "aut" / "aut_change_fail_rate.sql"
    file.write_text(file.read_text().replace("-- krav = 0.15", "-- krav = 0.2"))
    with pytest.raises(SqlFileError, match=r"areas\.toml.*raise the version"):
        plans.load_context(Settings(home=tmp_path, org=Path("examples/demo"), data=None, now=None, sql=rules))


@pytest.fixture
def command(monkeypatch):
    """Call the command line here: what it prints, once it came through."""

    def call(*words: str, home: Path) -> str:
        monkeypatch.setenv("OPSMETRICS_HOME", str(home))
        found = CliRunner().invoke(main, words, catch_exceptions=False)
        assert found.exit_code == 0, found.output
        return found.output

    return call


def test_backtest_lists_who_would_have_stood_elsewhere_and_when(demo_home, tmp_path, command, monkeypatch):
    rules = other_rules(tmp_path)
    before = (demo_home / "snapshots" / "current.json").read_bytes()
    replay, given = preview.backtest, []
    monkeypatch.setattr(preview, "backtest", lambda *words: given.append(replay(*words)) or given[-1])
    printed = command("backtest", "--org", str(demo_home / DEMO_ORG), "--ruleset", str(rules), home=demo_home)
    (moved,) = given
    assert moved.height
    assert (moved["level_after"].fill_null(-1) != moved["level"].fill_null(-1)).all()
    assert (moved["score_after"] <= moved["score"]).all()  # harder rules lift nobody
    assert (demo_home / "snapshots" / "current.json").read_bytes() == before
    assert printed.count("level ") == moved.height


@pytest.fixture
def rebuilt_once(monkeypatch):
    """The same settings are built once, whoever asks: what both answers are made of stays open between them."""
    build, there = preview._rebuilt, {}

    with ExitStack() as stack:

        @contextmanager
        def kept(settings: Settings):
            asked = (settings.home.resolve(), settings.org.resolve(), settings.sql.resolve())
            if asked not in there:
                there[asked] = stack.enter_context(build(settings))
            yield there[asked]

        monkeypatch.setattr(preview, "_rebuilt", kept)
        yield there


def test_the_same_rules_and_configuration_move_nothing(demo_home, tmp_path, command, rebuilt_once):
    same = tmp_path / "org"
    shutil.copytree(demo_home / DEMO_ORG, same)
    assert "all 14 teams keep score" in command("preview", "--org", str(same), home=demo_home)
    # Nor in any month before.
    settings = Settings(home=demo_home, org=same, data=None, now=None, sql=default_sql_root())
    assert preview.backtest(settings, default_sql_root()).is_empty()
    assert len(rebuilt_once) == 1


def test_preview_prints_the_effect_of_a_configuration_as_markdown(demo_home, tmp_path, command):
    changed = tmp_path / "org"
    shutil.copytree(demo_home / DEMO_ORG, changed)
    slo = changed / "slo.toml"
    slo.write_text(slo.read_text().replace("target = 0.999", "target = 0.9"))
    text = command("preview", "--org", str(changed), home=demo_home)
    assert "| Team | Score | Level | Coverage | Areas |" in text
    assert "Incident handling" in text
    assert "teams are not affected" in text


def test_own_rules_are_previewed_published_under_their_own_version_and_rewrite_no_history(published):
    org, home, first = published
    changed = Path(shutil.copytree(org, home.parent / "changed"))
    version = plans.load_context(settings_at(org, home, FIRST)).catalogue.version
    (changed / "rules.toml").write_text(
        f'ruleset = "{version}"\nwhy = "The board wants fewer manual steps."\n'
        "[metric.aut_automated_deploy_share]\nfloor = 0.1\nkrav = 0.2\nmal = 0.3\n"
    )
    said = preview.preview(settings_at(org, home, FIRST), changed)
    assert "| alfa | " in said
    assert "Automat" in said
    before = content(first)
    second = publish(settings_at(changed, home, LATER))
    assert content(first) == before
    with duckdb.connect(str(second), read_only=True) as con:
        ((now,),) = con.execute("select ruleset_version from meta.build").fetchall()
        assert re.fullmatch(rf"{re.escape(version)}\+[0-9a-f]{{8}}", now)
        numbers = "select setting, shipped, own from meta.rule_changes where subject_id = 'aut_automated_deploy_share'"
        assert [row[0] for row in con.execute(f"{numbers} order by setting").fetchall()] == ["floor", "krav", "mal"]
        assert con.execute("select distinct ruleset_version from raw.published_scores").fetchall() == [(version,)]
        # What was published under the shipped rules is told apart as that.
        assert con.execute("select distinct published_ruleset from scores.published").fetchall() == [(version,)]


def test_a_renamed_team_keeps_what_was_published_of_it(published):
    org, home, first = published
    path = org / "teams.toml"
    path.write_text(path.read_text().replace('id = "alfa"', 'id = "omega"\naliases = ["alfa"]'))
    second = publish(settings_at(org, home, LATER))
    with duckdb.connect(str(first), read_only=True) as before, duckdb.connect(str(second), read_only=True) as after:
        was = before.execute(
            "select metric_id, as_of, points, status from scores.metric where grain = 'month' and team_id = 'alfa'"
        ).fetchall()
        told = after.execute(
            "select metric_id, as_of, published_score, published_status from scores.published"
            " where grain = 'month' and team_id = 'omega' and metric_id <> ''"
        ).fetchall()
        last = [row for row in was if row[1] == max(row[1] for row in was)]
        assert any(points is not None for _, _, points, _ in last)
        assert sorted(map(str, last)) == sorted(map(str, told))
        assert after.execute("select count(*) from scores.published where team_id = 'alfa'").fetchone() == (0,)
        causes = after.execute("select distinct cause from scores.published where team_id = 'omega'").fetchall()
        assert "scope" not in {cause for (cause,) in causes}
        owned = after.execute("select count(*) from facts.incidents where team_id = 'omega'").fetchone()
        assert owned == before.execute("select count(*) from facts.incidents where team_id = 'alfa'").fetchone()

"""Changes as a diff with their effect: nothing is written, what is wrong is refused as everywhere."""

from __future__ import annotations

import subprocess
import tomllib
from datetime import date

import pytest

from opsmetrics.core.errors import ConfigurationError, SqlFileError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.proposals import edits, preview
from tests.patience import LIMIT_SECONDS

WAIVER = {
    "waiver_id": "w1",
    "team_id": "alfa",
    "metric_id": "aut_automated_deploy_share",
    "reason": "Venter på ny utrullingsløsning",
    "compensating_measure": "To ser på hver utrulling",
    "approver": "driftsleder",
    "valid_from": date(2026, 8, 1),
    "valid_to": date(2026, 12, 1),
}


@pytest.fixture
def settings(small_run) -> Settings:
    return small_run


def files(settings):
    return {
        path: path.read_bytes()
        for root in (settings.org, settings.sql, settings.home)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_waiver_is_a_line_and_an_effect(settings):
    before = files(settings)
    found = edits.propose(settings, edits.register_row(settings, "waivers", WAIVER))
    assert "+++ b/organisation/registers/waivers.csv" in found.diff
    assert "+w1,alfa,aut_automated_deploy_share,Venter på ny utrullingsløsning" in found.diff
    assert "alfa" in found.effect.moved_teams["team_id"]
    assert files(settings) == before


def test_the_diff_can_be_applied(settings, tmp_path):
    changes = edits.ownership(settings, "web", "beta", date(2026, 9, 1))
    found = edits.propose(settings, changes)
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "organisation").symlink_to(settings.org, target_is_directory=True)
    target = tmp_path / "copy" / "organisation"
    target.parent.mkdir()
    target.mkdir()
    (target / "services.toml").write_bytes((settings.org / "services.toml").read_bytes())
    subprocess.run(
        ["git", "apply", "-"], cwd=target.parent, input=found.diff, text=True, check=True, timeout=LIMIT_SECONDS
    )
    assert (target / "services.toml").read_text() == changes[0].after
    (settings.org / "services.toml").write_text(changes[0].after)
    service = load_organisation(settings.org).services[0]
    assert [(owner.team, owner.valid_from, owner.valid_to) for owner in service.owners] == [
        ("alfa", date(2025, 1, 1), date(2026, 9, 1)),
        ("beta", date(2026, 9, 1), None),
    ]


def test_comments_and_order_stay(settings):
    path = settings.org / "services.toml"
    path.write_text("# who owns what\n" + path.read_text())
    (change,) = edits.ownership(settings, "db", "alfa", date(2026, 9, 1))
    removed = [line for line in change.before.splitlines() if line not in change.after.splitlines()]
    assert change.after.startswith("# who owns what\n")
    assert removed == ['owners = [{ team = "beta", from = 2025-01-01 }]']


def test_a_threshold_is_a_new_ruleset_with_its_digest(settings):
    before = files(settings)
    changes = edits.number(settings, "aut_automated_deploy_share", "krav", 0.95)
    assert [change.path for change in changes] == [
        "metrics/aut/aut_automated_deploy_share.sql",
        "metrics/areas.toml",
        "metrics/rulesets.toml",
    ]
    found = edits.propose(settings, changes)
    assert "-- krav = 0.9\n+-- krav = 0.95\n" in found.diff.replace("--- krav", "-- krav")
    rules = tomllib.loads((default_sql_root() / "metrics" / "areas.toml").read_text(encoding="utf-8"))["ruleset"]
    assert f'+version = "{int(rules["version"].partition(".")[0]) + 1}.0.0"' in found.diff
    assert not found.effect.teams.is_empty()
    assert files(settings) == before


@pytest.mark.parametrize(
    ("register", "values", "said"),
    [
        ("waivers", WAIVER | {"valid_to": date(2028, 1, 1)}, "1 to 180 days"),
        ("waivers", WAIVER | {"team_id": "gamma"}, "gamma"),
        ("waivers", WAIVER | {"reason": "no"}, "reason"),
        ("rosters", WAIVER, "no such register"),
    ],
)
def test_what_is_wrong_is_refused(settings, register, values, said):
    with pytest.raises(ConfigurationError, match=said):
        edits.propose(settings, edits.register_row(settings, register, values))


@pytest.mark.parametrize("metric", ["../../etc/passwd", "aut_nothing", "aut/../mon/mon_alert_precision"])
def test_only_metrics_of_the_catalogue(settings, metric):
    with pytest.raises(ConfigurationError, match="no metric"):
        edits.number(settings, metric, "krav", 0.5)


def test_rules_that_break_their_form_are_refused(settings):
    with pytest.raises(SqlFileError):
        edits.number(settings, "aut_automated_deploy_share", "weight", -3)


def test_a_change_is_not_held_against_the_scores_of_another_setup(settings):
    """The effect would be that of every difference between the two."""
    assert preview.is_of_snapshot(settings)
    path = settings.org / "teams.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")
    assert not preview.is_of_snapshot(settings)
    with pytest.raises(ConfigurationError, match="another configuration"):
        edits.propose(settings, edits.register_row(settings, "waivers", WAIVER))

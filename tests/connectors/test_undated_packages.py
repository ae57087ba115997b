"""From clones to a score where nobody can date some packages: unknown, and neither good nor bad (ADR 51)."""

from __future__ import annotations

import duckdb
import pytest

from opsmetrics import build as plans
from opsmetrics.sources import pull_stream
from tests.conftest import settings_in
from tests.connectors.test_git_clones import Repository, manifest
from tests.parts import made_for

SOURCES = """
[[connector]]
name = "clones"
kind = "git_clones"
streams = ["update_episodes"]
from = 2026-01-01
folder = "clones"
repositories = {{ "etat/web" = "web", "etat/db" = "db" }}
[connector.release_dates]
npm = "{url}"
"""
RELEASES = {"1.0.0": "2026-01-10T10:00:00Z", "1.1.0": "2026-04-02T10:00:00Z", "1.2.0": "2026-06-20T10:00:00Z"}


def registry(path: str, *_: object) -> tuple[int, dict]:
    """A registry of one's own: it knows one package, and what is in the scope of others is for those who log in."""
    if path.startswith("/@lukket"):
        return 403, {"error": "forbidden"}
    if path != "/kjent":
        return 404, {"error": "not found"}
    return 200, {"versions": {version: {} for version in RELEASES}, "time": RELEASES}


@pytest.fixture
def scored(small, tmp_path, answering):
    """Score two teams whose repositories use these packages; a commit takes 1.1.0 of all that ``web`` uses."""

    def run(web: dict[str, str], db: dict[str, str]) -> dict[tuple[str, str], tuple]:
        (small / "sources.toml").write_text(SOURCES.format(url=answering(registry)), encoding="utf-8")
        services = small / "services.toml"
        text = services.read_text()
        for name in ("web", "db"):
            text = text.replace(f'id = "{name}"', f'id = "{name}"\nrepositories = ["etat/{name}"]')
        services.write_text(text)
        for name, packages in (("web", web), ("db", db)):
            repository = Repository(small / "clones" / name)
            repository.commit("start", {"package.json": manifest(**packages)}, at="2026-02-01T08:00:00Z")
            if name == "web":
                taken = {"package.json": manifest(**dict.fromkeys(packages, "1.1.0"))}
                repository.commit("update", taken, at="2026-04-12T08:00:00Z")
        settings = settings_in(tmp_path)
        context = plans.load_context(settings)
        for name in context.organisation.streams:
            assert [pulled.error for pulled in pull_stream(settings, context.organisation, name)] == [None]
        made_for(context, "scores.metric")
        with duckdb.connect(str(settings.warehouse), read_only=True) as con:
            rows = con.execute(
                "select team_id, metric_id, status, reason, value, round(completeness, 3), points from scores.metric"
                " where grain = 'latest' and metric_id in ('mnt_updates_within_30d', 'mnt_update_routine')"
            ).fetchall()
        return {(team, metric): tuple(rest) for team, metric, *rest in rows}

    return run


def test_a_team_whose_packages_nobody_can_date_is_not_measured_and_another_is(scored):
    found = scored(web={"privat": "1.0.0", "@lukket/intern": "1.0.0"}, db={"kjent": "1.0.0"})
    reason = "not_told:update_episodes.available_at"
    assert found["alfa", "mnt_updates_within_30d"] == ("not_measured", reason, None, 0.0, None)
    # Of six periods one is known, and something was taken in it: too little for a number.
    assert found["alfa", "mnt_update_routine"] == ("not_measured", reason, None, 0.167, None)
    assert found["beta", "mnt_updates_within_30d"][2:4] == (0.0, 1.0), "one open since April, and known to be"
    assert found["beta", "mnt_update_routine"][2:4] == (0.0, 1.0)


def test_one_package_among_others_widens_the_bounds_and_hides_nothing_that_lies_open(scored):
    found = scored(web={"kjent": "1.0.0", "privat": "1.0.0"}, db={"kjent": "1.0.0", "privat": "1.0.0"})
    for team, value in (("alfa", 0.5), ("beta", 0.0)):
        status, reason, share, completeness, points = found[team, "mnt_updates_within_30d"]
        assert (status, reason, share) == ("low_evidence", "not_told:update_episodes.available_at", value), team
        assert completeness < 1.0
        assert points is not None
    assert found["beta", "mnt_update_routine"][2:4] == (0.0, 1.0), "an open update that nobody took, in each period"

"""Git clones as a source, over repositories that hold the traps of the real ones."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.sources.clones import kind_of
from opsmetrics.sources.pull import pull_stream

SOURCES = """
[[connector]]
name = "clones"
kind = "git_clones"
streams = ["update_merges", "dependency_updates", "commits_daily", "repository_states"]
from = 2026-10-01
folder = "clones"
repositories = {{ "kystetaten/havneavgift-api" = "api" }}
{more}
"""
DATES = '[connector.release_dates]\ndeps_dev = "$SIMULATOR/support/v3"\nnpm = "$SIMULATOR/support/npm"\nnuget = "$SIMULATOR/support/nuget"\npypi = "$SIMULATOR/support/pypi"\n'


class Repository:
    """A repository under construction."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, author: str = "Ola Plantesen", at: str = "2026-10-05T08:00:00Z") -> str:
        env = os.environ | {
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": "zxq@example.invalid",
            "GIT_COMMITTER_NAME": author,
            "GIT_COMMITTER_EMAIL": "zxq@example.invalid",
            "GIT_AUTHOR_DATE": at,
            "GIT_COMMITTER_DATE": at,
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        return subprocess.run(
            ["git", "-C", self.folder, *arguments], env=env, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def commit(self, title: str, files: dict[str, str], *, author: str = "Ola Plantesen", at: str) -> None:
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", title, author=author, at=at)


def manifest(**versions: str) -> str:
    lines = ",\n".join(f'    "{name}": "{version}"' for name, version in versions.items())
    return f'{{\n  "dependencies": {{\n{lines}\n  }}\n}}\n'


@pytest.fixture
def clone(connected):
    """An organisation with one clone, and the function that pulls a stream of it."""
    settings, _ = connected(SOURCES.format(more=""))
    repository = Repository(settings.org / "clones" / "api")
    repository.commit("start", {"package.json": manifest(a="1.0.0", b="1.0.0")}, at="2026-09-01T08:00:00Z")

    def pull(stream: str, more: str = "") -> list[dict]:
        settings, organisation = connected(SOURCES.format(more=more))
        (result,) = pull_stream(settings, organisation, stream)
        assert result.error is None
        frames = [pl.read_parquet(path) for path in load_paths(settings.landing, stream)]
        return pl.concat(frames).to_dicts()

    return repository, pull


def test_a_grouped_merge_of_a_bot_is_one_merge_and_many_updates(clone):
    repository, pull = clone
    repository.git("checkout", "-q", "-b", "renovate/all")
    files = {"package.json": manifest(a="1.1.0", b="2.0.0"), "x/package.json": manifest(a="1.1.0")}
    repository.commit("update all", files, author="renovate[bot]", at="2026-10-08T06:00:00Z")
    repository.git("checkout", "-q", "main")
    merge = ("merge", "-q", "--no-ff", "-m", "Merge pull request #7 from org/renovate/all", "renovate/all")
    repository.git(*merge, author="Kari Plantesen", at="2026-10-08T04:30:00Z")
    (row,) = pull("update_merges")
    assert row["bot"] == "renovate", "a merge is a bot's when all that it brought in is"
    assert (row["is_dependency_update"], row["package_count"], row["highest_update_type"]) == (True, 2, "major")
    assert row["is_offhours"] is True
    assert row["merged_at"] == datetime(2026, 10, 8, 4, 30, tzinfo=UTC)
    found = {(r["package"], r["from_version"], r["to_version"], r["update_type"]) for r in pull("dependency_updates")}
    assert found == {("a", "1.0.0", "1.1.0", "minor"), ("b", "1.0.0", "2.0.0", "major")}


def test_imported_history_does_not_count_twice(clone):
    repository, pull = clone
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit("update a", {"other.txt": "1"}, author="renovate[bot]", at="2026-10-03T08:00:00Z")
    repository.commit("update b", {"other.txt": "2"}, author="renovate[bot]", at="2026-10-04T08:00:00Z")
    repository.git("checkout", "-q", "-f", "main")
    repository.git("merge", "-q", "--allow-unrelated-histories", "-m", "import", "other", at="2026-10-10T08:00:00Z")
    merges = pull("update_merges")
    assert [row["merged_at"].day for row in merges] == [10]
    assert [row["is_dependency_update"] for row in merges] == [False], "no version changed, and the title says import"
    days = {(row["committed_on"], row["actor_kind"]): row for row in pull("commits_daily")}
    assert days[date(2026, 10, 3), "renovate"]["commits_first_parent"] == 0
    assert days[date(2026, 10, 3), "renovate"]["commits_all"] == 1


def test_a_bots_name_alone_is_no_update(clone):
    repository, pull = clone
    repository.commit("Deploy web 4.1.0", {"toolkits/web.js": "x"}, author="renovate[bot]", at="2026-10-06T08:00:00Z")
    (row,) = pull("update_merges")
    assert row["is_dependency_update"] is False


def test_people_update_too_and_a_wrong_clock_ends_no_walk(clone):
    repository, pull = clone
    repository.commit("bump a", {"package.json": manifest(a="1.0.1", b="1.0.0")}, at="2026-10-06T08:00:00Z")
    repository.commit("clock of 2019", {"y": "1"}, at="2019-01-01T08:00:00Z")
    repository.commit("now", {"y": "2"}, at="2026-10-07T08:00:00Z")
    (row,) = pull("dependency_updates")
    assert (row["actor_kind"], row["update_type"], row["lag_days"]) == ("human", "patch", None)


def test_release_dates_from_deps_dev_and_registries(clone, simulated):
    repository, pull = clone
    files = {
        "package.json": manifest(a="1.2.3", b="1.0.0"),
        "requirements.txt": "polars==1.1.0\n",
        "app.csproj": '<PackageReference Include="Listed" Version="8.0.0" />\n<PackageReference Include="Gone" Version="7.0.0" />\n',
    }
    repository.commit(
        "first", files | {"package.json": manifest(**{"a": "1.0.0", "pakke-1": "1.0.0"})}, at="2026-10-02T10:00:00Z"
    )
    files["package.json"] = manifest(**{"a": "1.2.3", "pakke-1": "1.1.0"})
    files["requirements.txt"] = "polars==1.2.0\n"
    files["app.csproj"] = files["app.csproj"].replace("8.0.0", "8.0.1").replace("7.0.0", "7.0.1")
    repository.commit("updates", files, at="2026-10-21T08:00:00Z")
    rows = {row["package"]: row for row in pull("dependency_updates", DATES) if row["from_version"]}
    assert rows["pakke-1"]["lag_days"] == 1.0
    assert rows["a"]["released_at"] == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert rows["polars"]["released_at"] == datetime(2026, 9, 2, 9, tzinfo=UTC), "the first file of the version"
    assert rows["Listed"]["released_at"] == datetime(2026, 9, 3, 10, tzinfo=UTC)
    assert rows["Gone"]["released_at"] is None, "1900 means unlisted"
    simulated.faults.clear()
    pull("dependency_updates", DATES)
    assert [path for path in simulated.faults.requests() if path.startswith("/support/npm/a")] == [], "asked once, kept"


def test_states(clone):
    repository, pull = clone
    (row,) = pull("repository_states")
    assert (row["is_bot_enabled"], row["last_bot_success_at"]) == (False, None)
    repository.commit("bot", {"renovate.json": "{}"}, author="renovate[bot]", at="2026-10-09T08:00:00Z")
    (_, row) = sorted(pull("repository_states"), key=lambda row: row["is_bot_enabled"])
    assert (row["is_bot_enabled"], row["last_activity_on"]) == (True, date(2026, 10, 9))


@pytest.mark.parametrize(
    ("author", "kind"),
    [
        ("renovate[bot]", "renovate"),
        ("dependabot-preview[bot]", "dependabot"),
        ("github-actions", "ci_bot"),
        ("build[bot]", "other_bot"),
        ("Copilot", "ai_agent"),
        ("Ola Nordmann", "human"),
    ],
)
def test_kinds_of_actor(author, kind):
    assert kind_of(author) == kind

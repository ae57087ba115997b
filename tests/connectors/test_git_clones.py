"""Git clones as a source, over repositories that hold the traps of the real ones."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.landing import load_paths, read_loads
from opsmetrics.operations.landed import notices_of_pull
from opsmetrics.snapshots.notices import sentences
from opsmetrics.sources.git_history import History
from opsmetrics.sources.pull import pull_stream
from tests.patience import LIMIT_SECONDS

SOURCES = """
[[connector]]
name = "clones"
kind = "git_clones"
streams = ["update_merges", "dependency_updates", "commits_daily", "repository_states"]
from = 2026-10-01
folder = "{folder}"
repositories = {{ {named} }}
{more}
"""
NAMED = '"kystetaten/havneavgift-api" = "api"'

DATES = '[connector.release_dates]\ndeps_dev = "$SIMULATOR/support/v3"\nnpm = "$SIMULATOR/support/npm"\nnuget = "$SIMULATOR/support/nuget"\npypi = "$SIMULATOR/support/pypi"\n'


class Repository:
    """A repository under construction."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", *options)

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
            ["git", "-C", self.folder, *arguments],
            env=env,
            check=True,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
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


class Puller:
    """Pulls a stream of the clones, and remembers what each pull said."""

    def __init__(self, connected) -> None:
        self.connected, self.results = connected, []

    def __call__(self, stream, more="", *, named=NAMED, folder="clones", days=None, fails=False):
        text = SOURCES.format(more=more, named=named, folder=folder)
        self.settings, self.organisation = self.connected(text)
        (result,) = pull_stream(self.settings, self.organisation, stream, days)
        self.results.append(result)
        if fails:
            return result.error or ""
        assert result.error is None
        frames = [pl.read_parquet(path) for path in load_paths(self.settings.landing, stream)]
        return pl.concat(frames).to_dicts()

    def loads(self, stream):
        return list(read_loads(self.settings.landing, stream, "clones"))


@pytest.fixture
def clone(connected):
    """An organisation with one clone, and the function that pulls a stream of it."""
    settings, _ = connected(SOURCES.format(more="", named=NAMED, folder="clones"))
    repository = Repository(settings.org / "clones" / "api")
    repository.commit("start", {"package.json": manifest(a="1.0.0", b="1.0.0")}, at="2026-09-01T08:00:00Z")
    return repository, Puller(connected)


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


def test_what_a_merge_brought_in_says_what_it_updates(clone):
    """A merge of GitHub, GitLab or Bitbucket has their words as its title, and a lock file alone names no package."""
    repository, pull = clone
    requests = (
        ("Merge pull request #72 from org/dependabot/npm_and_yarn/ws-8.2.0", ["Bump ws from 8.1.0 to 8.2.0"]),
        ("Merge branch 'renovate/all' into 'main'", ["Update dependency c to v1.2.3 [SECURITY]"]),
        ("Merged in renovate/two (pull request #9)", ["Bump d from 1 to 2", "Bump the web group with 3 updates"]),
    )
    for number, (said, titles) in enumerate(requests):
        repository.git("checkout", "-q", "-b", f"request{number}", "main")
        for place, title in enumerate(titles):
            files = {"package-lock.json": f"{number} {place}"}
            repository.commit(title, files, author="dependabot[bot]", at=f"2026-10-08T06:0{place}:00Z")
        repository.git("checkout", "-q", "main")
        repository.git("merge", "-q", "--no-ff", "-m", said, f"request{number}", at=f"2026-10-0{9 - number}T09:00:00Z")
    rows = sorted(pull("update_merges"), key=lambda row: row["merged_at"], reverse=True)
    assert [row["is_dependency_update"] for row in rows] == [True] * 3
    assert [row["package_count"] for row in rows] == [1, 1, 4]
    assert [row["is_security"] for row in rows] == [False, True, False]
    found = [(row["package"], row["to_version"]) for row in pull("dependency_updates")]
    assert sorted(found) == [("c", "v1.2.3"), ("d", "2"), ("ws", "8.2.0")]


def test_a_release_of_what_a_repository_makes_itself_is_no_update(clone):
    repository, pull = clone

    def modules(version):
        parent = "<parent>\n<groupId>no.own</groupId>\n<artifactId>all</artifactId>\n<version>{}</version>\n</parent>"
        return {
            "pom.xml": f"<project>\n<groupId>no.own</groupId>\n<artifactId>all</artifactId>\n<version>{version}</version></project>",
            "web/pom.xml": f"<project>\n{parent.format(version)}\n<artifactId>web</artifactId>\n</project>",
        }

    repository.commit("modules", modules("1.0-SNAPSHOT"), at="2026-10-06T08:00:00Z")
    repository.commit("[maven-release-plugin] prepare release 1.0", modules("1.0"), at="2026-10-07T08:00:00Z")
    assert pull("dependency_updates") == []


def test_the_streams_of_a_clone_read_its_manifests_once(clone, monkeypatch):
    repository, pull = clone
    repository.commit("more", {"package.json": manifest(a="1.1.0")}, author="renovate[bot]", at="2026-10-08T08:00:00Z")
    read = list[str]()
    tree = History.tree

    def counted(history, sha, wanted):
        read.append(sha)
        return tree(history, sha, wanted)

    monkeypatch.setattr(History, "tree", counted)
    assert pull("update_merges")
    assert pull("dependency_updates")
    assert len(read) == 1
    for kept in (pull.settings.home / "cache" / "timelines").iterdir():
        kept.write_text('["damaged"]')
    repository.commit("own", {"own/package.json": '{"name": "a"}'}, at="2026-10-09T08:00:00Z")
    pull("dependency_updates", days=(date(2026, 10, 1), date(2026, 10, 12)))
    assert len(read) == 2


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


def test_every_datasource_that_deps_dev_knows_is_asked_and_others_are_told(clone, simulated):
    repository, pull = clone

    def pinned(crate: str, image: str) -> dict[str, str]:
        script = f"# renovate: datasource=crate depName=ripgrep\nRIPGREP={crate}\n"
        return {"install.sh": script, "Dockerfile": f"FROM nginx:{image}\n"}

    repository.commit("first", pinned("14.0.0", "1.26"), at="2026-10-02T10:00:00Z")
    repository.commit("updates", pinned("14.1.0", "1.27"), at="2026-10-03T10:00:00Z")
    simulated.faults.clear()
    rows = {row["package"]: row for row in pull("dependency_updates", DATES)}
    assert (rows["ripgrep"]["ecosystem"], rows["ripgrep"]["to_version"]) == ("crate", "14.1.0")
    asked = [path for path in simulated.faults.requests() if path.startswith("/support/v3/")]
    assert asked == ["/support/v3/systems/cargo/packages/ripgrep/versions/14.1.0"]
    told = pull.results[-1].told
    assert told == ("clones: no source of release dates knows these ecosystems, so that lags stay unknown: docker (1)",)


def test_states(clone):
    repository, pull = clone
    (row,) = pull("repository_states")
    assert (row["is_bot_enabled"], row["last_bot_success_at"]) == (False, None)
    repository.commit("bot", {"renovate.json": "{}"}, author="renovate[bot]", at="2026-10-09T08:00:00Z")
    (_, row) = sorted(pull("repository_states"), key=lambda row: row["is_bot_enabled"])
    assert (row["is_bot_enabled"], row["last_activity_on"]) == (True, date(2026, 10, 9))


def test_a_bot_that_leaves_traces_is_on_whatever_configures_it(clone):
    repository, pull = clone
    repository.git("checkout", "-q", "-b", "renovate/all")
    repository.commit(
        "update a", {"package.json": manifest(a="1.1.0")}, author="renovate[bot]", at="2026-11-08T06:00:00Z"
    )
    repository.git("checkout", "-q", "main")
    (row,) = pull("repository_states")
    assert (row["is_bot_enabled"], row["last_activity_on"]) == (True, date(2026, 9, 1))


@pytest.mark.parametrize("branch", ["renovate/all", "dependabot-npm_and_yarn-a-1.1.0"])
def test_a_bot_that_the_configuration_names_leaves_traces_too(clone, branch):
    repository, pull = clone
    repository.git("checkout", "-q", "-b", branch)
    repository.commit("update a", {"y": "1"}, author="Our Renovate", at="2026-11-08T06:00:00Z")
    repository.git("checkout", "-q", "main")
    (row,) = pull("repository_states", more='bots = ["Our Renovate"]')
    assert row["is_bot_enabled"] is True


def test_an_organisation_may_configure_all_of_its_repositories(clone):
    repository, pull = clone
    shared = Repository(repository.folder.parent / "shared")
    shared.commit("start", {"org-inherited-config.json": "{}"}, at="2026-09-01T08:00:00Z")
    named = '"kystetaten/havneavgift-api" = "api", "kystetaten/renovate-config" = "shared"'
    rows = pull("repository_states", named=named)
    assert {row["repository"]: row["is_bot_enabled"] for row in rows} == {
        "kystetaten/havneavgift-api": None,
        "kystetaten/renovate-config": None,
    }


def test_a_merge_shows_only_what_it_brought(clone):
    """Against its second parent a merge shows what everybody else did meanwhile."""
    repository, pull = clone
    repository.git("checkout", "-q", "-b", "renovate/a")
    repository.commit(
        "update a", {"package.json": manifest(a="1.1.0", b="1.0.0")}, author="renovate[bot]", at="2026-10-03T06:00:00Z"
    )
    repository.git("checkout", "-q", "main")
    repository.commit("b by hand", {"x/package.json": manifest(c="1.0.0")}, at="2026-10-04T06:00:00Z")
    repository.commit("b by hand", {"x/package.json": manifest(c="2.0.0")}, at="2026-10-05T06:00:00Z")
    repository.git(
        "merge", "-q", "--no-ff", "-m", "update a", "renovate/a", author="renovate[bot]", at="2026-10-06T06:00:00Z"
    )
    found = {(row["actor_kind"], row["package"], row["to_version"]) for row in pull("dependency_updates")}
    assert found == {("renovate", "a", "1.1.0"), ("human", "c", "2.0.0")}


def test_a_group_whose_manifests_show_a_part_counts_whole(clone):
    """Most of it may be in a lock file alone; of the folders of one repository of actions the bot counts each."""
    repository, pull = clone
    uses = "    - uses: a/scan/{}@v{}\n"
    for day, (version, action) in enumerate((("1.0.0", 1), ("1.1.0", 1), ("1.1.0", 2)), start=1):
        files = {
            "mix.exs": f'{{:plug, "~> {version}"}},\n',
            "mix.lock": str(day),
            ".github/workflows/a.yml": uses.format("first", action) + uses.format("last", action),
        }
        title = "Bump the all group with 2 updates"
        repository.commit(title, files, author="dependabot[bot]", at=f"2026-10-0{day}T08:00:00Z")
    assert [row["package_count"] for row in pull("update_merges")] == [2, 2, 1]


def test_what_only_a_title_says_counts_and_what_nobody_says_is_unknown(clone):
    repository, pull = clone
    lock, bot = "yarn.lock", "renovate[bot]"
    for number, title in enumerate(
        (
            "Update dependency vite to v6.2.7 [SECURITY] (#7)",
            "Bump tar from 6.1.11 to 6.2.1 in /web",
            "Lock file maintenance",
            "Bump json5 in /web",
            "Update all non-major dependencies",
            "Configure Renovate",
        )
    ):
        repository.commit(title, {lock: str(number)}, author=bot, at=f"2026-10-0{number + 1}T08:00:00Z")
    merges = pull("update_merges")
    assert [(row["is_dependency_update"], row["package_count"]) for row in merges] == [
        (True, 1),
        (True, 1),
        (True, 0),
        (True, 1),
        (True, None),
        (False, 0),
    ]
    assert [row["is_security"] for row in merges].index(True) == 0
    forms = [row["unread_form"] for row in merges]
    assert forms == [None, None, None, None, "update all non-major dependencies", None]
    notices = notices_of_pull(pull.organisation, pull.results[-1:], date(2026, 11, 23))
    (notice,) = [notice for notice in notices if notice.kind == "unread_update"]
    assert (notice.name, notice.row_count) == ("update all non-major dependencies", 1)
    assert "one merged update has a form that is not understood" in str(sentences([notice])[0])
    updates = [(r["ecosystem"], r["package"], r["from_version"], r["to_version"]) for r in pull("dependency_updates")]
    assert updates == [("unknown", "vite", None, "v6.2.7"), ("unknown", "tar", "6.1.11", "6.2.1")]


def test_commits_of_a_utc_day_are_counted_whole(clone):
    """Half past eleven in the evening UTC is another day in Oslo, and a window ends there."""
    repository, pull = clone
    repository.commit("late", {"y": "1"}, at="2026-10-05T23:30:00Z")
    repository.commit("early", {"y": "2"}, at="2026-10-05T01:30:00Z")
    rows = pull("commits_daily", days=(date(2026, 10, 5), date(2026, 10, 6)))
    assert [(row["committed_on"], row["commits_all"]) for row in rows] == [(date(2026, 10, 5), 2)]


def test_bare_clones_are_clones_and_an_empty_folder_is_an_error(clone, connected):
    repository, pull = clone
    bare = repository.folder.parent / "bare" / "mirror.git"
    bare.parent.mkdir()
    repository.git("clone", "-q", "--bare", str(repository.folder), str(bare))
    # Made today, on the clock of these tests.
    for name in ("packed-refs", "HEAD"):
        os.utime(bare / name, (datetime(2026, 11, 23, tzinfo=UTC).timestamp(),) * 2)
    (row,) = pull("repository_states", folder="clones/bare", named="")
    assert (row["repository"], row["is_bot_enabled"]) == ("mirror", False)
    (repository.folder.parent / "none").mkdir()
    assert "the folder holds no clone" in pull("commits_daily", folder="clones/none", named="", fails=True)


def test_the_default_branch_is_read_whatever_is_checked_out(clone):
    repository, pull = clone
    repository.commit("on main", {"y": "1"}, at="2026-10-05T08:00:00Z")
    work = repository.folder.parent / "work"
    repository.git("clone", "-q", str(repository.folder), str(work))
    branch = Repository.__new__(Repository)
    branch.folder = work
    branch.git("checkout", "-q", "-b", "feature")
    branch.commit("not merged", {"y": "2"}, at="2026-10-06T08:00:00Z")
    now = (datetime(2026, 11, 23, tzinfo=UTC).timestamp(),) * 2
    for name in ("packed-refs", "HEAD", "refs/remotes/origin/HEAD"):
        if (work / ".git" / name).exists():
            os.utime(work / ".git" / name, now)
    rows = pull("commits_daily", named='"kystetaten/havneavgift-api" = "work"')
    assert [row["committed_on"] for row in rows] == [date(2026, 10, 5)]


def test_days_since_the_last_fetch_and_before_a_shallow_clone_are_not_told(clone):
    repository, pull = clone
    repository.commit("one", {"y": "1"}, at="2026-10-05T08:00:00Z")
    repository.commit("two", {"y": "2"}, at="2026-10-20T08:00:00Z")
    shallow = repository.folder.parent / "shallow"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", str(shallow))
    # The clone was last fetched on the evening of 1 November.
    fetched = datetime(2026, 11, 1, 20, tzinfo=UTC).timestamp()
    subprocess.run(["git", "-C", str(shallow), "fetch", "-q", "--depth", "1"], check=True, timeout=LIMIT_SECONDS)
    os.utime(shallow / ".git" / "FETCH_HEAD", (fetched, fetched))
    rows = pull("commits_daily", named='"kystetaten/havneavgift-api" = "shallow"')
    assert [row["committed_on"] for row in rows] == [date(2026, 10, 20)]
    states = pull.loads("commits_daily")[-1].unproven
    assert states == (
        (date(2026, 10, 1), date(2026, 10, 21), "partial"),
        (date(2026, 11, 2), date(2026, 11, 23), "partial"),
    )
    told = pull.results[-1].told
    assert told == (
        "clones: kystetaten/havneavgift-api is shallow: 41 days from 2026-10-01 to 2026-11-22 are not told",
    )
    for _ in range(2):
        pull("commits_daily", named='"kystetaten/havneavgift-api" = "shallow"')
    assert pull.results[-1].loads == (), "nothing new is said of the days that are asked for again"
    assert "not fetched" in pull("repository_states", named='"kystetaten/havneavgift-api" = "shallow"', fails=True)
    (state,) = pull.results[-1].loads
    assert (state.is_complete, state.hidden) == (True, ("havneavgift-api",)), "others than its service lack nothing"
    # Somebody fetches all of it: the days are asked for again, and told.
    subprocess.run(["git", "-C", str(shallow), "fetch", "-q", "--unshallow"], check=True, timeout=LIMIT_SECONDS)
    rows = pull("commits_daily", named='"kystetaten/havneavgift-api" = "shallow"')
    assert {row["committed_on"] for row in rows} == {date(2026, 10, 5), date(2026, 10, 20)}
    assert pull.loads("commits_daily")[-1].unproven == ()


@pytest.mark.parametrize("what", ["stale", "gone", "broken"])
def test_a_clone_that_does_not_tell_costs_its_own_service_alone(clone, what):
    """Nobody fetched into one since 1 November, or there is none, or its disk is damaged: the others tell all days."""
    repository, pull = clone
    repository.commit("told", {"y": "1"}, at="2026-11-10T08:00:00Z")
    work = repository.folder.parent / "work"
    if what != "gone":
        repository.git("clone", "-q", str(repository.folder), str(work))
        left_on(work, date(2026, 11, 1))
    if what == "broken":
        (work / ".git" / "HEAD").write_text("ref: refs/heads/main\0")
        shutil.rmtree(work / ".git" / "objects")
    more = 'services = { "plain" = "havneavgift-web" }'
    rows = pull("commits_daily", more, named=f'{NAMED}, "plain" = "work"', fails=what != "stale")
    if what != "stale":
        assert rows.startswith("clones: the answer for 2026-10-01 to 2026-11-22 is only a part (")
        assert ("there is no clone of plain" in rows) is (what == "gone")
    loads = pull.loads("commits_daily")
    told = {"stale": [date(2026, 10, 1), date(2026, 11, 2)]}.get(what, [date(2026, 10, 1)])
    lacking = ("havneavgift-web",)
    assert [load.window_start for load in loads] == told
    assert [load.hidden for load in loads] == [(), lacking][-len(told) :]
    assert all(load.is_complete and not load.unproven for load in loads)
    assert sum(load.rows for load in loads) == (2 if what == "stale" else 1)
    pull("commits_daily", more, named=f'{NAMED}, "plain" = "work"', fails=what != "stale")
    assert pull.results[-1].loads == (), "its days are asked for again, and land once"


def left_on(work, day):
    """Let a clone have been made, and its main line last seen, on a day."""
    at = (datetime.combine(day, datetime.min.time(), tzinfo=UTC).timestamp(),) * 2
    for name in ("packed-refs", "refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main"):
        if (work / ".git" / name).exists():
            os.utime(work / ".git" / name, at)


@pytest.mark.parametrize("what", ["a fetch that failed", "another branch", "a branch with another name", "a checkout"])
def test_what_was_not_fetched_is_not_quiet(clone, what):
    """All of them write into the clone, today; none of them looks at its main line."""
    repository, pull = clone
    repository.git("branch", "feature")
    work = repository.folder.parent / "work"
    repository.git("clone", "-q", str(repository.folder), str(work))
    if what == "a branch with another name":
        repository.git("branch", "-m", "main", "trunk")
    repository.commit("nobody fetched this", {"y": "1"}, at="2026-11-10T08:00:00Z")
    left_on(work, date(2026, 11, 2))
    git = ("git", "-C", str(work))
    commands = {
        "a fetch that failed": ((*git, "remote", "set-url", "origin", "nowhere"), (*git, "fetch", "-q", "--all")),
        "another branch": ((*git, "fetch", "-q", "origin", "feature"),),
        "a branch with another name": ((*git, "fetch", "-q"),),
        "a checkout": ((*git, "checkout", "-q", "-b", "mine"),),
    }
    for command in commands[what]:
        subprocess.run(command, check=False, capture_output=True, timeout=LIMIT_SECONDS)
    pull("commits_daily", named='"kystetaten/havneavgift-api" = "work"')
    assert pull.loads("commits_daily")[-1].unproven == ((date(2026, 11, 3), date(2026, 11, 23), "partial"),)
    assert ("renamed?" in pull.results[-1].told[0]) is (what in {"another branch", "a branch with another name"})


ODD_COMMITTERS = (
    "Ola <zxq@example.invalid> 99999999999999999999 +0000",
    "Ola <zxq@example.invalid> 253402300799 +0000",
    "Ola <zxq@example.invalid> -5 +0000",
    "Ola <zxq@example.invalid>",
    "Ola",
)


def test_a_fetch_with_the_clock_ahead_proves_no_day(clone):
    repository, pull = clone
    repository.commit("one", {"y": "1"}, at="2026-10-20T08:00:00Z")
    mark = repository.folder / ".git" / "FETCH_HEAD"
    mark.write_text(f"{repository.git('rev-parse', 'HEAD').strip()}\t\tbranch 'main' of elsewhere\n")
    os.utime(mark, (2**32, 2**32))
    assert [row["committed_on"] for row in pull("commits_daily")] == [date(2026, 10, 20)]
    assert pull.loads("commits_daily")[-1].unproven == ((date(2026, 10, 21), date(2026, 11, 23), "partial"),)


def test_commits_that_only_a_program_writes_are_read_with_what_they_say(clone, tmp_path):
    """Old imports left times out; a sign that divides fields, or a line of one's own by an odd encoding, is text."""
    repository, pull = clone
    repository.commit("before", {"x": "1"}, at="2026-10-05T06:00:00Z")
    tree = repository.git("rev-parse", "HEAD^{tree}").strip()
    for committer in ODD_COMMITTERS:
        author = "re\x1fno+AAoAAA-vate <zxq@example.invalid> 1790000000 +0000"
        head = repository.git("rev-parse", "HEAD").strip()
        text = f"tree {tree}\nparent {head}\nauthor {author}\ncommitter {committer}\nencoding UTF-7\n\na\x1fb+AAo-c\n"
        (tmp_path / "odd").write_text(text)
        name = repository.git("hash-object", "-t", "commit", "-w", "--literally", str(tmp_path / "odd")).strip()
        repository.git("update-ref", "refs/heads/main", name)
        repository.git("branch", f"renovate/{ODD_COMMITTERS.index(committer)}")
    repository.commit("after", {"x": "2"}, at="2026-10-07T06:00:00Z")
    days = [(row["committed_on"].day, row["commits_all"]) for row in pull("commits_daily")]
    assert days == [(5, 1), (7, 1)]
    (state,) = pull("repository_states")
    assert state["last_activity_on"] == date(2026, 10, 7)


def test_what_stands_in_a_files_place_is_no_file(clone):
    repository, pull = clone
    repository.commit("odd", {"renovate.json/x": "1"}, at="2026-10-05T06:00:00Z")
    (repository.folder / ".renovaterc").symlink_to("/etc/hostname")
    repository.commit("a link", {}, at="2026-10-05T06:00:00Z")
    (state,) = pull("repository_states")
    assert state["is_bot_enabled"], "a file that cannot be had may say anything"
    assert state["is_bot_config_valid"] is None


def test_a_line_or_title_that_takes_for_ever_is_not_read(clone):
    """Whoever may write to one repository held up the updates of all of them until the source was out of time."""
    repository, pull = clone
    evil = manifest(a="1.0.1", b="1  " * 60)
    repository.commit("evil", {"package.json": evil}, at="2026-10-05T06:00:00Z")
    title = "Update dependency a to " + "1 | " * 60 + "!"
    repository.commit(title, {"x": "1"}, at="2026-10-06T06:00:00Z", author="renovate[bot]")
    title = "Bump a from" + "\t" * 100_000 + "x"
    repository.commit(title, {"x": "2"}, at="2026-10-06T06:00:00Z", author="dependabot[bot]")
    good = manifest(a="1.1.0", b="1  " * 60)
    repository.commit("good", {"package.json": good}, at="2026-10-07T06:00:00Z")
    found = [(row["package"], row["to_version"]) for row in pull("dependency_updates")]
    assert found == [("a", "1.0.1"), ("a", "1.1.0")]
    assert len(pull("update_merges")) == 2


def test_a_broken_clone_is_not_the_repository_around_it(clone):
    repository, pull = clone
    around = Repository.__new__(Repository)
    around.folder = repository.folder.parent
    around.git("init", "-q", "-b", "main")
    around.git("commit", "-q", "--allow-empty", "-m", "of the folder around it", at="2026-10-20T06:00:00Z")
    (around.folder / "broken" / ".git").mkdir(parents=True)
    said = pull("commits_daily", named='"kystetaten/havneavgift-api" = "broken"', fails=True)
    assert "check that it is a whole clone" in said


def test_a_clones_own_parents_and_replacements_count_for_nothing(clone):
    repository, pull = clone
    repository.commit("update a", {"package.json": manifest(a="1.1.0", b="1.0.0")}, at="2026-10-08T06:00:00Z")
    expected = pull("dependency_updates")
    newest, first = repository.git("log", "--format=%H").split()
    repository.git("replace", newest, first)
    (repository.folder / ".git/info").mkdir(exist_ok=True)
    (repository.folder / ".git/info/grafts").write_text(f"{first} {newest}\n")
    assert pull("dependency_updates") == expected


@pytest.mark.parametrize("how", ["made", "cloned", "bare"])
def test_a_repository_without_commits_ends_nothing(clone, how):
    """Somebody made it for what is to come; the others are read."""
    repository, pull = clone
    repository.commit("update a", {"package.json": manifest(a="1.1.0")}, at="2026-10-08T06:00:00Z")
    folder = repository.folder.parent
    repository.git("init", "-q", *(["--bare"] if how != "made" else []), str(folder / "new"))
    if how == "cloned":
        repository.git("clone", "-q", str(folder / "new"), str(folder / "work"))
    named = f'"kystetaten/ny" = "{"work" if how == "cloned" else "new"}", "kystetaten/havneavgift-api" = "api"'
    assert [row["commits_all"] for row in pull("commits_daily", named=named)] == [1]
    assert [row["repository"] for row in pull("repository_states", named=named)] == ["kystetaten/havneavgift-api"]
    assert [row["to_version"] for row in pull("dependency_updates", named=named)] == ["1.1.0"]
    assert pull("update_merges", named=named) == []


def test_settings_of_a_clone_run_no_program_and_change_nothing(clone, tmp_path):
    """A clone in a shared folder, or a bare one that lies in somebody's repository, brings settings of its own."""
    repository, pull = clone
    repository.commit("update a", {"package.json": manifest(a="1.1.0", b="1.0.0")}, at="2026-10-08T06:00:00Z")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n aaaa\n -----END PGP SIGNATURE-----\n"
    head, _, message = repository.git("cat-file", "commit", "HEAD").partition("\n\n")
    (tmp_path / "signed").write_text(f"{head}\n{signature}\n{message}")
    name = repository.git("hash-object", "-t", "commit", "-w", str(tmp_path / "signed")).strip()
    repository.git("update-ref", "refs/heads/main", name)
    expected = [pull(stream) for stream in ("commits_daily", "dependency_updates")]
    assert all(expected)
    program, ran = tmp_path / "program", tmp_path / "ran"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    for key in (
        "gpg.program",
        "core.fsmonitor",
        "core.askPass",
        "credential.helper",
        "core.sshCommand",
        "diff.external",
    ):
        repository.git("config", key, str(program))
    for key, value in (("log.showSignature", "true"), ("log.follow", "true"), ("i18n.logOutputEncoding", "UTF-16")):
        repository.git("config", key, value)
    assert [pull(stream) for stream in ("commits_daily", "dependency_updates")] == expected
    assert not ran.exists()
    # What is missing is asked for by the clone's own means.
    for key, value in (("remote.origin.url", str(tmp_path)), ("remote.origin.uploadpack", str(program))):
        repository.git("config", key, value)
    for key, value in (("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "origin")):
        repository.git("config", key, value)
    blob = repository.git("rev-parse", "main:package.json").strip()
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    assert "check that it is a whole clone" in pull("repository_states", fails=True)
    assert not ran.exists()

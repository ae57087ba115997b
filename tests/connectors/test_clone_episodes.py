"""Update episodes of clones: generated repositories whose history is known, and registries on loopback."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.sources.dependencies.timelines import timeline_of_clone
from opsmetrics.sources.git_history import History
from opsmetrics.sources.pull import pull_stream
from tests.connectors.test_git_clones import Repository, manifest

CLONES = """
[[connector]]
name = "clones"
kind = "git_clones"
streams = ["update_episodes", "component_states"]
from = 2026-10-01
folder = "clones"
repositories = { "kystetaten/havneavgift-api" = "api" }
"""
OWN = """
[connector.release_dates]
npm = "$SIMULATOR/support/npm"
pypi = "$SIMULATOR/support/pypi"
nuget = "$SIMULATOR/support/nuget"
cargo = "$SIMULATOR/support/crates"
rubygems = "$SIMULATOR/support/gems"
packagist = "$SIMULATOR/support/composer"
deps_dev = "$SIMULATOR/support/v3"
"""
DEPS_DEV = '[connector.release_dates]\ndeps_dev = "$SIMULATOR/support/v3"\n'
TAKEN = ("1.1.0", datetime(2026, 10, 6, 10, tzinfo=UTC), datetime(2026, 10, 12, 8, tzinfo=UTC))
OPEN = ("1.2.1", datetime(2026, 10, 20, 10, tzinfo=UTC), None)


def manifests(version: str) -> dict[str, str]:
    """One package in every ecosystem, by ranges with lock files where there are some."""
    return {
        "package.json": '{"dependencies": {"kjent": "^1.0.0"}}',
        "package-lock.json": f'{{"packages": {{"": {{}}, "node_modules/kjent": {{"version": "{version}"}}}}}}',
        "py/pyproject.toml": '[project]\ndependencies = ["kjent>=1.0"]\n',
        "py/uv.lock": f'version = 1\n\n[[package]]\nname = "kjent"\nversion = "{version}"\n',
        "net/App.csproj": f'<Project><ItemGroup><PackageReference Include="Kjent" Version="{version}" /></ItemGroup></Project>',
        "jvm/pom.xml": f"<project><properties><v>{version}</v></properties><dependencies><dependency>"
        "<groupId>no.kjent</groupId><artifactId>lib</artifactId><version>${v}</version></dependency></dependencies></project>",
        "go/go.mod": f"module x\n\ngo 1.23\n\nrequire example.com/kjent v{version}\n",
        "rust/Cargo.toml": '[dependencies]\nkjent = "1"\n',
        "rust/Cargo.lock": f'version = 4\n\n[[package]]\nname = "kjent"\nversion = "{version}"\n',
        "ruby/Gemfile.lock": f"GEM\n  specs:\n    kjent ({version})\n\nDEPENDENCIES\n  kjent (~> 1.0)\n",
        "php/composer.json": '{"require": {"php": "^8.2", "kjent/lib": "^1.0"}}',
        "php/composer.lock": f'{{"packages": [{{"name": "kjent/lib", "version": "v{version}"}}], "packages-dev": []}}',
    }


def lay_history(repository: Repository) -> None:
    """All at 1.0.0 in September, at 1.1.0 on 12 October, and never at 1.2.1."""
    repository.commit("start", manifests("1.0.0"), at="2026-09-01T08:00:00Z")
    repository.commit("update", manifests("1.1.0"), at="2026-10-12T08:00:00Z")


class Puller:
    """Pulls the episodes of the clones, and remembers what the last pull said."""

    def __init__(self, connected) -> None:
        self.connected = connected
        self.settings, _ = connected(CLONES + DEPS_DEV)
        self.repository = Repository(self.settings.org / "clones" / "api")

    def __call__(self, more: str = DEPS_DEV, *, stream: str = "update_episodes", days=None) -> list[dict]:
        self.settings, organisation = self.connected(CLONES + more)
        (self.result,) = pull_stream(self.settings, organisation, stream, days)
        frames = [pl.read_parquet(load.path) for load in self.result.loads]
        return [row for frame in frames for row in frame.to_dicts()]

    def landed(self) -> int:
        return len(list(load_paths(self.settings.landing, "update_episodes")))


@pytest.fixture
def pull(connected) -> Puller:
    return Puller(connected)


def told(rows) -> set[tuple]:
    """Version, beginning and end of what is known."""
    return {
        (row["episode_id"].rsplit("@", 1)[1].split("/")[0], row["available_at"], row["applied_at"])
        for row in rows
        if row["unknown_because"] is None
    }


def undated(rows) -> set[tuple]:
    """Package, why nobody knows more, day of the look, and when a newer version was taken after it."""
    return {
        (row["package"], row["unknown_because"], row["available_at"].date(), row["applied_at"])
        for row in rows
        if row["unknown_because"] is not None
    }


def of(rows, name: str) -> list[dict]:
    return [row for row in rows if f"/{name}@" in row["episode_id"]]


@pytest.mark.parametrize("more", [OWN, DEPS_DEV], ids=["own registries", "deps.dev"])
def test_every_ecosystem_tells_what_was_taken_and_what_was_not(pull, more):
    lay_history(pull.repository)
    rows = pull(more)
    assert pull.result.error is None
    names = {row["episode_id"].split("/", 2)[2].rsplit("@", 1)[0] for row in rows}
    everywhere = {"npm/kjent", "pypi/kjent", "nuget/kjent", "maven/no.kjent:lib", "go/example.com/kjent"}
    everywhere |= {"cargo/kjent", "rubygems/kjent"}
    assert names == everywhere | {"packagist/kjent/lib"}
    for name in names - ({"packagist/kjent/lib"} if more == DEPS_DEV else set()):
        found = {(version.removeprefix("v"), at, applied) for version, at, applied in told(of(rows, name))}
        assert found == {TAKEN, OPEN}, f"{name}: no forerunner, no other line, nothing that was taken back"
    if more == DEPS_DEV:
        (said,) = pull.result.told
        assert said == (
            "clones: update episodes unknown, packages of ecosystems for which no registry is configured (packagist): 1"
        )
        taken = {"m10d05": TAKEN[2]}
        assert undated(rows) == looks("kjent/lib", "no_registry", date(2026, 9, 1), **taken)


def looks(package: str, why: str, first: date, **taken: datetime) -> set[tuple]:
    """Looks at a package from a day on, every four weeks, with what was taken after one of them, by its day (m10d05)."""
    grid = [day for day in (date(2026, 10, 5), date(2026, 11, 2)) if day >= first]
    days = [first, *grid] if first >= date(2026, 10, 1) and first not in grid else grid
    return {(package, why, day, taken.get(f"m{day:%m}d{day:%d}")) for day in days}


def test_a_private_package_and_a_range_without_a_lock_file_are_unknown_rows_and_said(pull):
    pull.repository.commit(
        "start", {"package.json": manifest(ukjent="1.0.0", kjent="^1.0.0")}, at="2026-09-01T08:00:00Z"
    )
    pull.repository.commit(
        "update", {"package.json": manifest(ukjent="1.3.0", kjent="^1.1.0")}, at="2026-10-20T08:00:00Z"
    )
    rows = pull(OWN)
    assert pull.result.error is None
    first, taken = date(2026, 9, 1), datetime(2026, 10, 20, 8, tzinfo=UTC)
    assert undated(rows) == looks("ukjent", "not_public", first, m10d05=taken) | looks("kjent", "no_version", first)
    assert told(rows) == set()
    said = "\n".join(pull.result.told)
    assert "packages that no registry knows (private ones?): 1" in said
    assert "packages whose version in use no file tells (a range, and no lock file): 1" in said
    assert undated(pull(OWN)) == set(), "nothing is new: nothing is landed again"


@pytest.mark.parametrize("fault", ["401", "403"])
def test_what_a_registry_refuses_to_tell_is_unknown_and_everything_else_is_known(pull, simulated, fault):
    """A private registry that answers for some packages, and for others asks who we are."""
    hidden = {"package.json": manifest(**{"kjent": "1.0.0", "@etat/kjent": "2.0.0"})}
    pull.repository.commit("start", hidden, at="2026-10-03T08:00:00Z")
    simulated.faults.set("/support/npm/@etat", fault)
    rows = pull(OWN)
    assert pull.result.error is None
    assert told(rows) == {("1.1.0", TAKEN[1], None)}
    assert undated(rows) == looks("@etat/kjent", "refused", date(2026, 10, 3))
    assert "packages of which a registry refuses to tell (does it ask who you are?): 1" in "\n".join(pull.result.told)


def test_a_refusal_of_what_was_told_before_is_an_error(pull, simulated, monkeypatch):
    """A token that ran out: what is known stays."""
    lay_history(pull.repository)
    assert pull(OWN)
    landed = pull.landed()
    simulated.faults.set("/support", "401")
    monkeypatch.setattr("opsmetrics.sources.dependencies.registries.FRESH_FOR", timedelta(0))
    monkeypatch.setattr("opsmetrics.sources.windows.RESUME", timedelta(0))
    assert pull(OWN) == []
    assert "401" in pull.result.error
    assert pull.landed() == landed


def test_a_package_that_goes_is_looked_at_until_then_and_a_package_that_comes_from_then(pull):
    commit = pull.repository.commit
    commit("start", {"package.json": manifest(ukjent="1.0.0")}, at="2026-09-01T08:00:00Z")
    commit("other", {"package.json": manifest(ukjent2="1.0.0")}, at="2026-10-20T08:00:00Z")
    first = {("ukjent", "not_public", date(2026, 10, 5), None)}
    assert undated(pull(OWN)) == first | looks("ukjent2", "not_public", date(2026, 10, 20))


@pytest.mark.parametrize("fault", ["500", "429", "malformed"])
def test_a_registry_that_is_away_is_an_error_and_lands_nothing(pull, simulated, fault):
    lay_history(pull.repository)
    simulated.faults.set("/support/gems", fault)
    assert pull(OWN) == []
    assert "releases of rubygems" in pull.result.error
    assert pull.landed() == 0, "neither open episodes nor a quiet time"
    simulated.faults.clear()
    assert len(pull(OWN)) == 16
    asked = simulated.faults.requests()
    assert [path for path in asked if path.startswith("/support/npm")] == [], "what was told before the fault is kept"


def test_open_episodes_are_asked_for_until_they_are_taken_and_only_new_commits_are_read(pull, monkeypatch):
    lay_history(pull.repository)
    assert of(pull(OWN), "npm/kjent")[-1]["applied_at"] is None
    read: list[str] = []
    files = History.files

    def noted(self, commits, paths):
        for commit, found in files(self, commits, paths):
            read.append(commit.title)
            yield commit, found

    monkeypatch.setattr(History, "files", noted)
    pull.repository.commit("late", manifests("1.2.1"), at="2026-11-20T08:00:00Z")
    monkeypatch.setattr("opsmetrics.sources.windows.RESUME", timedelta(0))
    rows = of(pull(OWN), "npm/kjent")
    assert told(rows) == {TAKEN, (*OPEN[:2], datetime(2026, 11, 20, 8, tzinfo=UTC))}
    assert read == ["late"]


def test_who_waits_for_an_age_is_measured_from_it(pull):
    lay_history(pull.repository)
    rows = of(pull("minimum_release_age_days = 3\n" + OWN), "npm/kjent")
    assert [row["available_at"].day for row in rows] == [9, 23]


def test_the_laggard_of_a_repository_counts_and_a_package_that_is_gone_does_not(pull):
    commit = pull.repository.commit
    commit(
        "start",
        {"a/package.json": manifest(kjent="1.0.0"), "b/package.json": manifest(kjent="1.0.0")},
        at="2026-09-01T08:00:00Z",
    )
    commit("one", {"a/package.json": manifest(kjent="1.1.0")}, at="2026-10-12T08:00:00Z")
    commit("other", {"b/package.json": manifest(kjent="1.1.0")}, at="2026-10-14T08:00:00Z")
    commit("gone", {"a/package.json": manifest(), "b/package.json": manifest()}, at="2026-11-01T08:00:00Z")
    assert told(pull(OWN)) == {(*TAKEN[:2], datetime(2026, 10, 14, 8, tzinfo=UTC))}
    (said,) = pull.result.told
    assert (
        said == "clones: update episodes unknown, updates of packages that were taken out before they were applied: 1"
    )


def test_a_step_back_and_another_line(pull):
    """What was taken back is there to be taken from then on; a newer line has what an older one was offered."""
    commit = pull.repository.commit
    for version, at in (("1.0.0", "09-01"), ("1.1.0", "10-12"), ("1.0.0", "10-14"), ("2.0.0", "11-02")):
        commit(version, {"package.json": manifest(kjent=version)}, at=f"2026-{at}T08:00:00Z")
    step = ("1.1.0", datetime(2026, 10, 14, 8, tzinfo=UTC), datetime(2026, 11, 2, 8, tzinfo=UTC))
    assert told(pull(OWN)) == {TAKEN, step}


def test_nothing_is_said_of_what_a_shallow_clone_does_not_show(pull, connected):
    lay_history(pull.repository)
    pull.repository.commit("later", {"y": "1"}, at="2026-10-15T08:00:00Z")
    folder = pull.repository.folder
    pull.repository.git("clone", "-q", "--bare", "--depth", "1", f"file://{folder}", str(folder.parent / "shallow"))
    for name in ("packed-refs", "HEAD"):
        os.utime(folder.parent / "shallow" / name, (datetime(2026, 11, 23, tzinfo=UTC).timestamp(),) * 2)
    text = CLONES.replace('= "api"', '= "shallow"') + OWN
    settings, organisation = connected(text)
    (result,) = pull_stream(settings, organisation, "update_episodes", (date(2026, 10, 1), date(2026, 11, 23)))
    rows = [row for load in result.loads for row in pl.read_parquet(load.path).to_dicts()]
    assert {told_of[1].day for told_of in told(rows)} == {20}
    assert result.loads[-1].unproven[0] == (date(2026, 10, 1), date(2026, 10, 16), "partial")


def test_a_clone_that_nobody_fetches_has_no_open_episodes(pull):
    """It was made on 1 November, and whether anything was taken since, nobody knows."""
    lay_history(pull.repository)
    folder = pull.repository.folder
    pull.repository.git("clone", "-q", "--bare", str(folder), str(folder.parent / "mirror"))
    folder.rename(folder.parent / "own")
    (folder.parent / "mirror").rename(folder)
    for name in ("packed-refs", "HEAD"):
        os.utime(folder / name, (datetime(2026, 11, 1, tzinfo=UTC).timestamp(),) * 2)
    assert told(pull(OWN)) == {TAKEN, ("v1.1.0", *TAKEN[1:])}
    days = {day for first, end, _ in pull.result.loads[-1].unproven for day in pl.date_range(first, end, eager=True)}
    assert date(2026, 10, 20) in days


def test_dates_of_a_mirror_are_no_dates(pull):
    """A version that was in use before it was released: the registry tells when it copied."""
    pull.repository.commit("early", {"package.json": manifest(kjent="1.1.0")}, at="2026-09-20T08:00:00Z")
    rows = pull(OWN)
    assert (told(rows), undated(rows)) == (set(), looks("kjent", "wrong_dates", date(2026, 9, 20)))
    (said,) = pull.result.told
    assert said.endswith("packages whose releases are dated later than their use (a mirror's dates?): 1")


ENDS = """
[[connector]]
name = "ends"
kind = "support_ends"
streams = ["eol_dates"]
url = "$SIMULATOR/support"
products = ["nodejs", "dotnet"]
"""


def test_components_are_told_since_they_are_there_and_only_where_their_end_is_known(pull):
    commit = pull.repository.commit
    project = "<Project><PropertyGroup><TargetFramework>net{}.0</TargetFramework></PropertyGroup></Project>"
    commit("start", {"Dockerfile": "FROM node:20-alpine\n", "A.csproj": project.format(8)}, at="2026-09-01T08:00:00Z")
    commit(
        "again",
        {"Dockerfile": "FROM node:20.1-alpine\n", "x/Dockerfile": "FROM nginx:1.27\n"},
        at="2026-10-01T08:00:00Z",
    )
    commit("newer", {"A.csproj": project.format(10)}, at="2026-10-20T08:00:00Z")
    rows = pull(OWN + ENDS, stream="component_states")
    found = {(row["kind"], row["product"], row["cycle"], row["first_seen_on"], row["service_id"]) for row in rows}
    assert found == {
        ("base_image", "nodejs", "20", date(2026, 9, 1), "havneavgift-api"),
        ("framework", "dotnet", "10", date(2026, 10, 20), "havneavgift-api"),
    }
    assert pull.result.told == (
        "clones: components left out, of products that no support_ends connector lists (nginx): 1",
    )


def test_a_clock_that_stood_wrong_dates_nothing_for_ever(tmp_path):
    """What a pull kept while the clock was a year behind, or ahead, is read again by the next one."""
    repository = Repository(tmp_path / "api")
    lay_history(repository)
    repository.commit("a wrong clock", manifests("1.2.1"), at="2027-06-01T08:00:00Z")
    history, right = History(repository.folder), datetime(2026, 11, 1, tzinfo=UTC)
    expected = timeline_of_clone(history, tmp_path / "right", right).uses
    for wrong in (datetime(2025, 11, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)):
        assert timeline_of_clone(history, tmp_path / "kept", wrong).uses != expected
        assert timeline_of_clone(history, tmp_path / "kept", right).uses == expected
    assert timeline_of_clone(history, tmp_path / "kept", right + timedelta(days=1)).uses == expected


@pytest.mark.parametrize("keep", [0, 100, 5_000])
def test_a_damaged_cache_is_asked_for_again(simulated, pull, keep):
    """A disk that was full, or a machine that lost its power, left an error that never ended."""
    lay_history(pull.repository)
    assert pull(OWN)
    cache = pull.settings.home / "cache" / "release_dates.sqlite"
    whole = cache.read_bytes()
    cache.write_bytes(whole[:keep] + b"junk" * ((len(whole) - keep) // 4))
    (timeline,) = (pull.settings.home / "cache" / "timelines").iterdir()
    timeline.write_text("{}")
    # What is told is the same, and does not land again.
    assert pull(OWN, days=(date(2026, 10, 1), date(2026, 11, 22))) == []
    assert (pull.result.error, pull.result.unchanged) == (None, 1)
    assert b"example.com/kjent" in cache.read_bytes()

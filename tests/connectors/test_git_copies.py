"""Copies that the product fetches by itself, from a real git server behind a password, and from files."""

from __future__ import annotations

import os
import tomllib
from datetime import date

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from opsmetrics.landing import load_paths, read_loads
from opsmetrics.organisation.connectors.kinds import AnyConnector
from opsmetrics.sources import git_copies
from opsmetrics.sources.git_history import FETCHED
from opsmetrics.sources.pull import pull_stream
from tests.connectors.git_server import USER, WORD, serving
from tests.connectors.test_git_clones import Repository, manifest

SOURCES = """
[[connector]]
name = "clones"
kind = "git_clones"
streams = ["update_merges", "dependency_updates", "commits_daily", "repository_states"]
from = 2026-10-01
url = "{url}"
repositories = ["kystetaten/havneavgift-api"]
{more}
"""


@pytest.fixture
def upstream(tmp_path):
    """A repository as its owners have it."""
    repository = Repository(tmp_path / "served" / "kystetaten" / "havneavgift-api.git")
    repository.commit("start", {"package.json": manifest(a="1.0.0")}, at="2026-09-01T08:00:00Z")
    files = {"package.json": manifest(a="1.1.0"), "renovate.json": "{}"}
    repository.commit("Update a", files, author="renovate[bot]", at="2026-10-05T08:00:00Z")
    return repository


@pytest.fixture
def git_server(upstream, tmp_path, monkeypatch):
    """The server, and a machine whose git knows nobody's password yet."""
    monkeypatch.setenv("HOME", str(tmp_path / "machine"))
    (tmp_path / "machine").mkdir()
    monkeypatch.setattr(git_copies, "FRESH_SECONDS", 0)
    with serving(tmp_path / "served") as server:
        yield server


def knows_the_password(tmp_path) -> None:
    """What an administrator does: git's credential helper hands the password out."""
    helper = f"!f() {{ echo username={USER}; echo password={WORD}; }}; f"
    (tmp_path / "machine" / ".gitconfig").write_text(f'[credential]\n\thelper = "{helper}"\n')


def pulled(connected, url, stream, more="", days=None):
    settings, organisation = connected(SOURCES.format(url=url, more=more))
    (result,) = pull_stream(settings, organisation, stream, days)
    return settings, result


def rows(settings, stream):
    return pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, stream)]).to_dicts()


def test_a_copy_is_fetched_kept_fresh_and_read(connected, git_server, upstream, tmp_path):
    knows_the_password(tmp_path)
    url = f"{git_server.url}/{{repository}}.git"
    settings, result = pulled(connected, url, "dependency_updates")
    assert result.error is None
    (row,) = rows(settings, "dependency_updates")
    assert (row["repository"], row["package"], row["to_version"]) == ("kystetaten/havneavgift-api", "a", "1.1.0")
    upstream.git("checkout", "-q", "-b", "renovate/b")
    upstream.commit("Update b", {"x": "1"}, author="renovate[bot]", at="2026-11-20T08:00:00Z")
    upstream.git("checkout", "-q", "main")
    upstream.commit("more", {"y": "1"}, at="2026-11-20T08:00:00Z")
    settings, result = pulled(connected, url, "repository_states")
    (state,) = rows(settings, "repository_states")
    assert (state["last_activity_on"], state["is_bot_enabled"]) == (date(2026, 11, 20), True)
    # Neither the configuration, nor a note, nor the copy holds who may read it.
    for path in settings.home.rglob("*"):
        assert not path.is_file() or WORD.encode() not in path.read_bytes()


def test_a_repository_that_may_not_be_read_is_an_error_and_never_quiet(connected, git_server):
    url = f"{git_server.url}/{{repository}}.git"
    settings, result = pulled(connected, url, "commits_daily")
    assert "kystetaten/havneavgift-api cannot be fetched: the server asks for credentials" in (result.error or "")
    assert "git's credential helper" in (result.error or "")
    assert list(read_loads(settings.landing, "commits_daily", "clones")) == []
    assert git_server.asked == 0


def test_a_server_that_is_gone_leaves_what_is_known_and_says_so(connected, git_server, tmp_path):
    knows_the_password(tmp_path)
    url = f"{git_server.url}/{{repository}}.git"
    settings, _ = pulled(connected, url, "commits_daily")
    before = load_paths(settings.landing, "commits_daily")
    gone = "http://127.0.0.1:1/{repository}.git"
    days = (date(2026, 11, 1), date(2026, 11, 23))
    settings, result = pulled(connected, gone, "commits_daily", days=days)
    assert "the server cannot be reached" in (result.error or "")
    settings, result = pulled(connected, f"{git_server.url}/other/{{repository}}.git", "commits_daily", days=days)
    assert "there is no such repository" in (result.error or "")
    assert load_paths(settings.landing, "commits_daily") == before


def test_a_copy_since_a_day_claims_no_day_before(connected, git_server, upstream, tmp_path):
    knows_the_password(tmp_path)
    upstream.commit("later", {"y": "1"}, at="2026-11-10T08:00:00Z")
    url = f"{git_server.url}/{{repository}}.git"
    settings, result = pulled(connected, url, "commits_daily", "since = 2026-11-01")
    assert result.error is None
    assert [row["committed_on"] for row in rows(settings, "commits_daily")] == [date(2026, 11, 10)]
    (load,) = read_loads(settings.landing, "commits_daily", "clones")
    assert load.unproven == ((date(2026, 10, 1), date(2026, 11, 11), "partial"),)
    assert "is shallow" in result.told[0]
    # Taken out again: the whole history comes, and what was open is told.
    settings, result = pulled(connected, url, "commits_daily")
    assert {row["committed_on"] for row in rows(settings, "commits_daily")} == {date(2026, 10, 5), date(2026, 11, 10)}
    assert result.told == ()


def test_a_repository_that_was_quiet_since_that_day_is_read_and_goes_on(connected, upstream, monkeypatch):
    monkeypatch.setattr(git_copies, "FRESH_SECONDS", 0)
    more, url = "since = 2026-10-20", f"file://{upstream.folder.parent.parent}/{{repository}}.git"
    settings, result = pulled(connected, url, "repository_states", more)
    assert result.error is None
    (state,) = rows(settings, "repository_states")
    assert state["last_activity_on"] == date(2026, 10, 5), "its newest commit, however old"
    upstream.commit("more", {"y": "1"}, at="2026-11-10T08:00:00Z")
    upstream.commit("Update a", {"package.json": manifest(a="1.2.0")}, at="2026-11-12T08:00:00Z")
    settings, result = pulled(connected, url, "dependency_updates", more)
    assert result.error is None
    assert [(row["package"], row["to_version"]) for row in rows(settings, "dependency_updates")] == [("a", "1.2.0")]


def broken(copy, what):
    """Leave in a copy what a git that was killed leaves, or a disk."""
    os.utime(copy / FETCHED, (2**32, 2**32))
    if what == "objects":
        for path in (copy / "objects").rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(b"junk")
    else:
        (copy / what).write_bytes(b"")


@pytest.mark.parametrize("what", ["refs/heads/opsmetrics.lock", "HEAD", "objects"])
def test_a_copy_that_git_broke_is_fetched_anew(connected, upstream, tmp_path, what):
    url, days = f"file://{tmp_path}/served/{{repository}}.git", (date(2026, 10, 1), date(2026, 11, 22))
    settings, result = pulled(connected, url, "commits_daily", days=days)
    assert result.error is None
    (copy,) = (settings.home / "clones" / "clones").glob("*.git")
    broken(copy, what)
    # So does the folder of a copy that was broken off.
    (copy.with_name(f"{copy.name}.abc") / "new.git").mkdir(parents=True)
    upstream.commit("more", {"y": "1"}, at="2026-11-20T08:00:00Z")
    settings, result = pulled(connected, url, "commits_daily", days=days)
    assert result.error is None
    assert max(row["committed_on"] for row in rows(settings, "commits_daily")) == date(2026, 11, 20)
    assert [path.suffix for path in copy.parent.iterdir() if path.is_dir()] == [".git"]


def test_a_fresh_copy_that_cannot_be_read_is_fetched_anew_by_the_next_pull(connected, upstream, tmp_path):
    url, days = f"file://{tmp_path}/served/{{repository}}.git", (date(2026, 10, 1), date(2026, 11, 22))
    settings, _ = pulled(connected, url, "commits_daily", days=days)
    (copy,) = (settings.home / "clones" / "clones").glob("*.git")
    asked = copy / FETCHED
    broken(copy, "objects")
    os.utime(asked)
    _, result = pulled(connected, url, "dependency_updates", days=days)
    assert "the next pull fetches this copy anew" in (result.error or "")
    _, result = pulled(connected, url, "dependency_updates", days=days)
    assert result.error is None


def test_a_repository_whose_commits_have_longer_names_is_read(connected, tmp_path):
    repository = Repository(tmp_path / "served" / "kystetaten" / "havneavgift-api.git", "--object-format=sha256")
    repository.commit("start", {"y": "1"}, at="2026-10-05T08:00:00Z")
    url = f"file://{repository.folder.parent.parent}/{{repository}}.git"
    for more in ("", "since = 2026-11-20"):
        settings, result = pulled(connected, url, "commits_daily", more)
        assert result.error is None
    assert [row["committed_on"] for row in rows(settings, "commits_daily")] == [date(2026, 10, 5)]


def test_a_copy_of_a_file(connected, upstream):
    upstream.commit("two", {"y": "1"}, at="2026-10-07T08:00:00Z")
    address = f"file://{upstream.folder}"
    settings, result = pulled(connected, address, "commits_daily", "depth = 1")
    assert result.error is None
    assert [row["committed_on"] for row in rows(settings, "commits_daily")] == [date(2026, 10, 7)]


WRONG = {
    "credentials belong": 'url = "https://kari:x@host.invalid/{repository}.git"\nrepositories = ["a/b"]',
    "not into the address": 'url = "https://x@host.invalid/{repository}.git"\nrepositories = ["a/b"]',
    "is not an https, ssh or file address": 'url = "ext::sh -c x"\nrepositories = ["a/b"]',
    "plain http only on loopback": 'url = "http://host.invalid/{repository}"\nrepositories = ["a/b"]',
    "needs repositories": 'url = "https://host.invalid/{repository}.git"',
    "needs {repository}": 'url = "https://host.invalid/a.git"\nrepositories = ["a/b", "a/c"]',
    "one of them": 'url = "https://host.invalid/{repository}.git"\nfolder = "x"\nrepositories = ["a/b"]',
    "belong to url": 'folder = "x"\ndepth = 3',
    "depth or since": 'url = "https://host.invalid/{repository}.git"\nrepositories = ["a/b"]\ndepth = 3\nsince = 2026-01-01',
}


@pytest.mark.parametrize("said", WRONG)
def test_settings_that_mean_nothing_are_refused(said):
    table = tomllib.loads(WRONG[said]) | {"name": "c", "kind": "git_clones", "streams": ["commits_daily"]}
    with pytest.raises(ValidationError, match=said.replace("{", r"\{").replace("}", r"\}")):
        TypeAdapter(AnyConnector).validate_python(table)


@pytest.mark.parametrize("url", ["ssh://git@host.invalid/{repository}.git", "git@host.invalid:{repository}.git"])
def test_ssh_knows_who_asks_by_its_own_means(url):
    table = {"name": "c", "kind": "git_clones", "streams": ["commits_daily"], "url": url, "repositories": ["a/b"]}
    found = TypeAdapter(AnyConnector).validate_python(table)
    assert found.addresses == {"a/b": url.replace("{repository}", "a/b")}

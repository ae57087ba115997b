"""Reminders: told once, quiet when nothing changed, without people, the same file for the same data."""

from __future__ import annotations

import email
import email.policy
import json
import re
import shutil
from dataclasses import replace

import pytest

from opsmetrics.core.errors import ConfigurationError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.operations.notify import NotifyError
from opsmetrics.reports import digest as digest_module
from opsmetrics.reports.digest import CHAT, LEADERSHIP, announce, digests, mail, place_of, tell
from opsmetrics.snapshots.store import current


@pytest.fixture
def settings(demo_home, tmp_path):
    """A state of its own beside the demo's snapshot."""
    return Settings(
        tmp_path, tmp_path, None, None, default_sql_root(), public_url="https://ops.invalid", retry_seconds=0
    )


@pytest.fixture
def snapshot(demo_home):
    return current(demo_home / "snapshots")


def test_told_once_then_quiet(settings, snapshot, tmp_path):
    place = place_of(settings, tmp_path / "out")
    made = digests(settings, snapshot, "nb", (), place)
    assert made[0].recipient == LEADERSHIP
    paths = tell(settings, made, tmp_path / "out")
    assert paths
    assert len(paths) == sum(not found.is_quiet for found in made)
    again = digests(settings, snapshot, "nb", (), place)
    assert all(found.is_quiet for found in again)
    assert tell(settings, again, tmp_path / "again") == []
    assert not (tmp_path / "again").exists()


def test_a_file_in_one_place_tells_nothing_elsewhere(settings, snapshot, tmp_path, monkeypatch):
    posted = []
    monkeypatch.setattr(digest_module, "post", lambda _, message: posted.append(message.title) or True)
    tell(settings, digests(settings, snapshot, "nb"), settings.home / "digests")
    other = place_of(settings, tmp_path / "out")
    assert not digests(settings, snapshot, "nb", [LEADERSHIP], other)[0].is_quiet
    assert announce(settings, digests(settings, snapshot, "nb", [LEADERSHIP], CHAT)) == 1
    assert announce(settings, digests(settings, snapshot, "nb", [LEADERSHIP], CHAT)) == 0
    assert len(posted) == 1


def test_what_an_earlier_version_told_is_no_news_where_it_told(settings, snapshot, tmp_path):
    standing = digests(settings, snapshot, "nb", [LEADERSHIP])[0].standing
    (tmp_path / "digests").mkdir()
    (tmp_path / "digests" / "told.json").write_text(json.dumps({"leadership.nb": sorted(standing)}))
    quiet = [
        digests(settings, snapshot, "nb", [LEADERSHIP], place)[0].is_quiet
        for place in ("digests", CHAT, place_of(settings, tmp_path / "out"))
    ]
    assert quiet == [True, True, False]


def test_a_mail_of_the_same_day_takes_no_other_ones_place(settings, snapshot, tmp_path):
    place = place_of(settings, tmp_path / "out")
    first = tell(settings, digests(settings, snapshot, "nb", [LEADERSHIP], place), tmp_path / "out")
    before = first[0].read_bytes()
    second = tell(settings, digests(settings, snapshot, "en", [LEADERSHIP], place), tmp_path / "out")
    assert first[0].read_bytes() == before
    assert [path.name.removeprefix(first[0].stem) for path in second] == ["-2.eml"]
    (tmp_path / "digests" / "told.json").unlink()
    assert tell(settings, digests(settings, snapshot, "en", [LEADERSHIP], place), tmp_path / "out") == second


def test_what_is_new_and_what_is_over_is_told(settings, snapshot, tmp_path):
    tell(settings, digests(settings, snapshot, "en"), tmp_path / "digests")
    path = tmp_path / "digests" / "told.json"
    told = json.loads(path.read_text())
    first = told["leadership.en digests"].pop(0)
    told["leadership.en digests"].append("Something that was mended")
    path.write_text(json.dumps(told))
    leadership = digests(settings, snapshot, "en", [LEADERSHIP])[0]
    assert [line for line in leadership.new if line.startswith(first)] == list(leadership.new)
    assert leadership.over == ("Something that was mended",)
    assert leadership.lines()[-2].endswith("unchanged since last time.")


def test_a_team_is_told_of_its_own_only(settings, snapshot):
    for found in digests(settings, snapshot, "nb", ["sjokart", "ankerplass"]):
        name = {"sjokart": "Sjøkart", "ankerplass": "Ankerplass"}[found.recipient]
        assert found.new
        assert all(line.startswith(name) for line in found.new)
        assert found.link == f"https://ops.invalid/team?team={found.recipient}"


def test_the_mail_is_a_mail_and_names_nobody(settings, snapshot):
    for found in digests(settings, snapshot, "nb"):
        content = mail(found)
        assert content == mail(found)
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert message["To"] is None
        assert message["From"] is None
        assert message["Subject"] == found.title
        assert message["Content-Language"] == "nb"
        body = message.get_content()
        assert not re.search(r"\S+@\S+", body)
        assert [line for line in body.splitlines() if line.startswith("- ")] == [f"- {line}" for line in found.lines()]


def test_a_webhook_that_is_down_is_asked_again(settings, snapshot, tmp_path):
    down = replace(settings, webhook_url="http://127.0.0.1:9/x")
    with pytest.raises(NotifyError):
        announce(down, digests(down, snapshot, "nb", [LEADERSHIP], CHAT))
    assert not digests(settings, snapshot, "nb", [LEADERSHIP], CHAT)[0].is_quiet


def test_nobody_of_that_name(settings, snapshot):
    with pytest.raises(ConfigurationError, match="nobody is called gamma"):
        digests(settings, snapshot, "nb", ["gamma"])


def test_the_command_is_silent_the_second_time(cli, demo_home, tmp_path):
    state = tmp_path / "state"
    shutil.copytree(demo_home / "snapshots", state / "snapshots", symlinks=True)
    first = cli("digest", "--lang", "en", home=state)
    assert first.returncode == 0, first.stderr
    assert len(first.stdout.splitlines()) > 5
    second = cli("digest", "--lang", "en", home=state)
    assert second.stdout == ""
    assert "15 of 15 have nothing new" in second.stderr

"""Data quality by system: which is silent, for how long, and whose numbers rest on it, as SQL says."""

from __future__ import annotations

import re

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.snapshots.queries import quality
from opsmetrics.snapshots.store import current
from tests.altered import altered
from tests.pages import flat, open_page
from tests.scorecard_app.test_incidents_page import lines, tracks
from tests.scorecard_app.test_views import rows_of

SILENT = "select * from marts.source_health where state in ('failed', 'late')"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_connector_has_a_name(language):
    assert all(text(language, f"system.{kind}") for kind in (*KINDS, "files"))


def test_a_system_is_late_when_a_stream_of_it_is(homes):
    home = homes["full"]
    found = {row.kind: row for row in quality.systems(current(home / "snapshots"))}
    states = rows_of(
        home,
        """select kind, count(distinct stream) as streams, bool_or(state in ('late', 'failed')) as is_silent
           from marts.source_health where state <> 'ended' group by kind""",
    )
    assert found.keys() == {row["kind"] for row in states}
    assert any(row["is_silent"] for row in states), "the demo has a silent source"
    for row in states:
        system = found[row["kind"]]
        assert (system.state != "fresh") == row["is_silent"] == bool(system.silent)
        assert system.streams == row["streams"]
        assert (system.age is None or system.age >= system.limit) == row["is_silent"], "the line drawn is the judge's"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_how_long_a_source_has_been_silent_and_whom_it_touches(homes, monkeypatch, language):
    home = homes["full"]
    (late,) = rows_of(home, f'select *, (select max("on") from ref.as_of) - last_day as age from ({SILENT})')
    touched = rows_of(
        home,
        """select m.area_id, a.name_nb, a.name_en, count(distinct s.team_id) as teams from meta.metrics as m
           join scores.metric as s using (metric_id) join meta.areas as a on a.area_id = m.area_id
           where list_contains(m.needs, $1) and s.grain = 'latest' and s.status <> 'not_applicable' group by all""",
        late["stream"],
    )
    _, html = open_page("health", home, monkeypatch, lang=language)
    shown = lines(html, text(language, "health.systems_caption"))
    assert len(shown) == 1, "what is fine is folded away"
    row = shown[0]
    assert row[0].startswith(text(language, f"system.{late['kind']}"))
    assert row[2].startswith(text(language, "health.age", days=late["age"]))
    for area in touched:
        words = text(language, "health.touches_area", area=area[f"name_{language}"], teams=area["teams"])
        assert words in row[4]
        assert words in flat(html)[: flat(html).index(text(language, "health.systems_note"))], "the lead says it too"
    kinds = rows_of(home, "select distinct kind from marts.source_health where state <> 'ended'")
    assert text(language, "health.systems_show", count=len(kinds) - 1) in flat(html)


def test_the_age_is_a_bar_from_zero_with_its_limit_and_labels_inside(homes, monkeypatch):
    home = homes["full"]
    ages = [row.age for row in quality.systems(current(home / "snapshots"))]
    scale = max(28, *ages)
    _, html = open_page("health", home, monkeypatch, lang="en")
    drawn = tracks(html)
    assert [places for places, _ in drawn] == [[pytest.approx(100 * age / scale, abs=0.01)] for age in ages]
    for age, (_, one) in zip(ages, drawn, strict=True):
        bar = re.search(r"var\(--line\)\) ([\d.]+)% 50%/([\d.]+)% 4px", one)
        start, width = map(float, bar.groups() if bar else (0, 0))
        assert (start, width) == (0, pytest.approx(100 * age / scale, abs=0.01))
        assert re.search(r"var\(--control\)\) ([\d.]+)% 0/2px", one)
        assert all(0 <= float(at) <= 100 for at in re.findall(r"left:([\d.]+)%", one))


def test_lists_of_hundreds_of_teams_are_bounded(homes, monkeypatch):
    _, html = open_page("health", homes["large"], monkeypatch, lang="en")
    assert len(html) < 400_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_system_that_delivers_is_not_said_to_feed_no_numbers(homes, monkeypatch, language):
    """What it would touch if it failed is nobody's loss now; *No numbers* beside it read as if nothing rested on it."""
    _, html = open_page("health", homes["full"], monkeypatch, lang=language)
    fine = html[html.index("<details") :]
    fine = fine[: fine.index("</details>")]
    assert text(language, "health.fresh") in fine
    assert text(language, "health.touches_none") not in fine


@pytest.mark.parametrize("kind", ["empty", "half"])
def test_nothing_is_said_of_the_language_of_exemptions_that_are_not_there(homes, monkeypatch, kind):
    _, html = open_page("exemptions", homes[kind], monkeypatch, lang="en")
    assert text("en", "exemptions.as_written") not in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_waiver_that_does_not_count_is_told_to_be_one(demo_home, tmp_path, monkeypatch, language):
    said = text(language, "exemptions.no_room", kind=text(language, "exemptions.kind_waiver"))
    _, html = open_page("exemptions", demo_home, monkeypatch, lang=language)
    assert said not in flat(html)
    ignored = "update scores.metric set status = 'ok', reason = null where status = 'waived' and grain = 'latest'"
    home, _ = altered(demo_home, tmp_path / "home", ignored)
    _, html = open_page("exemptions", home, monkeypatch, lang=language)
    assert flat(html).count(said) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_several_silent_streams_the_age_is_that_of_the_one_that_is_named(homes, tmp_path, monkeypatch, language):
    """Five streams of files were said to be 53 days old; one was, the others 31."""
    with_two = """update marts.source_health set state = 'late', last_day = last_day - interval 9 day
        where kind = 'files' and stream = 'signal_hours' and state <> 'ended'"""
    home, snapshot = altered(homes["full"], tmp_path / "two", with_two)
    (row,) = [row for row in quality.systems(snapshot) if row.kind == "files"]
    assert len(row.silent) == 2
    _, html = open_page("health", home, monkeypatch, lang=language)
    oldest, other = (text(language, f"stream.{stream}") for stream in (row.stream, *(set(row.silent) - {row.stream})))
    age = text(language, "health.age", days=row.age)
    assert text(language, "health.oldest", stream=oldest, age=age) in flat(html)
    assert text(language, "health.and_newer", streams=other) in flat(html)


def test_what_the_command_line_says_of_a_row_is_marked_as_english(demo_home, tmp_path, monkeypatch):
    home, _ = altered(
        demo_home,
        tmp_path / "aside",
        """insert into meta.quarantine by name select stream, load_id, 'files' as source, 'no such day' as reason, 7 as line,
               '' as raw from meta.load_days limit 1""",
    )
    _, html = open_page("health", home, monkeypatch, lang="nb")
    assert '<span lang="en">no such day</span>' in html
    _, html = open_page("health", home, monkeypatch, lang="en")
    assert '<span lang="en">' not in html
    assert "no such day" in html

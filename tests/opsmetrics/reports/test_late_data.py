"""Months whose data are late, partial or undelivered: nobody is told to do what may be done, or that all is well."""

from __future__ import annotations

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports import board
from opsmetrics.reports.agenda import EXPLOITED
from opsmetrics.reports.brief import compose
from opsmetrics.reports.moves import find_moves
from opsmetrics.snapshots.queries import catalogue
from tests.altered import altered
from tests.demo_sql import BEFORE, NOW

CARRIED = f"""update scores.metric set status = 'stale', reason = 'carried_from:2026-10-12/{{stream}}'
    where {NOW} and points is not null and metric_id {{which}}"""


def latest(snapshot):
    return board.read_board(snapshot, catalogue.periods(snapshot)[0])


@pytest.fixture
def silent_scanner(demo_home, tmp_path):
    """The demo on a day on which vulnerabilities have not been told of for weeks."""
    return altered(
        demo_home,
        tmp_path / "scanner",
        CARRIED.format(stream="vulnerabilities", which=f"= '{EXPLOITED}'"),
        "update marts.source_health set state = 'late' where stream = 'vulnerabilities'",
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_exploited_is_not_over_because_its_source_fell_silent(demo_home, silent_scanner, language):
    _, snapshot = silent_scanner
    first = board.for_decision(latest(snapshot), language)[0]
    assert first.cause == EXPLOITED
    assert all(text(language, "agenda.last_known", number="1") in place.name for place in first.places)
    assert first.detail.count(text(language, "agenda.last_known", number="1")) == len(first.places) > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_do_this_first_says_that_it_rests_on_a_last_known_value(demo_home, silent_scanner, monkeypatch, language):
    from tests.pages import flat, open_page  # noqa: PLC0415 - loads Streamlit, which takes seconds

    home, _ = silent_scanner
    words = text(language, "first.why_stale", streams=text(language, "stream.vulnerabilities").lower())
    _, html = open_page("team", home, monkeypatch, team="fiskekvote", lang=language)
    assert words in flat(html)
    _, html = open_page("team", demo_home, monkeypatch, team="fiskekvote", lang=language)
    assert words not in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_which_numbers_rest_on_last_known_values(demo_home, tmp_path, language):
    _, snapshot = altered(
        demo_home,
        tmp_path / "late",
        CARRIED.format(stream="incidents", which="like 'inc_%'"),
        CARRIED.format(stream="signal_hours", which="like 'mon_%'"),
        CARRIED.format(stream="recovery_points", which="like 'bck_%'"),
    )
    found = latest(snapshot)
    said = board.carried(found, language)
    assert len(said) >= 3
    note = compose(snapshot, found.period, language).sections[1].blocks[0].note
    assert said[0] in note
    assert text(language, "brief.carried_more", count=len(said) - 2) in note


def test_a_decision_that_cannot_be_told_is_not_called_missed(demo_home, tmp_path, monkeypatch):
    from tests.pages import flat, open_page  # noqa: PLC0415 - loads Streamlit, which takes seconds

    home, _ = altered(
        demo_home,
        tmp_path / "untold",
        f"update scores.goal set points_now = null, is_closed = null, forecast = 'cannot_tell', forecast_on = null where {NOW}",
    )
    _, html = open_page("decisions", home, monkeypatch, lang="en")
    assert text("en", "decisions.missed") not in flat(html)
    assert text("en", "goal.forecast_cannot_tell") in flat(html)
    _, html = open_page("decisions", demo_home, monkeypatch, lang="en")
    assert text("en", "decisions.missed") in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_known_is_not_nothing_wrong(demo_home, tmp_path, monkeypatch, language):
    from tests.pages import flat, open_page  # noqa: PLC0415 - loads Streamlit, which takes seconds

    home, snapshot = altered(
        demo_home,
        tmp_path / "nothing",
        f"update scores.team set score = null, level = null, status = 'too_little_data' where {NOW}",
        f"update scores.area set score = null, level = null, gate = null, status = 'too_little_data' where {NOW}",
        f"update scores.metric set points = null, value = null, status = 'stale' where {NOW}",
        "delete from scores.goal", "delete from marts.source_health", "delete from marts.exemptions",
        "delete from facts.incidents", "delete from scores.gap",
    )  # fmt: skip
    _, html = open_page("overview", home, monkeypatch, lang=language)
    said = flat(html)
    for key in ("overview.better_none", "overview.worse_none", "overview.settle_none"):
        assert text(language, key) not in said, key
    assert text(language, "overview.moved_unknown") in said
    document = compose(snapshot, catalogue.periods(snapshot)[0], language)
    words = str(document.sections)
    assert text(language, "brief.no_gaps") not in words
    assert text(language, "brief.gaps_unknown") in words


def test_a_level_that_changes_while_the_shown_score_stands_is_said_as_such(demo_home, tmp_path):
    """Nobody reads of a change from 72.1 to 72.1."""
    _, snapshot = altered(
        demo_home,
        tmp_path / "same",
        f"update scores.area set score = 72.1, level = 2 where {BEFORE} and team_id = 'kaiplan' and area_id = 'mnt'",
        f"update scores.area set score = 72.12, level = 3, is_on_edge = false where {NOW} and team_id = 'kaiplan'"
        " and area_id = 'mnt'",
    )
    found = latest(snapshot)
    rows = [row for row in find_moves(found).better if (row.team_id, row.area_id) == ("kaiplan", "mnt")]
    [item] = board.say_moves(found, "nb", rows)
    assert item.detail.startswith("Scoren er 72,1 (0,0 siden oktober), men nivået gikk fra «delvis» til «oppfylt».")

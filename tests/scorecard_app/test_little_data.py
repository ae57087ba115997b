"""Where little or nothing is measured, no page comforts: what nobody knows is said to be unknown, with what to connect."""

from __future__ import annotations

import re

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from tests.pages import flat, links_of, open_page
from tests.scorecard_app.test_views import rows_of

LITTLE = ["empty", "half"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LITTLE)
def test_the_overview_does_not_say_that_nothing_is_wrong(homes, monkeypatch, kind, language):
    home = homes[kind]
    assert not rows_of(home, "select 1 from scores.team where grain = 'latest' and score is not null")
    _, html = open_page("overview", home, monkeypatch, lang=language)
    words = flat(html)
    for comfort in ("overview.worse_none", "overview.better_none", "overview.settle_none", "shared.none"):
        assert text(language, comfort) not in words, comfort
    assert (
        words.count(text(language, "overview.moved_unknown")) + words.count(text(language, "overview.changed_alone"))
        >= 2
    )
    assert text(language, "shared.unknown") in words
    assert any(link.path == "/tilkobling" for link in links_of(html.split("<footer")[0]))


@pytest.mark.parametrize("kind", LITTLE)
@pytest.mark.parametrize("view", ["team", "area", "gaps"])
def test_points_to_gain_that_nobody_has_worked_out_are_no_empty_table(homes, monkeypatch, kind, view):
    team = rows_of(homes[kind], "select team_id from ref.teams order by 1 limit 1")[0]["team_id"]
    _, html = open_page(view, homes[kind], monkeypatch, lang="en", **({"team": team} if view == "team" else {}))
    words = flat(html)
    assert text("en", "gaps.none_known") in words
    assert text("en", "gaps.none_left") not in words, "too little is known to say that all is well"
    assert 'class="rows gaps"' not in html
    assert not re.search(r"\b0 of 0\b|– points", words)


def test_a_filter_that_leaves_nothing_is_no_verdict(homes, monkeypatch):
    free = rows_of(
        homes["full"],
        """select team_id from ref.teams
           where team_id not in (select team_id from ref.goals) order by 1 limit 1""",
    )[0]["team_id"]
    _, html = open_page("gaps", homes["full"], monkeypatch, lang="en", team=free, role="team_lead")
    words = flat(html)
    assert text("en", "gaps.none") in words
    assert text("en", "gaps.none_left") not in words

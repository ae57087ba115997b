"""Decisions by their due day: four groups, red for what failed alone, and one unit of points."""

from __future__ import annotations

import re

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from tests.scorecard_app.test_views import flat, open_page, rows_of

GROUPS = ("overdue", "this_month", "later", "over")
# Where each goal stands, by SQL on the register alone.
STANDS = """
    with today as (select "on" from ref.as_of where grain = 'latest')
    select g.team_id, g.metric_id, case when not g.is_open then 'over' when g.due_on < t."on" then 'overdue'
        when date_trunc('month', g.due_on) = date_trunc('month', t."on") then 'this_month' else 'later' end as stands
    from ref.goals as g, today as t
"""


def sections(html: str, language: str) -> dict[str, str]:
    """The HTML below each group's heading, up to the next."""
    parts = re.split(r"<h2>(.*?)</h2>", html)
    titles = {text(language, f"decisions.group_{group}"): group for group in GROUPS}
    return {titles[title]: body for title, body in zip(parts[1::2], parts[2::2], strict=True) if title in titles}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_decision_stands_in_its_group_once(demo_home, monkeypatch, language):
    _, html = open_page("decisions", demo_home, monkeypatch, lang=language)
    found = sections(html, language)
    expected = {group: set() for group in GROUPS}
    for row in rows_of(demo_home, STANDS):
        expected[row["stands"]].add((row["team_id"], row["metric_id"]))
    assert all(expected.values())
    for group in GROUPS:
        shown = re.findall(r"/maling\?(?:lang=en&amp;)?team=([\w-]+)&amp;metric=(\w+)", found[group])
        assert sorted(shown) == sorted(expected[group]), group


def test_red_is_for_what_failed_and_not_begun_is_not_unknown(demo_home, monkeypatch):
    _, html = open_page("decisions", demo_home, monkeypatch)
    failed = rows_of(
        demo_home,
        f"""with stands as ({STANDS})
            select count(*) filter (s.stands = 'overdue' and r.forecast <> 'closed')
                + count(*) filter (e.effect = 'worse') as count, count(*) filter (e.effect = 'not_acted') as waiting
            from scores.goal as r join scores.goal_effect as e using (team_id, metric_id, decided_on, as_of, grain)
            join stands as s using (team_id, metric_id) where r.grain = 'latest'""",
    )[0]
    assert html.count('class="tag bad"') == failed["count"] > 0
    waiting = re.findall(r'<span class="tag plain" data-sign="(.)">Ikke satt i verk', html)
    assert waiting == ["○"] * failed["waiting"]
    assert waiting
    assert f"{failed['waiting']} er ikke satt i verk" in flat(html)


def test_points_are_those_of_the_total_score_alone(demo_home, monkeypatch):
    """A15: a metric's points from 0 to 100 no longer stand beside points of the score."""
    _, html = open_page("decisions", demo_home, monkeypatch)
    assert " → " not in flat(html)
    (goal,) = rows_of(
        demo_home,
        """select recovered_points, expected_points from scores.goal
           where grain = 'latest' and team_id = 'ankerplass' and metric_id = 'bck_coverage'""",
    )
    line = flat(
        re.search(r"<tr[^>]*>(?:(?!</tr>).)*team=ankerplass&amp;metric=bck_coverage.*?</tr>", html, flags=re.DOTALL)[0]
    )
    assert f"{goal['recovered_points']:.1f}".replace(".", ",") in line
    assert f"ventet {goal['expected_points']:.1f}".replace(".", ",") in line


def test_the_menu_leads_to_decisions_from_every_page(demo_home, monkeypatch):
    _, html = open_page("overview", demo_home, monkeypatch)
    menu = re.search(r'<header class="menu".*?</header>', html, flags=re.DOTALL) or re.search(
        r"<header.*?</header>", html, flags=re.DOTALL
    )
    assert 'href="/beslutninger"' in menu[0]


def test_every_timeline_says_its_days_in_words_and_shares_one_axis(demo_home, monkeypatch):
    _, html = open_page("decisions", demo_home, monkeypatch)
    rails = re.findall(r'class="rail"[^>]* role="img" aria-label="([^"]+)"', html)
    (count,) = rows_of(demo_home, "select count(*) as count from ref.goals")
    assert len(rails) == count["count"]
    assert all(rail.startswith("Besluttet ") and ", frist " in rail for rail in rails)
    # Today stands at one place in all of them.
    assert len(set(re.findall(r"var\(--control\)\) ([\d.]+%) 0/2px", html))) == 1
    # The labels stand in the first row of each table; on a phone the others say today and what is farthest from it.
    tables = re.findall(r'<table[^>]*class="rows decisions".*?</table>', html, flags=re.DOTALL)
    for table in tables:
        labels = re.findall(r'<span class="ticks".*?</span></span>', table, flags=re.DOTALL)
        assert len(labels) == 1
        first, *_, last = re.findall(r">([^<>]+)</span>", labels[0])
        ends = set(re.findall(r'class="rail"[^>]* data-from="([^"]+)" data-to="([^"]+)"', table))
        assert ends == {(first, last)}
    assert sum(table.count('class="rail"') for table in tables) == len(rails)

"""A page of the past shows what stood then: nothing that happened later, and no state of today, unless it says so."""

from __future__ import annotations

import calendar
import re
from datetime import date
from html import unescape

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.addresses import PAGES
from opsmetrics.snapshots.queries import catalogue, facts, gaps, quality
from opsmetrics.snapshots.store import current, open_current
from tests.pages import flat, open_page

PERIODS = ("2026-03", "2026-06", "2026-09")
TRAVELLING = tuple(page for page in PAGES if page.travels)
NOW_ONLY = tuple(page for page in PAGES if not page.travels)
MONTHS = calendar.month_name[1:]
NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)} | {
    name[:3]: number for number, name in enumerate(MONTHS, 1)
}
DAY = re.compile(rf"\b(\d{{1,2}})[\s\u00a0]({'|'.join(NUMBERS)})[\s\u00a0](\d{{4}})\b")
# What lies ahead of any instant: a day by which something is to happen, ends, or can be seen.
AHEAD = {"Due", "Last due", "Last day", "Within reach", "Until", "Next step", "Forgotten on"}
AHEAD |= {"At the same pace", "From decision to due day"}


def ended(period: str) -> date:
    year, month = map(int, period.split("-"))
    return date(year + month // 12, month % 12 + 1, 1)


def days_of(words: str) -> list[date]:
    # A number of another cell may stand before the name of a month: *94 May 2026*.
    found = [(int(year), NUMBERS[month], int(day)) for day, month, year in DAY.findall(words)]
    return [date(year, month, day) for year, month, day in found if 1 <= day <= calendar.monthrange(year, month)[1]]


def without_what_lies_ahead(html: str) -> str:
    """A page without its foot and without the columns of days that lie ahead."""
    html = re.sub(r"<footer.*?</footer>", "", html, flags=re.DOTALL)
    for name in AHEAD:
        label = re.escape(name).replace("'", "(?:'|&#39;)")
        html = re.sub(rf'<td[^>]*data-l="{label}".*?</td>', "", html, flags=re.DOTALL)
    return html


def rows_of(home, query: str, **values):
    with open_current(home / "snapshots") as con:
        return con.execute(query, values).fetchall()


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("place", TRAVELLING, ids=lambda page: page.name)
def test_no_day_on_a_page_of_the_past_came_after_it(place, period, demo_home, monkeypatch):
    teams = ("ankerplass", "kaiplan") if "team" in place.parameters else ("",)
    for team in teams:
        chosen = {"team": team} if team else {}
        _, html = open_page(place.name, demo_home, monkeypatch, lang="en", period=period, **chosen)
        later = [day for day in days_of(flat(without_what_lies_ahead(html))) if day >= ended(period)]
        assert later == [], place.name
    _, html = open_page(place.name, demo_home, monkeypatch, lang="en")
    assert flat(html)


@pytest.mark.parametrize("place", NOW_ONLY, ids=lambda page: page.name)
def test_a_page_that_tells_of_now_alone_says_so(place, demo_home, monkeypatch):
    _, now = open_page(place.name, demo_home, monkeypatch, lang="en")
    _, html = open_page(place.name, demo_home, monkeypatch, lang="en", period="2026-03")
    note = text("en", "when.page_now", period="March 2026")
    assert note in flat(html)
    assert flat(html).replace(note, "").split() == flat(now).split(), "the same otherwise"
    assert "period=2026-03" in html, "and its links lead back to the period"


@pytest.mark.parametrize("period", PERIODS)
def test_exemptions_are_those_of_the_period(period, demo_home, monkeypatch):
    last = rows_of(demo_home, "select \"on\" from ref.as_of where label = $label and grain = 'month'", label=period)[0][
        0
    ]
    expected = rows_of(
        demo_home,
        """select team_id, reason, cast(valid_to - $last - 1 as integer) from marts.exemptions
           where valid_from <= $last and valid_to > $last order by all""",
        last=last,
    )
    snapshot = current(demo_home / "snapshots")
    shown = next(row for row in catalogue.periods(snapshot) if row.label == period)
    found = sorted((row.team_id, row.reason, row.days_left) for row in quality.exemptions(snapshot, shown))
    assert found == expected
    _, html = open_page("exemptions", demo_home, monkeypatch, lang="en", period=period)
    assert f"{len(expected)} exemption" in flat(html)
    assert len(expected) != len(quality.exemptions(snapshot)) or period == "2026-09"


def test_decisions_of_the_past_are_those_that_were_taken_and_none_is_overdue_before_its_day(demo_home):
    """Against the register: nothing decided later stands beside a gap, whatever became of it."""
    snapshot = current(demo_home / "snapshots")
    later = done_later = 0
    for period in catalogue.periods(snapshot):
        known = rows_of(
            demo_home,
            "select team_id, metric_id, due_on, status from ref.goals where decided_on <= $last",
            last=period.on,
        )
        reviews = list(gaps.goal_reviews(snapshot, period))
        assert {(row.team_id, row.metric_id, row.due_on) for row in reviews} == {row[:3] for row in known}
        for row in gaps.gaps(snapshot, period):
            reached = (row.team_id, row.metric_id, row.due_on) in {
                (each.team_id, each.metric_id, each.due_on) for each in reviews if each.forecast == "closed"
            }
            assert row.is_overdue == (row.due_on is not None and row.due_on < period.on and not reached), row
            assert row.due_on is None or (row.team_id, row.metric_id, row.due_on) in {each[:3] for each in known}
        later += len(rows_of(demo_home, "select 1 from ref.goals where decided_on > $last", last=period.on))
        states = {(row.team_id, row.metric_id, row.due_on): row.status for row in reviews}
        done_later += sum(
            status == "done" and states[team, metric, due] in {"planned", "in_progress"}
            for team, metric, due, status in known
        )
    assert later > 0
    assert done_later > 0, "a decision that is done today was open once"


def test_incidents_of_the_past_do_not_know_how_they_ended(demo_home):
    snapshot = current(demo_home / "snapshots")
    open_then = 0
    for period in catalogue.periods(snapshot):
        for (team,) in rows_of(demo_home, "select team_id from ref.teams"):
            for row in facts.incidents(snapshot, period, team):
                assert row.resolved_at is None or row.resolved_at < period.as_of
                assert row.postmortem_published_at is None or row.postmortem_published_at < period.as_of
                open_then += row.postmortem_published_at is None and period.is_past
    known = rows_of(demo_home, "select count(*) from facts.incidents where postmortem_published_at is null")[0][0]
    assert open_then > known


def test_what_is_computed_for_today_alone_is_not_shown_of_the_past(demo_home, monkeypatch):
    notes = {
        "team": text("en", "first.past", period="June 2026"),
        "gaps": text("en", "when.now_only", period="June 2026"),
    }
    for place, note in notes.items():
        _, html = open_page(place, demo_home, monkeypatch, lang="en", period="2026-06", team="ankerplass")
        assert note in unescape(flat(html)), place
    _, html = open_page("gaps", demo_home, monkeypatch, lang="en", period="2026-06")
    assert note in flat(html)
    _, html = open_page("overview", demo_home, monkeypatch, lang="en", period="2026-06")
    assert text("en", "overview.sources_now") in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("view", "query"),
    [
        ("months", {}),
        ("area", {"area": "mon"}),
        ("changes", {}),
        ("exemptions", {}),
        ("decisions", {}),
        ("gaps", {}),
        ("metric", {"metric": "mon_signal_coverage"}),
        ("metric", {"metric": "mon_signal_coverage", "team": "kaiplan"}),
        ("team", {"team": "kaiplan"}),
    ],
)
def test_nothing_of_a_month_that_is_past_is_said_to_be_now(demo_home, monkeypatch, language, view, query):
    """Neither over a column nor in a sentence nor on an axis."""
    _, html = open_page(view, demo_home, monkeypatch, lang=language, period="2026-06", **query)
    now = text(language, "word.now")
    main = re.sub(r"<title>.*?</title>|<style>.*?</style>", "", html, flags=re.DOTALL)
    assert not re.search(rf">\s*{now}\s*<", main, re.IGNORECASE), "a heading"
    lead = " ".join(re.findall(r'<p class="(?:lead|answer)">(.*?)</p>', main, flags=re.DOTALL))
    assert not re.search(rf"\b{now}\b", flat(lead), re.IGNORECASE)


@pytest.mark.parametrize(("language", "month"), [("nb", "juni 2026"), ("en", "June 2026")])
def test_a_month_within_a_sentence_is_written_as_its_language_does(demo_home, monkeypatch, language, month):
    """Norwegian months begin small where they do not begin a line; English ones never do."""
    for view, query in (("team", {"team": "kaiplan"}), ("team", {"team": "slepebat"}), ("health", {}), ("gaps", {})):
        _, html = open_page(view, demo_home, monkeypatch, lang=language, period="2026-06", **query)
        said = [
            words
            for words in flat(html).split(month.capitalize())
            if words.rstrip().endswith((" er", "For", "om", "("))
        ]
        assert language == "en" or said == [], view
        assert month in flat(html)
    _, html = open_page("decisions", demo_home, monkeypatch, lang=language, period="2026-10")
    assert flat(html).count(month.replace("juni", "oktober").replace("June", "October")) > 0

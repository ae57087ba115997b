"""Where little or nothing is measured, no page comforts: what nobody knows is said to be unknown, with what to connect."""

from __future__ import annotations

import re
from datetime import date

import pytest

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.snapshots.queries import across, areas, catalogue
from opsmetrics.snapshots.store import current, open_current
from tests.altered import altered
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LITTLE)
@pytest.mark.parametrize("view", ["areas", "metrics"])
def test_a_list_says_nothing_of_what_nobody_knows(homes, monkeypatch, kind, view, language):
    """No teams out of none, no points to gain that nobody worked out, and no weakest of one."""
    _, html = open_page(view, homes[kind], monkeypatch, lang=language)
    words = flat(html)
    assert text(language, "area.met_of", met=0, all=0) not in words
    assert not re.search(r">0[.,]0<", html)
    assert text(language, "area.lead_none") not in words, "of one area, on the list of all"
    assert text(language, "index.areas_lead", area="@", median="@", weakest=1).split("@")[1] not in words


@pytest.mark.parametrize("kind", LITTLE)
def test_files_have_no_points_to_gain_that_nobody_worked_out(homes, kind):
    snapshot = current(homes[kind] / "snapshots")
    period = next(iter(catalogue.periods(snapshot)))
    assert {row.gain for row in across.area_totals(snapshot, period)} == {None}
    assert {row.gain for row in across.metric_totals(snapshot, period)} == {None}
    area_metrics = areas.area_metrics(snapshot, period, "aut")
    assert {row.gain for row in area_metrics} == {None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_area_names_no_largest_gain_that_nobody_worked_out(homes, monkeypatch, language):
    _, html = open_page("area", homes["half"], monkeypatch, lang=language, area="aut")
    assert text(language, "area.lead_gain", metric="@").split("@")[0] not in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_month_without_scores_is_a_month_that_tells_nothing(homes, monkeypatch, language):
    """It is there, so no page says that there is none; and it is none in which nobody met the requirement."""
    _, html = open_page("overview", homes["half"], monkeypatch, lang=language)
    assert text(language, "overview.changed_alone") not in flat(html)
    assert flat(html).count(text(language, "overview.moved_unknown")) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_months_are_held_against_the_first_that_has_scores(demo_home, tmp_path, monkeypatch, language):
    none = "update scores.team set score = null, level = null, status = 'too_little_data'"
    first = "as_of in (select as_of from ref.as_of where grain = 'month' and label < '2026-03')"
    home, _ = altered(demo_home, tmp_path / "first", f"{none} where grain = 'month' and {first}")
    _, html = open_page("months", home, monkeypatch, lang=language)
    lead = flat(re.search(r'class="lead">(.*?)</p>', html)[1])
    assert fmt.month(language, date(2026, 3, 31)) in lead
    home, _ = altered(demo_home, tmp_path / "only", f"{none} where grain = 'month'")
    _, html = open_page("months", home, monkeypatch, lang=language)
    lead = flat(re.search(r'class="lead">(.*?)</p>', html)[1])
    assert "2025" not in lead
    assert "2026" not in lead
    home, _ = altered(demo_home, tmp_path / "now", f"{none} where grain = 'latest'")
    _, html = open_page("months", home, monkeypatch, lang=language)
    assert text(language, "months.lead_none") in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LITTLE)
def test_what_is_unknown_on_both_sides_is_not_called_the_same(homes, monkeypatch, kind, language):
    _, html = open_page("compare", homes[kind], monkeypatch, lang=language)
    assert text(language, "compare.metrics_same") not in flat(html)
    assert text(language, "compare.unknown") in flat(html)


@pytest.mark.parametrize("kind", LITTLE)
def test_an_area_without_a_score_has_no_known_number_of_gaps(homes, monkeypatch, kind):
    team = rows_of(homes[kind], "select team_id from ref.teams order by 1 limit 1")[0]["team_id"]
    _, html = open_page("team", homes[kind], monkeypatch, lang="en", team=team)
    caption, cell = text("en", "team.areas_caption"), re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
    table = next(each for each in re.findall(r"<table.*?</table>", html, re.DOTALL) if caption in each)
    rows = [[flat(words).strip() for words in cell.findall(row)] for row in table.split("<tr")[2:]]
    assert {row[-1] for row in rows if row[2] == "–"} == {"–"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_organisation_of_one_team_is_not_told_of_one_of_one(homes, tmp_path, monkeypatch, language):
    """*Ingen av 1 team oppfyller kravet* stood above the only team that there is."""
    with open_current(homes["full"] / "snapshots") as con:
        tables = con.execute(
            """select c.table_schema, c.table_name from information_schema.columns as c
               join information_schema.tables as t using (table_schema, table_name)
               where c.column_name = 'team_id' and t.table_type = 'BASE TABLE'"""
        ).fetchall()
    gone = [f"delete from {schema}.{name} where team_id <> 'sjokart'" for schema, name in tables]
    altered(homes["full"], tmp_path / "one", *gone)
    of_one = re.compile(r"\b(av|of) (1|ett|one) team\b")
    for view in ("overview", "teams", "area", "months", "incidents", "metric"):
        _, html = open_page(view, tmp_path / "one", monkeypatch, lang=language)
        said = flat(" ".join(re.findall(r'class="lead"[^>]*>(.*?)</p>', html, flags=re.DOTALL)))
        assert said.strip(), view
        assert not of_one.search(said), (view, said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_never_known_is_not_out_of_date(homes, monkeypatch, language):
    """The source delivers every day and began too late, or tells too little: *stale* said that it had stopped."""
    _, html = open_page("team", homes["half"], monkeypatch, team="alfa", lang=language, open="metrics")
    assert text(language, "status.not_known") in flat(html)
    assert text(language, "status.stale") not in flat(html)
    for view, query in (("metric", {"metric": "inc_error_budget_consumed"}), ("compare", {"team": "alfa"})):
        _, html = open_page(view, homes["half"], monkeypatch, lang=language, **query)
        assert text(language, "status.stale").lower() not in flat(html).lower().split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_period_without_scores_is_a_period(homes, monkeypatch, language):
    """The overview compared with August, and the page of changes said that there is nothing to compare with."""
    _, html = open_page("changes", homes["half"], monkeypatch, lang=language)
    assert text(language, "overview.moved_unknown") in flat(html)
    assert text(language, "changes.none") not in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_teams_with_as_many_incidents_none_had_most(homes, monkeypatch, language):
    _, html = open_page("incidents", homes["half"], monkeypatch, lang=language)
    names = {"nb": "Alfa og Beta", "en": "Alfa and Beta"}[language]
    assert flat(text(language, "incidents.lead_worst_tied", team=names, most=5).replace("*", "")) in re.sub(
        " (?=[:.,])", "", flat(html)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_sources_that_reach_no_metric_are_connected_all_the_same(homes, tmp_path, monkeypatch, language):
    """*No source is connected yet* stood above the source that does not deliver."""
    home, _ = altered(
        homes["half"],
        tmp_path / "reaches",
        "update scores.metric set status = 'not_measured', reason = 'not_connected:alerts', points = null, value = null",
        "update scores.team set score = null, level = null, status = 'too_little_data'",
    )
    _, html = open_page("overview", home, monkeypatch, lang=language)
    assert text(language, "connect.reaches_none") in flat(html)
    assert text(language, "connect.empty") not in flat(html)

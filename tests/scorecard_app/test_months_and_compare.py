"""The heat map of teams and months, and two halves side by side: every cell is what SQL says."""

from __future__ import annotations

import re

import pytest

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from scorecard_app.views.sides import MOST_ROWS
from tests.pages import flat, open_page
from tests.scorecard_app.test_incidents_page import lines, tracks
from tests.scorecard_app.test_views import rows_of, whole_score


def cells(html):
    """Each row of the heat map: name of the team, then colour band (None without) and words of each cell."""
    table = re.search(r'<table role="table" class="heat">.*?</table>', html, flags=re.DOTALL)[0]
    found = []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table.split("<tbody", 1)[1], flags=re.DOTALL):
        name = flat(re.search(r"<th.*?</a>", row, flags=re.DOTALL)[0]).strip()
        inside = re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL)
        bands = [re.search(r'class="cell l(\d)', cell) for cell in inside]
        found.append(
            (
                name,
                [
                    (int(band[1]) if band else None, flat(cell).replace(" ", ""))
                    for band, cell in zip(bands, inside, strict=True)
                ],
            )
        )
    return found


@pytest.mark.parametrize("area", ["", "bck"])
@pytest.mark.parametrize("period", ["", "2026-06"])
def test_every_cell_is_the_score_of_its_month_in_the_colour_of_its_level(homes, monkeypatch, area, period):
    home = homes["full"]
    query = {"lang": "en"} | ({"area": area} if area else {}) | ({"period": period} if period else {})
    _, html = open_page("months", home, monkeypatch, **query)
    shown, held = dict(cells(html)), 0
    table = f"(select * from scores.area where area_id = '{area}')" if area else "scores.team"
    for team in rows_of(home, "select team_id, name_en from ref.teams"):
        wanted = rows_of(
            home,
            f"""select s.score, s.level from {table} as s join ref.as_of as w using (as_of, grain)
                where s.team_id = $1 and (grain = 'month' and ($2 = '' or w.label <= $2) or grain = 'latest' and $2 = '')
                order by s.as_of desc limit 13""",
            team["team_id"],
            period,
        )
        row = shown[team["name_en"]]
        scores = [(each["score"], each["level"]) for each in wanted]
        # A team that began later has no row in SQL for the months before.
        assert len(scores) <= len(row) <= 13
        missing = [(None, None)] * (len(row) - len(scores))
        for (band, words), (score, level) in zip(reversed(row), scores + missing, strict=True):
            if score is None:
                assert (band, words) == (None, "–")
                continue
            reached = sum(score >= edge for edge in (20, 40, 60, 80))
            assert band == (reached if level is None else level), "the colour is the level, not the number"
            assert words == whole_score(score) + ("*" if band < reached else "")
            held += band < reached
    assert held or (area and period), "the demo has a level that is held below its number"


def test_the_newest_column_is_last_and_always_there(homes, monkeypatch):
    for language in LANGUAGES:
        _, html = open_page("months", homes["full"], monkeypatch, lang=language)
        header = re.findall(r"<th[^>]*>(.*?)</th>", html.split('class="heat"')[1].split("</thead>")[0])
        assert header[-1] == text(language, "word.now")
        assert len(header) == 14
    _, html = open_page("months", homes["full"], monkeypatch, lang="en", period="2026-06")
    header = re.findall(r"<th[^>]*>(.*?)</th>", html.split('class="heat"')[1].split("</thead>")[0])
    assert header[-1].startswith("Jun")


def test_what_lies_just_under_a_level_is_not_rounded_up_to_it(homes, monkeypatch):
    home = homes["full"]
    found = rows_of(
        home,
        """select w.label, t.name_en, s.score from scores.team as s join ref.as_of as w using (as_of, grain)
           join ref.teams as t using (team_id)
           where grain = 'month' and round(score) % 20 = 0 and score < round(score)""",
    )
    assert found, "the demo has a score just under a level"
    _, html = open_page("months", home, monkeypatch, lang="en")
    shown = dict(cells(html))
    for row in found:
        assert any(
            words.rstrip("*") == whole_score(row["score"]) and "." in words for _, words in shown[row["name_en"]]
        )


def test_a_cell_leads_to_its_team_in_its_month(homes, monkeypatch):
    _, html = open_page("months", homes["full"], monkeypatch, lang="en", area="bck")
    assert re.search(r'href="/team\?(?=[^"]*team=sjokart)(?=[^"]*area=bck)(?=[^"]*period=2026-05)', html)


@pytest.mark.parametrize("kind", ["empty", "half", "large"])
def test_the_map_holds_for_none_and_for_hundreds(homes, monkeypatch, kind):
    _, html = open_page("months", homes[kind], monkeypatch, lang="en")
    assert len(html) < 400_000
    if kind == "large":
        assert len(cells(html)) == MOST_ROWS


def test_two_teams_side_by_side(homes, monkeypatch):
    home = homes["full"]
    _, html = open_page("compare", home, monkeypatch, team="sjokart", other="kaiplan", lang="en")
    shown = {line[0]: line for line in lines(html, text("en", "compare.areas_caption"))}
    wanted = rows_of(
        home,
        """select a.name_en, max(s.score) filter (s.team_id = 'kaiplan') as before,
               max(s.score) filter (s.team_id = 'sjokart') as now
           from scores.area as s join meta.areas as a using (area_id)
           where s.grain = 'latest' and s.team_id in ('kaiplan', 'sjokart') group by all""",
    )
    assert len(shown) == len(wanted) + 1
    for row in wanted:
        before, now, signed = (words.replace(fmt.MINUS, "-") for words in shown[row["name_en"]][1:4])
        assert (before, now) == tuple(fmt.score_in_tenths("en", row[name]) for name in ("before", "now"))
        assert round(float(now) - float(before), 1) == (0 if signed == "–" else float(signed)), row
    drawn = tracks(html)
    assert len(drawn) == len(shown)
    for (places, _), line in zip(drawn, shown.values(), strict=True):
        assert places == [pytest.approx(float(words), abs=0.6) for words in line[1:3]], "each mark at its score of 100"
    assert 'class="krav" style="left:60.00%"' in html


def test_a_team_against_itself_a_year_ago(homes, monkeypatch):
    home = homes["full"]
    app, html = open_page("compare", home, monkeypatch, team="kaiplan", lang="en")
    label = app.selectbox(key="choose-before").value
    months = rows_of(home, "select label from ref.as_of where grain = 'month' order by as_of desc limit 12")
    assert label == months[-1]["label"]
    before, now = (
        rows_of(
            home,
            """select s.score from scores.team as s join ref.as_of as w using (as_of, grain)
               where s.team_id = 'kaiplan' and w.label = $1 and w.grain = $2""",
            *which,
        )[0]["score"]
        for which in (
            (label, "month"),
            (rows_of(home, "select label from ref.as_of where grain = 'latest'")[0]["label"], "latest"),
        )
    )
    total = lines(html, text("en", "compare.areas_caption"))[0]
    assert total[1:3] == [fmt.score_in_tenths("en", before), fmt.score_in_tenths("en", now)]


def test_metrics_that_differ_most_come_first_and_none_is_lost(homes, monkeypatch):
    home = homes["full"]
    _, html = open_page("compare", home, monkeypatch, team="sjokart", other="kaiplan", lang="en")
    tables = re.findall(r"<table.*?</table>", html, flags=re.DOTALL)
    metrics = [table for table in tables if text("en", "compare.metrics_caption") in table]
    named = [name for table in metrics for name in re.findall(r"metric=(\w+)", table)]
    assert sorted(named) == sorted(row["metric_id"] for row in rows_of(home, "select metric_id from meta.metrics"))
    wanted = rows_of(
        home,
        """select metric_id, abs(max(points) filter (team_id = 'sjokart') - max(points) filter (team_id = 'kaiplan'))
               as apart
           from scores.metric where grain = 'latest' and team_id in ('sjokart', 'kaiplan') group by 1
           having apart is not null order by apart desc limit 3""",
    )
    first = re.search(r"metric=(\w+)", metrics[0])[1]
    assert first in {row["metric_id"] for row in wanted if row["apart"] == wanted[0]["apart"]}


@pytest.mark.parametrize("kind", ["empty", "half", "large"])
def test_compare_holds_without_data_and_with_hundreds_of_teams(homes, monkeypatch, kind):
    _, html = open_page("compare", homes[kind], monkeypatch, lang="en")
    assert not re.search(r"\b(None|nan)\b", flat(html))


def test_the_first_period_has_nothing_before_it(homes, monkeypatch):
    oldest = rows_of(homes["full"], "select label from ref.as_of where grain = 'month' order by as_of limit 1")[0][
        "label"
    ]
    _, html = open_page("compare", homes["full"], monkeypatch, lang="en", period=oldest)
    assert text("en", "compare.nothing") in flat(html)


@pytest.mark.parametrize(("view", "query"), [("months", {}), ("teams", {}), ("compare", {"team": "sjokart"})])
def test_whose_numbers_are_doubted_is_said_and_of_nobody_else(homes, monkeypatch, view, query):
    home = homes["full"]
    teams = rows_of(home, "select distinct team_id from marts.gaming_alarms where grain = 'latest'")
    assert teams, "the demo has a team with signs"
    if view == "compare":
        query = query | {"other": teams[0]["team_id"]}
    _, html = open_page(view, home, monkeypatch, lang="en", **query)
    words = {"months": "overview.mark_signs"}.get(view, "moves.doubt_signs")
    assert flat(html).count(text("en", words)) == (1 if view == "compare" else len(teams))
    if view == "months":
        assert html.count(f'href="/unntak?lang=en" target="_self">{text("en", words)}') == len(teams), (
            "a link to the questions"
        )
    if view == "compare":
        _, html = open_page(view, home, monkeypatch, lang="en", team="sjokart", other="kaiplan")
        assert text("en", "moves.doubt_signs") not in flat(html)

"""The overview and the page of changes against plain SQL: what is shown, marked, withheld and left out."""

from __future__ import annotations

import base64
import re
from html import unescape

import pytest

from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports.board import read_board
from opsmetrics.snapshots.queries import catalogue, facts, gains, reader, shared_gaps
from opsmetrics.snapshots.store import current, open_current
from scorecard_app.sparklines import sparkline
from tests.altered import altered
from tests.by_hand import gains_by_hand
from tests.demo_sql import BEFORE, NOW, sql
from tests.pages import flat, links_of, open_page

__all__ = ["sql"]  # a fixture


def spots(image: str) -> list[tuple[float, float]]:
    """The points of a sparkline, in drawing units."""
    drawing = base64.b64decode(re.search(r"base64,([^\"]+)", image)[1]).decode()
    line = re.search(r'points="([^"]+)"', drawing)[1]
    return [tuple(map(float, spot.split(","))) for spot in line.split()]


def test_a_line_of_two_points_does_not_fill_the_width_of_twelve_months():
    two, twelve = (spots(sparkline([50.0] * count, "x", slots=13)) for count in (2, 13))
    assert twelve[-1][0] == two[-1][0], "both end now"
    assert two[-1][0] - two[0][0] == pytest.approx((twelve[-1][0] - twelve[0][0]) / 12, abs=0.2)


def test_every_line_ends_with_the_newest_point(demo_home, tmp_path, monkeypatch):
    """The month ends rise to their peak, and now is far below."""
    home, _ = altered(
        demo_home,
        tmp_path / "falling",
        "update scores.team set score = 60 + (epoch(as_of) - epoch(timestamptz '2025-11-30')) / 86400 / 30,"
        " level = 3 where grain = 'month'",
        f"update scores.team set score = 40, level = 2 where {NOW}",
    )
    _, html = open_page("overview", home, monkeypatch, lang="en")
    lines = [spots(image) for image in re.findall(r'<img class="spark"[^>]*>', html)]
    strip = lines[:2]  # median, and teams that meet the requirement
    rows = [spots(image) for image in re.findall(r'<img class="spark"[^>]*Trend of[^>]*>', html)] or lines[3:]
    for line in (*strip, *rows[:14]):
        assert line[-1][1] == max(y for _, y in line), "down is larger: the newest is the lowest"


def test_at_most_seven_lines_and_the_rest_in_a_fold_with_its_count(homes, monkeypatch):
    _, html = open_page("overview", homes["large"], monkeypatch, lang="en")
    section = re.search(r'<h3 class="settle">.*?</section>', html, re.DOTALL)[0]
    first, rest = section.split("<details>")
    assert first.count("<li>") == 7
    assert rest.count("<li>") == int(re.search(r"<summary>Show (\d+) more</summary>", rest)[1])


def matrix_of(html: str) -> str:
    return re.search(r'<table role="table" class="matrix">.*?</table>', html, re.DOTALL)[0]


def tiles_of(html: str) -> dict[str, str]:
    """What each tile says to ears -> the HTML of what it shows to eyes."""
    found = re.findall(
        r'<a [^>]*class="cell[^>]*>(.*?)<span class="unseen">(.*?)</span></a>', matrix_of(html), re.DOTALL
    )
    return {unescape(label): body for body, label in found}


def names_of(sql) -> dict[str, str]:
    return {
        **dict(sql("select team_id, name_en from ref.teams")),
        **dict(sql("select area_id, name_en from meta.areas")),
    }


def test_the_up_arrow_of_a_doubted_rise_is_withheld_and_the_tile_says_so(demo_home, sql, monkeypatch):
    _, html = open_page("overview", demo_home, monkeypatch, lang="en")
    tiles, names = tiles_of(html), names_of(sql)
    rows = sql(
        f"""select n.team_id, n.area_id, n.score - b.score, n.is_on_edge
                or n.team_id in (select team_id from marts.gaming_alarms where {NOW})
                or exists (select 1 from scores.metric as s join meta.metrics as m using (metric_id) where s.{NOW}
                    and s.team_id = n.team_id and m.area_id = n.area_id and s.status = 'stale')
            from scores.area as n join scores.area as b using (team_id, area_id)
            where n.{NOW} and b.{BEFORE.replace(" and as_of", " and b.as_of")} and n.score - b.score >= 5"""
    )
    assert {doubted for *_, doubted in rows} == {True, False}, "the demo has both kinds"
    for team, area, change, is_doubted in rows:
        (body,) = [body for label, body in tiles.items() if label.startswith(f"{names[team]}, {names[area]}:")]
        assert (f"▲{change:.0f}" in body) == (not is_doubted), (team, area)
        assert ("uncertain" in body) == is_doubted, (team, area)


def test_no_up_arrow_stands_in_the_row_of_a_team_whose_numbers_raise_questions(demo_home, tmp_path, monkeypatch):
    home, _ = altered(
        demo_home,
        tmp_path / "signs",
        "insert into marts.gaming_alarms by name select 'rules_disabled' as alarm, team_id, as_of, grain, 'x' as subject,"
        f" 1 as finding_count from scores.team where {NOW}",
        f"update scores.area set score = score / 2 where {BEFORE}",
        f"update scores.team set score = score / 2 where {BEFORE}",
    )
    _, html = open_page("overview", home, monkeypatch, lang="en")
    assert "▲" not in matrix_of(html)
    seen = re.sub(r'<span class="unseen">.*?</span>', "", matrix_of(html))
    assert flat(seen).count("questions about the numbers") == 14


def test_a_failing_source_is_said_once_and_a_gate_is_a_word(demo_home, sql, monkeypatch):
    _, html = open_page("overview", demo_home, monkeypatch, lang="en")
    ((teams,),) = sql(
        f"select count(distinct team_id) from scores.metric where {NOW} and status = 'stale' and reason like '%/repository_states'"
    )
    assert flat(html).count(f"of {teams} teams rest on the last known value") == 1
    shown = matrix_of(html)
    assert not re.search("[↺◌!•]", flat(shown))
    ((gates,),) = sql(f"select count(*) from scores.area where {NOW} and gate is not null")
    assert len(re.findall(r'class="mark">gate<', shown)) == gates


def test_no_number_of_the_overview_is_rounded_up_to_a_level(demo_home, tmp_path, monkeypatch):
    home, _ = altered(
        demo_home,
        tmp_path / "edge",
        f"update scores.team set score = 59.97, level = 2 where {NOW}",
        f"update scores.area set score = 79.96 where {NOW}",
    )
    _, html = open_page("overview", home, monkeypatch, lang="en")
    shown = flat(matrix_of(html))
    assert " 60 " not in shown
    assert " 80 " not in shown
    assert "*" not in flat(html).split("Period")[0]
    assert "59.9 out of 100" in flat(html)


def test_changes_since_the_month_end_and_over_the_year_stand_beside_the_total(demo_home, sql, monkeypatch):
    _, html = open_page("overview", demo_home, monkeypatch, lang="en")
    head = [flat(cell).strip() for cell in re.findall(r"<th scope=\"col\".*?</th>", matrix_of(html))]
    assert head[-4:-2] == ["Since October", "Since November 2025"]
    rows = sql(
        f"""select t.name_en, n.score, b.score, y.score from scores.team as n
            join ref.teams as t using (team_id)
            join scores.team as b on b.team_id = n.team_id and b.{BEFORE.replace(" and as_of", " and b.as_of")}
            left join scores.team as y on y.team_id = n.team_id and y.grain = 'month' and y.as_of = '2025-11-30 23:00:00+00'
            where n.{NOW}"""
    )
    lines = {
        flat(row).strip().split("  ")[0]: flat(row)
        for row in re.findall(r"<tr role=\"row\">.*?</tr>", matrix_of(html), re.DOTALL)
    }
    for name, now, month, year in rows:
        (line,) = [words for words in lines.values() if words.strip().startswith(name)]
        assert fmt.signed("en", fmt.moved(month, now)) in line
        assert fmt.signed("en", fmt.moved(year, now)) in line


def test_shared_gaps_are_those_of_sql_and_what_is_not_measured_is_not_a_gap(demo_home, sql, monkeypatch):
    _, html = open_page("overview", demo_home, monkeypatch, lang="en")
    rows = sql(
        f"""select m.title_en, count(*) filter (s.points < 60 and s.status not like 'not_measured%') as below,
                count(*) filter (s.points is not null and s.status not like 'not_measured%'),
                count(*) filter (s.status like 'not_measured%')
            from scores.metric as s join meta.metrics as m using (metric_id) where s.{NOW}
            group by m.title_en, m.weight, m.metric_id having below > 1 order by below desc, m.weight desc, m.metric_id"""
    )
    bars = re.search(r'<ul class="shared">.*?</ul>', html, re.DOTALL)[0]
    shown = re.findall(r'name">(.*?)</span>.*?width:([\d.]+)%.*?count">(.*?)</span>', bars)
    assert [unescape(title) for title, *_ in shown] == [title for title, *_ in rows[:10]]
    for (_, width, said), (_, below, measured, unmeasured) in zip(shown, rows[:10], strict=True):
        assert float(width) == pytest.approx(100 * below / 14, abs=0.1), "bars begin at zero and end at all teams"
        assert said == f"{below} of {measured}" + (f", {unmeasured} not measured" if unmeasured else "")
    assert len([link for link in links_of(bars) if link.path]) == len(shown)


def test_gains_of_shared_gaps_are_joint_and_not_summed(homes):
    snapshot = current(homes["full"] / "snapshots")
    period = catalogue.periods(snapshot)[0]
    metrics = [row.metric_id for row in shared_gaps.shared_gaps(snapshot, period)[:10]]
    teams = [row.team_id for row in catalogue.teams(snapshot)]
    by_team, scored = gains_by_hand(homes["full"], "latest", {(team, each): 60.0 for team in teams for each in metrics})
    together = gains.mean_gain(snapshot, period, metrics)
    assert together == pytest.approx(sum(by_team.values()) / scored)
    alone = [gains.mean_gain(snapshot, period, [metric]) for metric in metrics]
    assert sum(alone) != pytest.approx(together, abs=0.05), "single gains overlap: they are no sum"


def test_outcomes_are_those_of_sql(demo_home, sql, monkeypatch):
    _, html = open_page("overview", demo_home, monkeypatch, lang="en")
    shown = flat(html).split("What users notice")[1]
    ((down,),) = sql(
        "select sum(down_minutes) from facts.availability_daily"
        ' where day > (select max("on") from ref.as_of) - 28 and day <= (select max("on") from ref.as_of)'
    )
    assert f"Time down, all services {flat(fmt.duration('en', down))}" in shown
    services = sql(
        "select s.name_en, sum(down_minutes) as down from facts.availability_daily join ref.services as s using (service_id)"
        ' where day > (select max("on") from ref.as_of) - 28 group by s.name_en order by down desc, s.name_en limit 3'
    )
    for name, minutes in services[:1]:
        assert f"{name} " in shown
        assert flat(fmt.duration("en", minutes)) in shown


def test_outcomes_that_nobody_measured_are_no_zero(demo_home, tmp_path, monkeypatch):
    home, snapshot = altered(
        demo_home,
        tmp_path / "unmeasured",
        "delete from facts.availability_daily",
        "delete from meta.delivered_days where stream = 'incidents'",
    )
    assert set(facts.major_incidents(snapshot, catalogue.periods(snapshot)[0])) == {None}
    _, html = open_page("overview", home, monkeypatch, lang="en")
    shown = flat(html).split("What users notice")[1].split("About the whole")[0]
    assert "not measured" in shown
    assert "not told for the whole period" in shown
    assert not re.search(r"\b0\b", shown)


def test_a_change_is_told_from_the_last_day_of_the_month(demo_home, sql, monkeypatch):
    """Instants are midnights in UTC of another zone: their own day is the day before, or the day before that."""
    ((day,),) = sql("select max(\"on\") from ref.as_of where grain = 'month'")
    for query in ({}, {"team": "farled"}):
        _, html = open_page("changes", demo_home, monkeypatch, lang="en", **query)
        assert f"since {flat(fmt.long_date('en', day))}" in flat(html)


def test_now_on_the_page_of_changes_is_now(demo_home, sql, monkeypatch):
    _, html = open_page("changes", demo_home, monkeypatch, lang="en")
    table = next(
        found
        for found in re.findall(r"<table.*?</table>", html, re.DOTALL)
        if text("en", "changes.signals_caption") in found
    )
    head = [flat(cell).strip() for cell in re.findall(r"<th scope=\"col\".*?</th>", table)]
    place = head.index("Now")
    rows = re.findall(r"<tr role=\"row\">(.*?)</tr>", table.split("<tbody")[1], re.DOTALL)
    assert rows
    for row in rows:
        link = links_of(row)[0]
        chosen = dict(link.query)
        ((unit, value),) = sql(
            f"select m.unit, case when s.points is not null then s.value end from scores.metric as s"
            f" join meta.metrics as m using (metric_id) where s.{NOW} and s.team_id = '{chosen['team']}'"
            f" and s.metric_id = '{chosen['metric']}'"
        )
        cells = [flat(cell).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        # With the decimals of the values beside it.
        beside = (fmt.metric_values("en", unit, value, other)[0] for other in (value, 0.996))
        assert cells[place] in {fmt.metric_value("en", unit, value), *beside}


def test_the_page_of_changes_lists_every_move_with_what_speaks_against_it(demo_home, sql, monkeypatch):
    _, html = open_page("changes", demo_home, monkeypatch, lang="en")
    table = next(
        found for found in re.findall(r"<table.*?</table>", html, re.DOTALL) if "largest change first" in found
    )
    ((count,),) = sql(
        f"""with scored as (select team_id, '' as area_id, as_of, grain, score, level from scores.team union all
                select team_id, area_id, as_of, grain, score, level from scores.area)
            select count(*) from scored as n join scored as b using (team_id, area_id)
            where n.{NOW} and b.{BEFORE.replace(" and as_of", " and b.as_of")}
                and (n.level < b.level or abs(n.score - b.score) >= 5 or n.level > b.level and n.score >= b.score)"""
    )
    assert table.count('<tr role="row">') - 1 == min(count, 40)
    (edge,) = [
        row
        for row in re.findall(r"<tr role=\"row\">.*?</tr>", table, re.DOTALL)
        if "Engine room: Automation rose" in row
    ]
    assert text("en", "moves.doubt_carried") in flat(edge), "what speaks against a rise is said"


def test_the_overview_asks_as_many_questions_of_five_hundred_teams_as_of_fourteen(homes, monkeypatch):
    asked: dict[str, int] = {}
    plain = reader.frame

    for kind in ("full", "large"):
        count = 0

        def counted(*arguments, **named):
            nonlocal count
            count += 1
            return plain(*arguments, **named)

        for module in ("reader", "facts", "quality", "gains", "evidence", "catalogue"):
            monkeypatch.setattr(f"opsmetrics.snapshots.queries.{module}.frame", counted)
        read_board.cache_clear()
        open_page("overview", homes[kind], monkeypatch, lang="en")
        asked[kind] = count
    assert asked["large"] == asked["full"] > 20, asked


def test_a_number_over_the_requirement_is_not_met_where_its_level_is_held(homes, monkeypatch):
    """Colour and words follow the level; as many cells look met as SQL counts."""
    home = homes["full"]
    _, html = open_page("overview", home, monkeypatch, lang="en")
    cells = re.findall(r'<a [^>]*class="cell l(\d)[^"]*"[^>]*>(.*?)</a>', html, re.DOTALL)
    with open_current(home / "snapshots") as con:
        levels = con.execute(
            "select level, count(*) from scores.area where grain = 'latest' and score is not null group by level"
        ).fetchall()
        held = con.execute(
            "select count(*) from scores.area where grain = 'latest' and score >= 60 and score < 80 and level = 2"
        ).fetchone()
    medians = len(re.findall(r'<span class="cell l\d', html))
    assert {level: sum(int(found) == level for found, _ in cells) for level, _ in levels} == dict(levels), medians
    assert held[0] > 0
    assert sum(">partly met<" in words for _, words in cells) >= held[0]

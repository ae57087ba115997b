"""One metric over all teams, and the lists of teams, areas and metrics: each number and place is what SQL says."""

from __future__ import annotations

import base64
import re
import statistics

import pytest

from opsmetrics.catalogue import overlay
from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports import board
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import across, catalogue
from opsmetrics.snapshots.queries.areas import area_metrics
from opsmetrics.snapshots.queries.gains import mean_gain
from opsmetrics.snapshots.queries.gaps import unmet_obligations
from opsmetrics.snapshots.queries.shared_gaps import shared_gaps
from opsmetrics.snapshots.store import current
from scorecard_app.views.metric_teams import scale_of
from scorecard_app.views.sides import MOST_ROWS
from tests.altered import altered
from tests.pages import flat, open_page
from tests.scorecard_app.test_incidents_page import lines, tracks
from tests.scorecard_app.test_views import metric_ids, rows_of, whole_score

MEASURED = """
    select s.*, t.name_nb, t.name_en from scores.metric as s join ref.teams as t using (team_id)
    where s.grain = 'latest' and s.metric_id = $1 and s.points is not null and s.value is not null
        and s.status <> 'not_measured_overdue'
"""


def drawings(html):
    """The pictures of a page: each with its polylines and circles as numbers."""
    found = []
    for data in re.findall(r'class="trend" src="data:image/svg\+xml;base64,([^"]+)"', html):
        svg = base64.b64decode(data).decode()
        points = [
            [tuple(map(float, pair.split(","))) for pair in part.split()]
            for part in re.findall(r'points="([^"]+)"', svg)
        ]
        circles = [tuple(map(float, pair)) for pair in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg)]
        box = tuple(map(float, re.search(r'viewBox="([^"]+)"', svg)[1].split()))
        found.append((box, points, circles))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("metric_id", ["mon_alert_precision", "inc_error_budget", "mnt_patch_currency"])
def test_every_team_stands_where_its_value_is_worst_first(homes, monkeypatch, metric_id, language):
    home = homes["full"]
    if metric_id not in metric_ids(home):
        metric_id = metric_ids(home)[7]
    metric = next(row for row in catalogue.metrics(current(home / "snapshots")) if row.metric_id == metric_id)
    wanted = rows_of(home, MEASURED, metric_id)
    wanted.sort(key=lambda row: (row["value"] if metric.is_up_good else -row["value"], row["team_id"]))
    app, html = open_page("metric", home, monkeypatch, metric=metric_id, lang=language)
    assert app.selectbox(key="choose-team").value == ""
    shown = lines(html, text(language, "across.caption"))
    # One page, one number of decimals: those of the value that has most.
    middle = statistics.median(row["value"] for row in wanted)
    known = [*(row["value"] for row in wanted), metric.floor, metric.requirement, metric.mal, middle]
    written = fmt.metric_values(language, metric.unit, *known)
    assert [row[2] for row in shown] == [flat(words) for words in written[: len(wanted)]]
    assert all(row[0].startswith(team[f"name_{language}"]) for row, team in zip(shown, wanted, strict=True))
    scale = scale_of(metric, [row["value"] for row in wanted])
    for (places, one), row in zip(tracks(html), wanted, strict=True):
        assert places == [pytest.approx(100 * scale.at(row["value"]), abs=0.01)]
        krav = re.search(r'<b class="krav" style="left:([\d.]+)%', one)
        assert float(krav[1]) == pytest.approx(100 * scale.at(metric.requirement), abs=0.01)
        assert all(0 <= float(at) <= 100 for at in re.findall(r"left:([\d.]+)%", one))
    label = f"{text(language, 'word.krav').lower()} {written[-3]}"
    assert flat(label) in flat(html)
    met = sum(row["points"] >= 60 for row in wanted)
    lead = re.search(r'class="lead">(.*?)</p>', html)[1]
    assert str(min(len(wanted), met)) in flat(lead)
    assert flat(written[-1]) in flat(lead)
    links = re.findall(r'href="(/maling\?[^"]*team=(\w+)[^"]*)"', html)
    assert {team for _, team in links} >= {row["team_id"] for row in wanted}


def test_the_newest_point_of_each_line_is_the_value_of_now_and_all_lines_share_a_scale(homes, monkeypatch):
    home, metric_id = homes["full"], "mon_alert_precision"
    wanted = sorted(rows_of(home, MEASURED, metric_id), key=lambda row: (row["value"], row["team_id"]))
    _, html = open_page("metric", home, monkeypatch, metric=metric_id, lang="en")
    found = drawings(html)
    assert len(found) == len(wanted)
    krav = {points[0][0][1] for _, points, _ in found}
    assert len(krav) == 1, "one requirement, one height"
    spots = []
    for (box, points, circles), row in zip(found, wanted, strict=True):
        everything = [*circles, *(spot for line in points for spot in line)]
        assert all(0 <= x <= box[2] and 0 <= y <= box[3] for x, y in everything)
        if row["status"] in ("ok", "low_evidence"):
            (newest,) = circles
            assert newest[0] == pytest.approx(box[2] - 5), "at the right edge"
            spots.append((row["value"], newest[1]))
    (low, at_low), (high, at_high) = min(spots), max(spots)
    for value, y in spots:
        assert y == pytest.approx(at_low + (value - low) / (high - low) * (at_high - at_low), abs=0.1)


def test_what_the_product_doubts_is_neither_good_nor_bad(homes, monkeypatch):
    home = homes["full"]
    (row,) = rows_of(
        home,
        """select team_id, split_part(subject, ' / ', 1) as metric_id from marts.gaming_alarms
           where grain = 'latest' and alarm = 'counter_metric_fell'""",
    )
    _, html = open_page("metric", home, monkeypatch, metric=row["metric_id"], lang="en")
    name = rows_of(home, "select name_en from ref.teams where team_id = $1", row["team_id"])[0]["name_en"]
    shown = lines(html, text("en", "across.caption"))
    place = next(i for i, line in enumerate(shown) if line[0].startswith(name))
    assert text("en", "across.doubted") in shown[place][0]
    assert 'class="hollow"' in tracks(html)[place][1]


def test_teams_without_a_value_are_listed_with_the_reason(homes, monkeypatch):
    home = homes["full"]
    (row, *_) = rows_of(
        home,
        """select s.metric_id, count(*) as found from scores.metric as s where grain = 'latest'
           and (points is null or value is null or status = 'not_measured_overdue') group by 1 order by 2 desc""",
    )
    _, html = open_page("metric", home, monkeypatch, metric=row["metric_id"], lang="en")
    assert text("en", "across.others", count=row["found"]) in flat(html)


def test_every_metric_opens_over_all_teams(homes, monkeypatch):
    for metric_id in metric_ids(homes["full"]):
        _, html = open_page("metric", homes["full"], monkeypatch, metric=metric_id, lang="en")
        assert not re.search(r"\b(None|nan)\b", flat(html)), metric_id
        for _, one in tracks(html):
            assert all(0 <= float(at) <= 100 for at in re.findall(r"left:([\d.]+)%", one))


@pytest.mark.parametrize("view", ["teams", "areas", "metrics"])
def test_an_index_leads_to_everything_there_is(homes, monkeypatch, view):
    home = homes["full"]
    table, column = {
        "teams": ("ref.teams", "team_id"),
        "areas": ("meta.areas", "area_id"),
        "metrics": ("meta.metrics", "metric_id"),
    }[view]
    ids = {row[column] for row in rows_of(home, f"select {column} from {table}")}
    _, html = open_page(view, home, monkeypatch, lang="en")
    named = set(re.findall(rf"{column.removesuffix('_id')}=(\w+)", html))
    assert named == ids
    assert len(drawings(html)) == len(ids)


def test_scores_and_medians_of_the_indexes_are_what_sql_says(homes, monkeypatch):
    home = homes["full"]
    _, html = open_page("teams", home, monkeypatch, lang="en")
    shown = {line[0]: line[1] for line in lines(html, text("en", "index.teams_caption"))}
    for row in rows_of(
        home, "select name_en, type, score from scores.team join ref.teams using (team_id) where grain = 'latest'"
    ):
        key = next(name for name in shown if name.startswith(row["name_en"]))
        assert shown[key] == whole_score(row["score"])
    _, html = open_page("areas", home, monkeypatch, lang="en")
    shown = {line[0]: line[1] for line in lines(html, text("en", "index.areas_caption"))}
    for row in rows_of(
        home,
        """select name_en, median(score) as score from scores.area join meta.areas using (area_id)
           where grain = 'latest' group by all""",
    ):
        assert shown[row["name_en"]] == whole_score(row["score"])
    _, html = open_page("metrics", home, monkeypatch, lang="en")
    for row in rows_of(
        home,
        """select m.title_en, a.name_en, count(*) filter (s.points >= 60) as met, count(s.points) as measured
           from scores.metric as s join meta.metrics as m using (metric_id) join meta.areas as a using (area_id)
           where s.grain = 'latest' group by all""",
    ):
        found = lines(html, text("en", "index.metrics_caption", area=row["name_en"]))
        line = next(line for line in found if line[0] == row["title_en"])
        assert line[3] == text("en", "area.met_of", met=row["met"], all=row["measured"])


@pytest.mark.parametrize("view", ["teams", "areas", "metrics", "metric"])
@pytest.mark.parametrize("kind", ["empty", "half", "large"])
def test_pages_over_all_teams_hold_for_none_and_for_hundreds(homes, monkeypatch, view, kind):
    _, html = open_page(view, homes[kind], monkeypatch, lang="nb")
    assert len(html) < 400_000
    assert html.count("<tr") < 120


def test_all_that_moved_is_on_some_page(homes, monkeypatch):
    """The overview counts what it does not show and leads here: each of it must be there once."""
    snapshot = current(homes["large"] / "snapshots")
    found = board.find_moves(board.read_board(snapshot, catalogue.periods(snapshot)[0]))
    count = len(found.worse) + len(found.better) + len(found.withheld)
    last = -(-count // MOST_ROWS)
    assert last > 2
    seen = []
    for side in (1, 2, last):
        _, html = open_page("changes", homes["large"], monkeypatch, lang="en", side=str(side))
        table = next(t for t in re.findall(r"<table.*?</table>", html, flags=re.DOTALL) if "Scores that changed" in t)
        seen.append(re.findall(r'<th scope="row".*?href="([^"]+)"', table, flags=re.DOTALL))
        assert re.search(rf'<a href="[^"]*side={last}\b[^>]*>{last}</a>', html)
    assert [len(places) for places in seen] == [MOST_ROWS, MOST_ROWS, count - (last - 1) * MOST_ROWS]
    assert len({place for places in seen for place in places}) == sum(map(len, seen))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_team_of_an_area_stands_where_its_score_is_highest_first(homes, monkeypatch, language):
    home = homes["full"]
    wanted = rows_of(
        home,
        """select s.*, t.name_nb, t.name_en, (select score from scores.area as b where b.team_id = s.team_id
               and b.area_id = 'bck' and b.grain = 'month' and b.as_of = (
                   select max(as_of) from ref.as_of where grain = 'month' and as_of <= s.as_of - interval 11 month
               )) as before
           from scores.area as s join ref.teams as t using (team_id)
           where s.area_id = 'bck' and s.grain = 'latest' and s.score is not null order by s.score desc, s.team_id""",
    )
    _, html = open_page("area", home, monkeypatch, area="bck", lang=language)
    shown = lines(html, f"<caption>{text(language, 'area.spread')}")
    assert len(shown) == len(wanted)
    by_name = {row[f"name_{language}"]: row for row in wanted}
    numbers = [by_name[row[0]]["score"] for row in shown]
    assert numbers == sorted(numbers, reverse=True)
    assert {row["before"] is None for row in wanted} == {True, False}, "the demo has both kinds"
    for (places, cell), line in zip(tracks(html), shown, strict=True):
        row = by_name[line[0]]
        known = [row["before"], row["score"]] if row["before"] is not None else [row["score"]]
        assert places == pytest.approx(known, abs=0.01), "the newest is drawn last: nothing hides it"
        kinds = re.findall(r'<i class="(\w+)"', cell)
        assert kinds[-1] == ("good" if row["level"] >= MET_LEVEL else "bad")
        assert set(kinds[:-1]) <= {"hollow"}
        assert 'class="krav" style="left:60.00%"' in cell
        score, before = (words.strip() for words in line[2:4])
        assert score == fmt.score(language, row["score"])
        assert before == fmt.score(language, row["before"])


def test_all_who_are_furthest_or_fell_most_are_named(demo_home, tmp_path, monkeypatch):
    """*Furthest is Alfa with 0 %*, where Beta stood at 0 % too."""
    month = "(select max(as_of) from ref.as_of where grain = 'month')"
    home, _ = altered(
        demo_home,
        tmp_path / "tied",
        """update scores.metric set value = 0, points = 0, status = 'ok' where grain = 'latest'
           and metric_id = 'inc_postmortem_on_time' and team_id in ('farled', 'kaiplan')""",
        f"""update scores.team as n set score = b.score - 9 from scores.team as b
            where n.grain = 'latest' and b.grain = 'month' and b.as_of = {month} and b.team_id = n.team_id
                and n.team_id in ('farled', 'kaiplan')""",
        """update scores.area set score = case team_id when 'farled' then 40 else 60 end
           where grain = 'latest' and team_id in ('farled', 'kaiplan') and area_id in ('mon', 'sec')""",
    )
    _, html = open_page("metric", home, monkeypatch, lang="en", metric="inc_postmortem_on_time")
    assert re.search(
        r"Furthest from the requirement are [\w, ]*Fairway[\w, ]* and [\w ]+ with 0", flat(html).replace(" ,", ",")
    )
    _, html = open_page("overview", home, monkeypatch, lang="en")
    assert re.search(r"Fairway and Quay planning +have fallen most since October \(−9.0 points each\)", flat(html))


def test_where_the_target_alone_meets_a_requirement_75_points_are_below_it(demo_home, tmp_path, monkeypatch):
    """95 % of what must be backed up wholly *met* the requirement on pages over all teams, and did not on its own."""
    teams = "team_id in ('farled', 'kaiplan')"
    home, snapshot = altered(
        demo_home,
        tmp_path / "backup",
        """update scores.metric set value = 1, points = 100, status = 'ok'
           where grain = 'latest' and metric_id = 'bck_coverage' and points is not null""",
        f"""update scores.metric set value = 0.95, points = 75 where grain = 'latest' and metric_id = 'bck_coverage'
            and {teams}""",
    )
    period = catalogue.periods(snapshot)[0]
    (total,) = (row for row in across.metric_totals(snapshot, period) if row.metric_id == "bck_coverage")
    (mine,) = (row for row in area_metrics(snapshot, period, "bck") if row.metric_id == "bck_coverage")
    assert total.measured - total.met == mine.measured - mine.met == 2
    (gap,) = (row for row in shared_gaps(snapshot, period) if row.metric_id == "bck_coverage")
    assert gap.teams == ["farled", "kaiplan"]
    assert sum({"farled", "kaiplan"} <= set(row.teams) for row in unmet_obligations(snapshot, period)) >= 1
    assert mean_gain(snapshot, period, ["bck_coverage"]) > 0
    _, html = open_page("metric", home, monkeypatch, lang="en", metric="bck_coverage")
    words = re.sub(r"\s+", " ", flat(html)).replace("\u00a0", " ")
    assert f"{total.met} of {total.measured} teams meet the requirement (≥ 100%)" in words
    assert re.search(r"95(\.0)?%; the requirement ≥ 100(\.0)?% is not met", html.replace("\u00a0", " "))


def test_a_service_that_fails_is_not_made_good_by_a_value_over_all(demo_home, tmp_path, monkeypatch):
    """The page of the team's metric said *met* by its value, the one over all teams *not met* by its points."""
    home, _ = altered(
        demo_home,
        tmp_path / "budget",
        """update scores.metric set value = 0.6, points = 50, status = 'ok'
           where grain = 'latest' and metric_id = 'inc_error_budget_consumed' and team_id = 'farled'""",
    )
    asked = {"lang": "en", "metric": "inc_error_budget_consumed"}
    _, html = open_page("metric", home, monkeypatch, team="farled", **asked)
    words = re.sub(r"\s+", " ", flat(html)).replace("\u00a0", " ")
    assert "The requirement is not met : 60.0% (50.0 points) now, the requirement is ≥ 60 points." in words
    _, html = open_page("metric", home, monkeypatch, **asked)
    words = re.sub(r"\s+", " ", flat(html)).replace("\u00a0", " ")
    assert re.search(r"meet the requirement \(≥ 60 points\). The median is [\d.]+ points. Furthest .* points", words)
    assert re.search(r"60(\.0)?% \(50.0 points\); the requirement ≥ 60 points is not met", html.replace("\u00a0", " "))


RULES = (
    ("method", "", "weakest_share", "0.25", "0.3"),
    ("metric", "bck_restore_within_rto", "krav", "0.8", "0.85"),
    ("metric", "bck_restore_within_rto", "weight", "3", "1.5"),
    ("metric", "bck_rpo_attainment", "window", "90d", "60d"),
    ("metric", "sec_overdue_exploited", "krav", "none", "2.5"),
    ("method", "", "level_edges", "[20, 40, 60, 80]", "[20, 40, 65, 80]"),
)


def test_own_rules_are_told_in_the_readers_language_and_by_their_own_decimals(demo_home, tmp_path, monkeypatch):
    """*weakest share*, *0.25* and *90d* stood on the Norwegian page, and a weight of 1.5 was 2."""
    home, _ = altered(
        demo_home,
        tmp_path / "rules",
        *(f"insert into meta.rule_changes values {(*row, 'Styret har vedtatt det.')}" for row in RULES),
        "update meta.metrics set weight = 1.5 where metric_id = 'bck_restore_within_rto'",
        "update scores.metric set weight = 1.5 where metric_id = 'bck_restore_within_rto'",
    )
    _, html = open_page("about", home, monkeypatch, lang="nb")
    said = re.sub(r"\s+", " ", flat(html))
    for words in (
        "Vekten av det svakeste området 0,25 0,3 ",
        " Krav 80,0 % 85,0 %",
        " Vekt 3 1,5 ",
        "Periode siste 90 dager siste 60 dager",
        " Krav – 2,5 ",
        "20, 40, 60, 80 20, 40, 65, 80",
    ):
        assert words in said, words
    _, html = open_page("metric", home, monkeypatch, lang="nb", metric="bck_restore_within_rto", team="farled")
    assert "Vekt 1,5" in re.sub(r"\s+", " ", flat(html))
    _, html = open_page("team", home, monkeypatch, lang="nb", team="farled", open=["metrics", "formula"])
    assert "1,5" in flat(html)


def test_every_number_that_rules_may_set_has_a_name():
    named = {"krav": "word.krav", "mal": "word.target", "weight": "word.weight"}
    for name in (*overlay.OF_METRIC, *overlay.OF_AREA, *overlay.OF_RULESET):
        assert all(text(language, named.get(name, f"setting.{name}")) for language in LANGUAGES)


def test_a_month_of_a_restated_score_is_told_by_its_name(demo_home, tmp_path, monkeypatch):
    home, _ = altered(
        demo_home,
        tmp_path / "restated",
        """insert into scores.published by name select 'farled' as team_id, '' as area_id, '' as metric_id, as_of, grain,
               as_of as published_at, true as is_locked, 50.0 as published_score, 52.0 as restated_score,
               2.0 as difference, 'late_data' as cause, '4.0.0' as published_ruleset
           from ref.as_of where grain = 'month' and label = '2026-10'""",
    )
    _, html = open_page("team", home, monkeypatch, lang="nb", team="farled")
    restated = flat(html).split(text("nb", "explain.restated_hint"))[1]
    assert "Oktober 2026" in restated
    assert "2026-10" not in restated

"""The chart of every kind: its words, its lines and its table say what ``scores.control_chart`` says."""

from __future__ import annotations

import json

import pytest

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.scoring.chart_names import KINDS, REASONS, SIGNALS
from tests.scorecard_app.test_views import flat, open_page, rows_of

NEWEST = """
    select c.*, m.unit, m.mal, m.krav is not null as has_krav, m.mal > m.floor as is_up
    from scores.control_chart as c join meta.metrics as m using (metric_id)
    qualify row_number() over (partition by c.team_id, c.metric_id order by c.as_of desc) = 1
        and count(*) over (partition by c.team_id, c.metric_id) >= 2
    order by c.team_id, c.metric_id
"""


def one_of_each(home):
    """The newest point of the first series of each kind, and of each reason that there is none."""
    found = {}
    for row in rows_of(home, NEWEST):
        found.setdefault((row["chart"], row["reason"]), row)
    return found


def figures(app):
    """What Plotly draws, in order: the weeks up to now, and the chart of periods where there is one."""
    return [json.loads(element.proto.spec) for element in app.main if element.type == "plotly_chart"]


def labels_of(drawn):
    return [note["text"] for note in drawn["layout"]["annotations"]]


SHOWN = """
    select unnest([c.value, c.krav, c.centre, c.low, c.high, w.value, m.floor, m.mal]) from meta.metrics as m
    left join scores.control_chart as c on c.team_id = $1 and c.metric_id = m.metric_id
    left join (from scores.metric where grain in ('week', 'latest')) as w on w.team_id = $1 and w.metric_id = m.metric_id
    where m.metric_id = $2
"""
NOW = """
    select s.value, s.status, w."on" from scores.metric as s join ref.as_of as w using (as_of, grain)
    where s.grain = 'latest' and s.team_id = $1 and s.metric_id = $2
"""


def check_axes(drawn, unit):
    """Ticks stand on whole units of the calendar, every point and label within the axes, no share above all of it."""
    days, values = drawn["layout"]["xaxis"], drawn["layout"]["yaxis"]
    first, last = (str(day)[:10] for day in days["range"])
    assert days["tickvals"], "an axis without ticks says nothing"
    assert all(str(tick)[8:10] == "01" for tick in days["tickvals"])
    assert len(days["tickvals"]) <= 5
    assert all(first <= str(x)[:10] <= last for trace in drawn["data"] for x in trace["x"])
    low, high = values["range"]
    assert low >= 0
    assert high <= 1 or unit != "share" or max(map(float, heights_of(drawn))) > 1
    assert all(low - 1e-9 <= y <= high + 1e-9 for y in heights_of(drawn))
    longest = max(len(label) for label in labels_of(drawn))
    assert drawn["layout"]["margin"]["r"] >= 7 * longest, "labels at the right edge fit"


def heights_of(drawn):
    return [y for trace in drawn["data"] for y in trace["y"] if y is not None] + [
        shape["y0"] for shape in drawn["layout"].get("shapes", ())
    ]


def test_the_demo_has_a_chart_of_every_kind(homes):
    kinds = one_of_each(homes["full"])
    assert {kind for kind, _ in kinds} == set(KINDS)
    assert {reason for _, reason in kinds} >= {"", "too_few_points", "too_few_misses"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_told_in_words_and_drawn_with_requirement_and_today(homes, monkeypatch, language):
    for (kind, reason), row in one_of_each(homes["full"]).items():
        address = {"team": row["team_id"], "metric": row["metric_id"], "lang": language}
        app, html = open_page("metric", homes["full"], monkeypatch, **address)
        shown = flat(html)
        assert text(language, f"metric.chart_{kind}") in shown
        if kind == "none":
            assert "Kan ikke si ennå" in shown or "Cannot tell yet" in shown
            words = text(language, f"metric.reason_{reason}", points="", least=8)
            assert words.split("{")[0].strip()[-20:] in shown
        found = figures(app)
        for drawn in found:
            check_axes(drawn, row["unit"])
        values = [next(iter(each.values())) for each in rows_of(homes["full"], SHOWN, row["team_id"], row["metric_id"])]
        krav, now = fmt.metric_values(language, row["unit"], row["krav"], row["today"], beside=values)
        name = text(language, "word.krav").lower()
        if row["today"] is not None:
            weeks = found[0]
            assert row["krav"] in {shape["y0"] for shape in weeks["layout"]["shapes"]}
            assert f"{name} {krav}" in labels_of(weeks)
            newest = next(trace for trace in weeks["data"] if len(trace["x"]) == 1)
            status = rows_of(homes["full"], NOW, row["team_id"], row["metric_id"])[0]
            if status["status"] in {"ok", "low_evidence"}:
                assert newest["y"] == [pytest.approx(status["value"])], "the newest point is SQL's"
                assert newest["x"][0][:10] == str(status["on"])
                assert f"{text(language, 'word.now').lower()} {now}" in labels_of(weeks)
        if kind == "none":
            assert len(found) <= 1, "two points are no chart that can tell anything"
        elif kind in {"g", "t"} and any(trace["type"] == "bar" for trace in found[-1]["data"]):
            bars = next(trace for trace in found[-1]["data"] if trace["type"] == "bar")
            assert bars["y"][-1] == row["since_miss"]
            assert found[-1]["layout"]["yaxis"]["range"][0] == 0, "bars begin at zero"
        else:
            assert row["krav"] in {shape["y0"] for shape in found[-1]["layout"]["shapes"]}
            assert f"{name} {krav}" in labels_of(found[-1]), "as in the chart above"
            marks = next(trace for trace in found[-1]["data"] if trace["mode"] == "markers")
            assert marks["y"][-1] == row["value"]
        if row["since_limit"] is not None:
            assert fmt.number(language, int(row["since_limit"])) in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_counted_in_full_is_no_chance(homes, monkeypatch, language):
    """Beside "each change is a fact" nobody reads that chance alone could have made the value (method 2.1)."""
    for kind, said, other in (("census", "interval_census", "interval"), ("sample", "interval", "interval_census")):
        row = rows_of(
            homes["full"],
            """select s.*, m.unit from scores.metric as s join meta.metrics as m using (metric_id)
               where s.grain = 'latest' and m.kind = $1 and m.unit = 'share' and s.interval_low is not null
                   and s.points is not null order by s.metric_id, s.team_id limit 1""",
            kind,
        )[0]
        low, high = fmt.metric_values(language, row["unit"], row["interval_low"], row["interval_high"])
        where = {"metric": row["metric_id"], "team": row["team_id"]}
        _, html = open_page("metric", homes["full"], monkeypatch, lang=language, **where)
        words = flat(html)
        assert flat(text(language, f"metric.{said}", low=low, high=high)) in words
        assert flat(text(language, f"metric.{other}", low=low, high=high)) not in words


def test_what_nobody_can_tell_yet_is_said_where_nothing_is_drawn(homes, monkeypatch):
    drawn = {(row["team_id"], row["metric_id"]) for row in rows_of(homes["full"], NEWEST)}
    measured = rows_of(
        homes["full"], "select team_id, metric_id from scores.metric where grain = 'latest' and value is not null"
    )
    team, metric = next(
        (row["team_id"], row["metric_id"]) for row in measured if (row["team_id"], row["metric_id"]) not in drawn
    )
    _, html = open_page("metric", homes["full"], monkeypatch, team=team, metric=metric, lang="en")
    assert "Cannot tell yet" in flat(html)
    assert "of at least 8 periods" in flat(html)


def test_the_table_of_a_chart_without_misses_counts_them(homes, monkeypatch):
    rows = {kind: row for (kind, _), row in one_of_each(homes["full"]).items()}
    for kind in ("g", "t"):
        row = rows[kind]
        _, html = open_page(
            "metric", homes["full"], monkeypatch, team=row["team_id"], metric=row["metric_id"], lang="en"
        )
        assert text("en", f"metric.since_{kind}_column") in flat(html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_signal_and_reason_has_its_words(language):
    for name in SIGNALS[1:]:
        assert text(language, f"metric.signal_{name}")
    for name in REASONS[1:]:
        assert text(language, "metric.cannot_tell", reason=text(language, f"metric.reason_{name}", points=3, least=8))
    for name in KINDS:
        assert text(language, f"metric.chart_{name}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_signal_names_no_middle_that_its_chart_does_not_have(language):
    """Seven in a row *on one side of the mean*, of a chart that is drawn around its median."""
    said = text(language, "metric.signal_seven_on_one_side").lower()
    assert not any(text(language, f"metric.{middle}").lower() in said for middle in ("mean", "median"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_team_is_told_which_months_its_trend_rests_on(homes, monkeypatch, language):
    row = rows_of(
        homes["full"],
        """select * from scores.trend where area_id is null and metric_id is null and grain = 'series_month'
           and verdict <> 'too_few_points' order by team_id""",
    )[0]
    _, html = open_page("team", homes["full"], monkeypatch, team=row["team_id"], lang=language, open="all")
    share = fmt.percent(language, row["weight_share"])
    months = text(language, "explain.periods_series_month", count=row["n"])
    shown = flat(html)
    assert f"{row['n']} " in shown
    assert months in shown
    assert flat(share) in shown

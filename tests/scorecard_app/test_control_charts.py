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


def figure(app):
    """What Plotly draws, and the sentence in its place."""
    chart = next(element for element in app.main if element.type == "plotly_chart")
    return json.loads(chart.proto.spec)


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
        drawn = figure(app)
        labels = " | ".join(note["text"] for note in drawn["layout"]["annotations"])
        heights = {shape["y0"] for shape in drawn["layout"]["shapes"]}
        krav, today = (fmt.metric_value(language, row["unit"], row[name]) for name in ("krav", "today"))
        if row["has_krav"]:
            assert row["krav"] in heights
        name = text(language, "word.krav" if row["has_krav"] else "metric.krav_and_target").lower()
        assert f"{name} {krav}" in labels
        if row["today"] is not None:
            assert row["today"] in heights
            assert f"{text(language, 'metric.today')} {today}" in labels
        sign = "≥" if row["is_up"] else "≤"
        assert (
            flat(text(language, "metric.today_line", sign=sign, krav=krav, today=today)) in shown
            or row["today"] is None
        )
        if row["since_limit"] is not None:
            assert fmt.number(language, int(row["since_limit"])) in shown


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
def test_a_team_is_told_which_months_its_trend_rests_on(homes, monkeypatch, language):
    row = rows_of(
        homes["full"],
        """select * from scores.trend where area_id is null and metric_id is null and grain = 'series_month'
           and verdict <> 'too_few_points' order by team_id""",
    )[0]
    _, html = open_page("team", homes["full"], monkeypatch, team=row["team_id"], lang=language)
    share = fmt.percent(language, row["weight_share"])
    months = text(language, "explain.periods_series_month")
    shown = flat(html)
    assert f"{row['n']} " in shown
    assert months in shown
    assert flat(share) in shown

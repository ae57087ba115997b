"""Is a metric really changing, and will it meet its target? The control chart, or a line where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.chart_names import FEWEST_POINTS
from opsmetrics.snapshots.queries import movement, scores
from opsmetrics.snapshots.queries.catalogue import Metric, Team
from opsmetrics.snapshots.queries.movement import ControlPeriod
from opsmetrics.snapshots.queries.scores import MetricWeek
from scorecard_app import charts
from scorecard_app.charts import ControlPoint
from scorecard_app.files import figure_files
from scorecard_app.markup import element, folded, heading, hint, join, paragraph, rich
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import files_of, folded_table, table_html
from scorecard_app.views.parts import source

SHOWN_WEEKS = 52
SHOWN_POINTS = 26
FEWEST_DRAWN = 2
WITH_LIMITS = ("xmr", "p", "g", "t")
WITHOUT_MISS = ("g", "t")
KEY = (("●", "normal"), ("▲", "better"), ("◆", "worse"), ("- -", "limits"), ("▒", "target"))


def control_section(page: Page, metric: Metric, team: Team) -> bool:
    """Show the chart that fits the metric with its answers; False where there is nothing to draw.

    Is it really changing, or why can nobody tell yet; how do requirement, target and today's value lie to it?
    """
    periods = [
        row
        for row in movement.control_chart(page.snapshot, team.team_id, metric.metric_id)
        if row.as_of <= page.period.as_of
    ]
    if len(periods) < FEWEST_DRAWN:
        show(paragraph(rich(_cannot_tell(page, "too_few_points", len(periods))), kind="answer"))
        return False
    points, newest = _points(metric, periods), periods[-1]
    sentences = (
        _variation(page, newest, points[-1], len(periods)),
        _without_miss(page, newest),
        _assurance(page, metric, newest),
        _today(page, metric, newest),
    )
    answers = " ".join(sentence for sentence in sentences if sentence)
    if newest.chart in WITH_LIMITS:
        limits = page.text("metric.trial" if newest.is_trial else "metric.locked")
    else:
        limits = page.text(f"metric.about_{newest.chart}")
    note = page.text(
        "metric.control_note",
        chart=page.text(f"metric.chart_{newest.chart}"),
        grain=page.text(f"metric.{newest.grain}"),
        limits=limits,
    )
    show(join(heading(page.text("metric.control"), note), paragraph(rich(answers), kind="answer")))
    _control_chart(page, metric, team, points, newest, f"{note}. {answers}")
    _control_table(page, metric, team, periods)
    return True


def _points(metric: Metric, periods: Sequence[ControlPeriod]) -> list[ControlPoint]:
    """The periods with signals that say in which direction they went."""
    points: list[ControlPoint] = []
    for row, before in zip(periods, [periods[0], *periods], strict=False):
        moves = row.signal in {"seven_rising_or_falling", "changed"}
        reference = before.value if moves or row.centre is None else row.centre
        is_better = row.signal == "long_without_miss" or (row.value > reference) == metric.is_up_good
        points.append(ControlPoint(row.on, row.value, row.low, row.centre, row.high, row.signal, is_better))
    return points


def _bounds(metric: Metric) -> tuple[float, float]:
    """What the metric's unit allows: a share cannot leave 0 to 1."""
    return 0.0, 1.0 if metric.unit in {"share", "utilisation"} else math.inf


def _shown_today(page: Page, newest: ControlPeriod) -> float | None:
    """The value of today; a period that is past was told without it."""
    return newest.today if page.period.grain == "latest" else None


def _control_chart(
    page: Page, metric: Metric, team: Team, points: Sequence[ControlPoint], newest: ControlPeriod, answers: str
) -> None:
    today, has_krav = _shown_today(page, newest), metric.krav is not None
    values = {"today": today, "krav": newest.krav, "target": metric.mal, "mean": newest.centre}
    written = {name: fmt.metric_value(page.language, metric.unit, value) for name, value in values.items()}
    target = page.text("word.target") if has_krav else page.text("metric.krav_and_target")
    words = {
        "today": f"{page.text('metric.today')} {written['today']}",
        "krav": f"{page.text('word.krav').lower()} {written['krav']}",
        "target": f"{target.lower()} {written['target']}",
        "mean": f"{page.text('metric.median' if newest.chart == 'run' else 'metric.mean').lower()} {written['mean']}",
        "high": page.text("metric.upper"),
        "low": page.text("metric.lower"),
    }
    reference = charts.Reference(metric.mal, newest.krav if has_krav else None, today, metric.is_up_good)
    st.plotly_chart(
        charts.control_chart(page.language, metric.unit, points[-SHOWN_POINTS:], reference, words),
        config=charts.CONFIG,
        theme=None,
        key="control",
        alt=f"{page.say(metric.title)}, {page.say(team.name)}. {answers.replace('*', '')}",
    )


def _control_table(page: Page, metric: Metric, team: Team, periods: Sequence[ControlPeriod]) -> None:
    """Show what the marks mean, and the chart as a table."""
    newest = periods[-1]
    caption = _caption(page, metric, newest)
    has_limits, counts = newest.chart in WITH_LIMITS, newest.chart in WITHOUT_MISS
    columns = (
        Column(page.text("explain.until"), "date"),
        Column(page.text("word.value"), "number"),
        *((Column(page.text(f"metric.{side}"), "number") for side in ("lower", "upper")) if has_limits else ()),
        *((Column(page.text(f"metric.since_{newest.chart}_column"), "number"),) if counts else ()),
        Column(page.text("metric.signal")),
    )
    rows = tuple(
        (
            page.cells.day(period.on),
            page.cells.measure(metric.unit, period.value),
            *((page.cells.measure(metric.unit, limit) for limit in (period.low, period.high)) if has_limits else ()),
            *((page.cells.number(period.since_miss),) if counts else ()),
            Cell(page.text(f"metric.signal_{period.signal}") if period.signal else fmt.MISSING),
        )
        for period in reversed(periods)
    )
    file = source("control-chart", team=team.team_id, metric=metric.metric_id)
    table = Table("control_chart", caption, columns, rows, source=file)
    key = (element("span", f"{sign} {page.text(f'metric.key_{name}')}") for sign, name in KEY)
    show(
        join(
            element("div", key, class_="legend"),
            _figure_files(page, metric, team),
            folded(page.text("app.show_table"), hint(caption), table_html(page, table)),
            files_of(page, table),
        )
    )


def _caption(page: Page, metric: Metric, newest: ControlPeriod) -> str:
    if newest.chart not in WITH_LIMITS:
        return page.text(f"metric.about_{newest.chart}")
    bottom, top = _bounds(metric)
    low, high = bottom if newest.low is None else newest.low, top if newest.high is None else newest.high
    values = (low, newest.centre, None if math.isinf(high) else high)
    low_word, centre, high_word = (fmt.metric_value(page.language, metric.unit, value) for value in values)
    return page.text("metric.limits", low=low_word, centre=centre, high=high_word)


def _figure_files(page: Page, metric: Metric, team: Team) -> Markup:
    name = f"{metric.metric_id}-{team.team_id}"
    return figure_files(page, name, f"{page.say(metric.title)} · {page.say(team.name)}")


def _cannot_tell(page: Page, reason: str, points: int) -> str:
    """Say that nobody can tell yet whether anything changes, and why."""
    words = page.text(f"metric.reason_{reason}", points=points, least=FEWEST_POINTS)
    return page.text("metric.cannot_tell", reason=words)


def _variation(page: Page, newest: ControlPeriod, point: ControlPoint, points: int) -> str:
    """Whether it is really changing, or why nobody can tell yet."""
    if newest.chart == "none":
        return _cannot_tell(page, newest.reason, points)
    if not newest.signal:
        return page.text("metric.variation_still" if newest.chart == "steps" else "metric.variation_normal")
    key = "metric.variation_better" if point.is_better else "metric.variation_worse"
    return page.text(key, signal=page.text(f"metric.signal_{newest.signal}").lower())


def _without_miss(page: Page, newest: ControlPeriod) -> str:
    """How long without a miss, and how long would be a change for the better."""
    if newest.chart not in WITHOUT_MISS or newest.since_limit is None:
        return ""
    count, limit = (fmt.number(page.language, value) for value in (newest.since_miss, math.floor(newest.since_limit)))
    return page.text(f"metric.since_{newest.chart}", count=count, limit=limit)


def _today(page: Page, metric: Metric, newest: ControlPeriod) -> str:
    """The requirement, and where today's value lies."""
    today = _shown_today(page, newest)
    krav, value = (fmt.metric_value(page.language, metric.unit, number) for number in (newest.krav, today))
    sign = "≥" if metric.is_up_good else "≤"
    return page.text("metric.krav_line" if today is None else "metric.today_line", sign=sign, krav=krav, today=value)


def _assurance(page: Page, metric: Metric, newest: ControlPeriod) -> str:
    """Whether today's way of working will meet the target: where the target lies against the limits."""
    if newest.chart not in WITH_LIMITS:
        return ""
    if newest.is_trial:
        return page.text("metric.assurance_trial")
    bottom, top = _bounds(metric)
    low, high = bottom if newest.low is None else newest.low, top if newest.high is None else newest.high
    target = metric.mal
    worst, best = (low, high) if metric.is_up_good else (high, low)
    if (worst >= target) if metric.is_up_good else (worst <= target):
        return page.text("metric.assurance_yes")
    if (best < target) if metric.is_up_good else (best > target):
        return page.text("metric.assurance_no")
    return page.text("metric.assurance_chance")


def trend_section(page: Page, metric: Metric, team: Team) -> None:
    """Show the weekly values of a metric that has no periods of its own, such as a state."""
    weeks = [
        row
        for row in scores.metric_weeks(page.snapshot, team.team_id, metric.metric_id)
        if row.as_of <= page.period.as_of
    ][-SHOWN_WEEKS:]
    values = [row.value if row.status in {"ok", "low_evidence"} else None for row in weeks]
    title = heading(page.text("metric.trend"), page.text("metric.trend_note"))
    last = next((value for value in reversed(values) if value is not None), None)
    show(title)
    if last is None:
        show(hint(page.text("metric.trend_none")))
        return
    alt = page.text(
        "metric.trend_alt",
        metric=page.say(metric.title),
        team=page.say(team.name),
        value=fmt.metric_value(page.language, metric.unit, last),
        krav=fmt.metric_value(page.language, metric.unit, metric.krav),
        target=fmt.metric_value(page.language, metric.unit, metric.mal),
    )
    _trend_chart(page, metric, weeks, values, alt)
    file = source("weeks", team=team.team_id, metric=metric.metric_id)
    columns = (Column(page.text("word.period"), "date"), Column(page.text("word.value"), "number"))
    rows = tuple(
        (page.cells.day(week.on), page.cells.measure(metric.unit, value))
        for week, value in zip(reversed(weeks), reversed(values), strict=True)
    )
    table = Table("weeks", alt, columns, rows, source=file)
    show(join(_figure_files(page, metric, team), folded_table(page, page.text("app.show_table"), table)))


def _trend_chart(
    page: Page, metric: Metric, weeks: Sequence[MetricWeek], values: Sequence[float | None], alt: str
) -> None:
    language = page.language
    lines = ((page.text("word.target"), metric.mal), (page.text("word.krav"), metric.krav))
    labelled = [
        (f"{name.lower()} {fmt.metric_value(language, metric.unit, at)}", at) for name, at in lines if at is not None
    ]
    st.plotly_chart(
        charts.metric_trend(language, metric.unit, [week.on for week in weeks], values, labelled),
        config=charts.CONFIG,
        theme=None,
        key="trend",
        alt=alt,
    )

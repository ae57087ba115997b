"""Is a metric really changing, and will it meet its target? The control chart, or a line where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports.table import Cell, Column, Table
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
FEWEST_POINTS = 2
KEY = (("●", "normal"), ("▲", "better"), ("◆", "worse"), ("- -", "limits"), ("▒", "target"))


def control_section(page: Page, metric: Metric, team: Team) -> bool:
    """Show the XmR chart and its two answers: is it really changing, will it meet the target? False without one."""
    periods = [
        row
        for row in movement.control_chart(page.snapshot, team.team_id, metric.metric_id)
        if row.as_of <= page.period.as_of
    ]
    if len(periods) < FEWEST_POINTS:
        return False
    points = _points(metric, periods)
    newest = points[-1]
    answers = f"{_variation(page, newest)} {_assurance(page, metric, newest)}"
    grain = page.text(f"metric.{newest.grain}")
    trial = page.text("metric.trial" if newest.is_trial else "metric.locked")
    note = page.text("metric.control_note", grain=grain, limits=trial)
    show(join(heading(page.text("metric.control"), note), paragraph(rich(answers), kind="answer")))
    _control_chart(page, metric, team, points, answers)
    _control_table(page, metric, team, points)
    return True


def _points(metric: Metric, periods: Sequence[ControlPeriod]) -> list[ControlPoint]:
    """The periods with limits that the unit allows, and signals that say in which direction they went."""
    # A share cannot leave 0 to 1, whatever the moving ranges say.
    widest = 1.0 if metric.unit in {"share", "utilisation"} else math.inf
    points: list[ControlPoint] = []
    for row, before in zip(periods, [periods[0], *periods], strict=False):
        reference = before.value if row.signal == "seven_rising_or_falling" else row.centre
        points.append(
            ControlPoint(
                on=row.on,
                value=row.value,
                low=max(0.0, row.low),
                centre=row.centre,
                high=min(widest, row.high),
                signal=row.signal,
                is_better=(row.value > reference) == metric.is_up_good,
                grain=row.grain,
                is_trial=row.is_trial,
            )
        )
    return points


def _control_chart(page: Page, metric: Metric, team: Team, points: Sequence[ControlPoint], answers: str) -> None:
    target = fmt.metric_value(page.language, metric.unit, metric.mal)
    centre = fmt.metric_value(page.language, metric.unit, points[-1].centre)
    words = {
        "target": f"{page.text('word.target').lower()} {target}",
        "mean": f"{page.text('metric.mean').lower()} {centre}",
        "high": page.text("metric.upper"),
        "low": page.text("metric.lower"),
    }
    st.plotly_chart(
        charts.control_chart(
            page.language,
            metric.unit,
            points[-SHOWN_POINTS:],
            target=metric.mal,
            is_up_good=metric.is_up_good,
            words=words,
        ),
        config=charts.CONFIG,
        theme=None,
        key="control",
        alt=f"{page.say(metric.title)}, {page.say(team.name)}. {answers.replace('*', '')}",
    )


def _control_table(page: Page, metric: Metric, team: Team, points: Sequence[ControlPoint]) -> None:
    """Show what the marks mean, and the chart as a table."""
    newest = points[-1]
    low, centre, high = (
        fmt.metric_value(page.language, metric.unit, value) for value in (newest.low, newest.centre, newest.high)
    )
    limits = page.text("metric.limits", low=low, centre=centre, high=high)
    columns = (
        Column(page.text("explain.until"), "date"),
        Column(page.text("word.value"), "number"),
        Column(page.text("metric.signal")),
    )
    rows = tuple(
        (
            page.cells.day(point.on),
            page.cells.measure(metric.unit, point.value),
            Cell(page.text(f"metric.signal_{point.signal}") if point.signal else fmt.MISSING),
        )
        for point in reversed(points)
    )
    file = source("control-chart", team=team.team_id, metric=metric.metric_id)
    table = Table("control_chart", limits, columns, rows, source=file)
    key = (element("span", f"{sign} {page.text(f'metric.key_{name}')}") for sign, name in KEY)
    show(
        join(
            element("div", key, class_="legend"),
            _figure_files(page, metric, team),
            folded(page.text("app.show_table"), hint(limits), table_html(page, table)),
            files_of(page, table),
        )
    )


def _figure_files(page: Page, metric: Metric, team: Team) -> Markup:
    name = f"{metric.metric_id}-{team.team_id}"
    return figure_files(page, name, f"{page.say(metric.title)} · {page.say(team.name)}")


def _variation(page: Page, newest: ControlPoint) -> str:
    """Whether it is really changing."""
    if not newest.signal:
        return page.text("metric.variation_normal")
    key = "metric.variation_better" if newest.is_better else "metric.variation_worse"
    return page.text(key, signal=page.text(f"metric.signal_{newest.signal}").lower())


def _assurance(page: Page, metric: Metric, newest: ControlPoint) -> str:
    """Whether today's way of working will meet the target: where the target lies against the natural limits."""
    target = metric.mal
    worst, best = (newest.low, newest.high) if metric.is_up_good else (newest.high, newest.low)
    if newest.is_trial:
        return page.text("metric.assurance_trial")
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

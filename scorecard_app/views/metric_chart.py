"""Does a metric meet its requirement, and is it really changing? Its weeks up to now, and the chart that can tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.chart_names import FEWEST_POINTS
from opsmetrics.snapshots.queries.catalogue import Metric, Team
from opsmetrics.snapshots.queries.movement import ControlPeriod
from opsmetrics.snapshots.queries.scores import MetricScore
from scorecard_app import charts
from scorecard_app.charts import ControlPoint
from scorecard_app.files import Figure, offer_figure
from scorecard_app.markup import element, folded, heading, hint, join, paragraph, rich
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import folded_table, table_html
from scorecard_app.views.metric_words import Written, control_periods, is_split, meets, weeks, with_points
from scorecard_app.views.parts import source

SHOWN_POINTS = 26
FEWEST_DRAWN = 2
WITH_LIMITS = ("xmr", "p", "g", "t")
WITHOUT_MISS = ("g", "t")
SURE = ("ok", "low_evidence")  # what stands otherwise is no value of its week
SIGNS = (("better", "▲", "up"), ("worse", "◆", "down"))


def control_section(page: Page, metric: Metric, team: Team, written: Written) -> None:
    """Show whether the metric is really changing, in words, and the chart that can tell where there is one."""
    periods = control_periods(page, metric, team)
    title = page.text("metric.is_changing")
    if len(periods) < FEWEST_DRAWN:
        words = rich(_cannot_tell(page, "too_few_points", len(periods)))
        show(join(heading(title), paragraph(words, kind="answer")))
        return
    points, newest = _points(metric, periods), periods[-1]
    sentences = (
        _variation(page, newest, points[-1], len(periods)),
        _without_miss(page, newest),
        _assurance(page, metric, newest),
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
    show(join(heading(title, note), paragraph(rich(answers), kind="answer")))
    alt = f"{page.say(metric.title)}, {page.say(team.name)}. {note}. {answers.replace('*', '')}"
    shown = periods[-SHOWN_POINTS:]
    if newest.chart in WITHOUT_MISS and newest.since_limit is not None and any(row.since_miss for row in shown):
        _without_miss_chart(page, shown, newest.since_limit, alt)
        _offer(page, metric, team, "without-miss")
    elif newest.chart != "none":
        _control_chart(page, metric, points[-SHOWN_POINTS:], newest, written, alt)
        if signs := _signs(page, points[-SHOWN_POINTS:]):
            show(signs)
        _offer(page, metric, team, "control")
    _control_table(page, metric, team, periods, written)


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


def _control_chart(
    page: Page, metric: Metric, points: Sequence[ControlPoint], newest: ControlPeriod, written: Written, alt: str
) -> None:
    """The periods with natural limits and the requirement, each line with its label."""
    mean = page.text("metric.median" if newest.chart == "run" else "metric.mean").lower()
    krav, centre = written.all(newest.krav, newest.centre)
    labelled = {
        "krav": (newest.krav, f"{page.text('word.krav').lower()} {krav}"),
        "mean": (newest.centre, f"{mean} {centre}"),
        # Limits follow the number of items of each period: each is labelled at its last height.
        "high": (_last(point.high for point in points), page.text("metric.upper")),
        "low": (_last(point.low for point in points), page.text("metric.lower")),
    }
    lines = {name: (height, words) for name, (height, words) in labelled.items() if height is not None}
    st.plotly_chart(
        charts.control_chart(page.language, metric.unit, points, lines),
        config=charts.CONFIG,
        theme=None,
        key="control",
        alt=alt,
    )


def _last(heights: Iterable[float | None]) -> float | None:
    """The newest height that there is."""
    found = [height for height in heights if height is not None]
    return found[-1] if found else None


def _without_miss_chart(page: Page, periods: Sequence[ControlPeriod], limit: float, alt: str) -> None:
    """How long it went without a miss: of what is rare the value itself says little."""
    height = float(math.floor(limit))
    words = page.text("metric.since_line", limit=fmt.number(page.language, height))
    days, counts = [row.on for row in periods], [row.since_miss for row in periods]
    st.plotly_chart(
        charts.without_miss_chart(page.language, days, counts, (height, words)),
        config=charts.CONFIG,
        theme=None,
        key="without-miss",
        alt=alt,
    )


def _signs(page: Page, points: Sequence[ControlPoint]) -> Markup | None:
    """What the marks mean that are there, in their colours."""
    there = {"better" if point.is_better else "worse" for point in points if point.signal}
    shown = [
        element("span", element("span", sign, class_=kind, aria_hidden="true"), " ", page.text(f"metric.key_{name}"))
        for name, sign, kind in SIGNS
        if name in there
    ]
    return element("div", shown, class_="legend") if shown else None


def _control_table(page: Page, metric: Metric, team: Team, periods: Sequence[ControlPeriod], written: Written) -> None:
    """Show the chart as a table."""
    newest = periods[-1]
    caption = _caption(page, metric, newest, written)
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
            written.cell(period.value),
            *((written.cell(limit) for limit in (period.low, period.high)) if has_limits else ()),
            *((page.cells.number(period.since_miss),) if counts else ()),
            Cell(page.text(f"metric.signal_{period.signal}") if period.signal else fmt.MISSING),
        )
        for period in reversed(periods)
    )
    file = source("control-chart", team=team.team_id, metric=metric.metric_id)
    table = Table("control_chart", caption, columns, rows, source=file)
    show(join(folded(page.text("app.show_table"), hint(caption), table_html(page, table))))


def _caption(page: Page, metric: Metric, newest: ControlPeriod, written: Written) -> str:
    if newest.chart not in WITH_LIMITS:
        return page.text(f"metric.about_{newest.chart}")
    bottom, top = _bounds(metric)
    low, high = bottom if newest.low is None else newest.low, top if newest.high is None else newest.high
    values = (low, newest.centre, None if math.isinf(high) else high)
    low_word, centre, high_word = written.all(*values)
    return page.text("metric.limits", low=low_word, centre=centre, high=high_word)


def _offer(page: Page, metric: Metric, team: Team, key: str) -> None:
    """Offer a chart as a picture; its title names the metric, the team and which of the charts it is."""
    which = page.text("metric.trend" if key == "trend" else "metric.is_changing")
    title = f"{page.say(metric.title)} · {page.say(team.name)} · {which}"
    offer_figure(page, Figure(key, f"{metric.metric_id}-{team.team_id}-{key}", title))


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


def _assurance(page: Page, metric: Metric, newest: ControlPeriod) -> str:
    """Whether today's way of working will meet the requirement: where it lies against the limits."""
    if newest.chart not in WITH_LIMITS:
        return ""
    if newest.is_trial:
        return page.text("metric.assurance_trial")
    bottom, top = _bounds(metric)
    low, high = bottom if newest.low is None else newest.low, top if newest.high is None else newest.high
    target = newest.krav
    worst, best = (low, high) if metric.is_up_good else (high, low)
    if (worst >= target) if metric.is_up_good else (worst <= target):
        return page.text("metric.assurance_yes")
    if (best < target) if metric.is_up_good else (best > target):
        return page.text("metric.assurance_no")
    return page.text("metric.assurance_chance")


def trend_section(page: Page, metric: Metric, team: Team, row: MetricScore | None, written: Written) -> None:
    """Show the weekly values up to now against the requirement."""
    spots = [(week.on, week.value if week.status in SURE else None) for week in weeks(page, metric, team)]
    spots.append((page.period.on, shown_value(row) if row is not None and row.status in SURE else None))
    there = [value for _, value in spots if value is not None]
    show(heading(page.text("metric.trend"), page.text("metric.trend_note")))
    if not there:
        show(hint(page.text("metric.trend_none")))
        return
    value, krav, target = written.all(there[-1], metric.requirement, metric.mal)
    alt = page.text(
        "metric.trend_alt",
        metric=page.say(metric.title),
        team=page.say(team.name),
        value=value,
        krav=krav,
        target=target,
    )
    show(paragraph(_to_requirement(page, metric, row, spots[-1][1], written), kind="answer"))
    _trend_chart(page, metric, spots, written, alt)
    file = source("weeks", team=team.team_id, metric=metric.metric_id)
    columns = (Column(page.text("word.period"), "date"), Column(page.text("word.value"), "number"))
    rows = tuple((page.cells.day(on), written.cell(value)) for on, value in reversed(spots))
    table = Table("weeks", alt, columns, rows, source=file)
    _offer(page, metric, team, "trend")
    show(folded_table(page, page.text("app.show_table"), table))


def _to_requirement(page: Page, metric: Metric, row: MetricScore | None, now: float | None, written: Written) -> Markup:
    """The verdict: whether the requirement is met now, by the value that stands now and by its points."""
    value, required = written.all(now, metric.requirement)
    krav = f"{'≥' if metric.is_up_good else '≤'}\u00a0{required}"
    if now is None:
        return rich(page.text("metric.now_unknown", krav=krav, when=page.when))
    is_met = meets(metric, now)
    if row is not None and row.points is not None and is_split(metric, row, now):
        is_met = not is_met
        value, krav = with_points(page, metric, value, row.points)
    key = "metric.now_met" if is_met else "metric.now_below"
    return rich(page.text(key, krav=krav, value=value, when=page.when))


def _trend_chart(
    page: Page, metric: Metric, spots: Sequence[tuple[date, float | None]], written: Written, alt: str
) -> None:
    language = page.language
    newest = next(value for _, value in reversed(spots) if value is not None)
    is_now = spots[-1][1] is not None
    word = page.now_within if is_now else page.text("metric.last_known")
    krav, value = written.all(metric.requirement, newest)
    lines = {
        "krav": (metric.requirement, f"{page.text('word.krav').lower()} {krav}"),
        "now": (newest, f"{word} {value}"),
    }
    st.plotly_chart(
        charts.metric_trend(
            language,
            metric.unit,
            [on for on, _ in spots],
            [value for _, value in spots],
            lines,
            is_met=meets(metric, newest),
        ),
        config=charts.CONFIG,
        theme=None,
        key="trend",
        alt=alt,
    )

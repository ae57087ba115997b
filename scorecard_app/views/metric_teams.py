"""One metric over all teams: each against the requirement, with its year beside it, worst first."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports.addresses import METRIC
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.reports.weakest import NAMED
from opsmetrics.snapshots.queries import across, quality, scores
from opsmetrics.snapshots.queries.catalogue import Metric, Team
from opsmetrics.snapshots.queries.rows import group_by
from opsmetrics.snapshots.queries.scores import MetricScore
from scorecard_app.markup import element, heading, hint, join, lead, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.ticks import round_ticks, tick_words
from scorecard_app.tracks import Line, Mark, MarkKind, track
from scorecard_app.trend_lines import Frame, framed, trend_line
from scorecard_app.views.metric_words import (
    Written,
    in_points,
    is_split,
    required_points,
    with_points,
    written_beside,
)
from scorecard_app.views.parts import reason, source, status_cell, status_words
from scorecard_app.views.sides import MOST_ROWS, side_links, side_of

_SURE = ("ok", "low_evidence")
_ROOM = 0.06  # of the scale, beside the outermost mark


Measured = Sequence[tuple[MetricScore, float]]
"""Teams' rows with the values that they show, furthest from the requirement first."""


class Scale(NamedTuple):
    """The value axis that all teams share."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value stands, 0..1."""
        return (value - self.low) / (self.high - self.low)


def teams_section(page: Page, metric: Metric, teams: Mapping[str, Team]) -> None:
    """Show how the teams lie to the requirement, and what is known of the others."""
    found = scores.metric_scores(page.snapshot, page.period, metric_id=metric.metric_id)
    measured = [(row, value) for row in found if row.team_id in teams and (value := shown_value(row)) is not None]
    measured.sort(key=lambda pair: (*_furthest(metric, *pair), pair[0].team_id))
    values = [value for _, value in measured]
    written = written_beside(page, metric, [*values, statistics.median(values)] if values else [])
    _lead(page, metric, teams, measured, written)
    if measured:
        _plot(page, metric, teams, measured, written)
    _others(page, teams, [row for row in found if row.team_id in teams and shown_value(row) is None])


def _lead(page: Page, metric: Metric, teams: Mapping[str, Team], measured: Measured, written: Written) -> None:
    if not measured:
        show(lead(page.text("across.lead_none")))
        return
    met = sum(_is_met(metric, row) for row, _ in measured)
    krav, median, said = _told(page, metric, measured, written)
    least = said[0]
    furthest = [
        fmt.unmarked(page.say(teams[row.team_id].name))
        for (row, _), each in zip(measured, said, strict=True)
        if each == least
    ]
    words = page.text(
        "across.lead_all" if met == len(measured) else "across.lead_only" if len(measured) == 1 else "across.lead",
        met=met,
        teams=len(measured),
        krav=krav,
        median=median,
        worst=listed(page.language, furthest, NAMED),
        count=len(furthest),
        value=least,
    )
    show(lead(words))


def _told(page: Page, metric: Metric, measured: Measured, written: Written) -> tuple[str, str, list[str]]:
    """The requirement, the median and each team's number, furthest first: in points where values tell another story."""
    if any(is_split(metric, row, value) for row, value in measured):
        points = [row.points or 0.0 for row, _ in measured]
        return (
            required_points(page, metric),
            in_points(page, statistics.median(points)),
            [in_points(page, p) for p in points],
        )
    values = [value for _, value in measured]
    krav, median, *said = written.all(metric.requirement, statistics.median(values), *values)
    return f"{_sign(metric)}\u00a0{krav}", median, said


def _furthest(metric: Metric, row: MetricScore, value: float) -> tuple[float, float]:
    """What comes first: few points where parts have points of their own, then the value."""
    return (row.points or 0.0) if metric.is_entity else 0.0, value if metric.is_up_good else -value


def requirement(page: Page, metric: Metric) -> str:
    """Return the requirement with its sign."""
    return f"{_sign(metric)}\u00a0{fmt.metric_value(page.language, metric.unit, metric.requirement)}"


def _sign(metric: Metric) -> str:
    return "≥" if metric.is_up_good else "≤"


def _is_met(metric: Metric, row: MetricScore) -> bool:
    return row.points is not None and row.points >= metric.required_points


def scale_of(metric: Metric, values: Sequence[float]) -> Scale:
    """Return the axis: all values, the requirement and the target lie within it, and a share within 0 and 1."""
    seen = [*values, metric.requirement, metric.mal]
    low, high = min(seen), max(seen)
    room = (high - low or abs(high) or 1.0) * _ROOM
    low = max(0.0, low - room) if low >= 0 else low - room
    high = min(1.0, high + room) if metric.unit == "share" and high <= 1 else high + room
    return Scale(low, high if high > low else low + 1.0)


def _plot(page: Page, metric: Metric, teams: Mapping[str, Team], measured: Measured, written: Written) -> None:
    side = side_of(page, len(measured), MOST_ROWS)
    shown = measured[side.start : side.stop]
    ids = [row.team_id for row, _ in shown]
    year = group_by(across.metric_weeks(page.snapshot, page.period, metric.metric_id, ids), lambda row: row.team_id)
    scale = scale_of(metric, [value for _, value in measured])
    values = [week.value for weeks in year.values() for week in weeks]
    frame = framed(page.period.on, values, metric.requirement)
    lines, doubted = _lines(page, metric, scale, written), _doubted(page, metric)
    rows = tuple(
        (
            Cell(
                page.say(teams[row.team_id].name),
                detail=page.text("across.doubted") if row.team_id in doubted else "",
                address=METRIC.at(team=row.team_id, metric=metric.metric_id),
            ),
            _dot(page, metric, row, value, (scale, lines, written), is_sure=_is_sure(row, doubted)),
            written.cell(value, is_strong=True),
            status_cell(page, row),
            Cell(drawing=_year(page, metric, year.get(row.team_id, ()), frame)),
        )
        for row, value in shown
    )
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("across.against")),
        Column(page.now, "number"),
        Column(page.text("word.status")),
        Column(page.text("across.year")),
    )
    file = source("metric-scores", metric=metric.metric_id)
    table = Table("metric_teams", page.text("across.caption"), columns, rows, source=file)
    key = (
        element("span", element("i", class_=f"sign {kind}"), " ", page.text(f"across.key_{name}"))
        for kind, name in (("good", "met"), ("bad", "below"), ("hollow", "unsure"))
    )
    title = heading(
        page.text("across.teams"),
        page.text("across.teams_note", krav=f"{_sign(metric)}\u00a0{written.one(metric.requirement)}"),
    )
    legend = element("div", key, class_="legend")
    show(join(title, legend, table_html(page, table, kind="dots"), side_links(page, side)))


def _lines(page: Page, metric: Metric, scale: Scale, written: Written) -> list[Line]:
    """The grid, and the requirement with its label; a tick too near to it keeps its line and loses its label."""
    krav = scale.at(metric.requirement)
    ticks = [tick for tick in round_ticks(scale.low, scale.high, 4) if scale.low <= tick <= scale.high]
    words = tick_words(page.language, metric.unit, ticks)
    grid = [
        Line(scale.at(tick), "" if abs(scale.at(tick) - krav) < 0.16 else word)
        for tick, word in zip(ticks, words, strict=True)
    ]
    label = f"{page.text('word.krav').lower()} {written.one(metric.requirement)}"
    return [*grid, Line(krav, label, "krav")]


def _doubted(page: Page, metric: Metric) -> frozenset[str]:
    """The teams whose number the product itself doubts: a sign of gaming names this metric."""
    signs = quality.alarms(page.snapshot, page.period)
    return frozenset(row.team_id for row in signs if metric.metric_id in row.subject.split(" / "))


def _is_sure(row: MetricScore, doubted: Collection[str]) -> bool:
    return row.status in _SURE and row.team_id not in doubted


def _dot(
    page: Page,
    metric: Metric,
    row: MetricScore,
    value: float,
    axis: tuple[Scale, Sequence[Line], Written],
    *,
    is_sure: bool,
) -> Cell:
    """A team's value; what is old, or doubted, is hollow and neither good nor bad."""
    scale, lines, written = axis
    kind: MarkKind = ("good" if _is_met(metric, row) else "bad") if is_sure else "hollow"
    said, required = written.all(value, metric.requirement)
    required = f"{_sign(metric)}\u00a0{required}"
    if row.points is not None and is_split(metric, row, value):
        said, required = with_points(page, metric, said, row.points)
    words = page.text("across.dot_met" if _is_met(metric, row) else "across.dot_below", value=said, krav=required)
    at, krav = scale.at(value), scale.at(metric.requirement)
    return track([Mark(at, kind, words)], lines, words, spans=[(min(at, krav), max(at, krav))])


def _year(page: Page, metric: Metric, weeks: Sequence[across.TeamWeek], frame: Frame) -> Markup:
    there = [week.value for week in weeks if week.value is not None]
    first, last = fmt.metric_values(page.language, metric.unit, *(there[at] if there else None for at in (0, -1)))
    return trend_line([(week.on, week.value) for week in weeks], frame, page.text("across.alt", first=first, last=last))


def _others(page: Page, teams: Mapping[str, Team], others: Sequence[MetricScore]) -> None:
    """The teams without a value, and why."""
    if not others:
        return
    shown = others[:MOST_ROWS]
    items = [
        join(
            page.link(METRIC.at(team=row.team_id, metric=row.metric_id), page.say(teams[row.team_id].name)),
            ": ",
            status_words(page, row).lower(),
            f" ({reason(page.language, row.reason)})" if row.reason else "",
        )
        for row in shown
    ]
    more = hint(page.text("across.others_more", count=len(others) - len(shown))) if len(others) > len(shown) else None
    title = heading(page.text("across.others", count=len(others)))
    show(join(title, points(items, "plain columns"), more))

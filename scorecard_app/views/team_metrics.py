"""The metrics of each area on a team's page, folded: value, requirement, points, a year of them, and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import GAPS, METRIC
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import catalogue, scores
from opsmetrics.snapshots.queries.catalogue import Area, Metric
from opsmetrics.snapshots.queries.gaps import Gap
from opsmetrics.snapshots.queries.rows import group_by, index_by
from opsmetrics.snapshots.queries.scores import AreaScore, MetricScore
from opsmetrics.snapshots.queries.team_metrics import metric_months
from scorecard_app.files import offer_table
from scorecard_app.later import is_open, opener
from scorecard_app.markup import Markup, element, heading, join, link, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import metrics_by_id, reason, source, status_cell

SHOWN_MONTHS = 12
_POINTS = 100.0  # the height of a sparkline of points
_PART = "metrics"  # all areas at once


@dataclass(frozen=True, slots=True)
class _Part:
    """One area of a team: its metrics that have a row, its score, and how many gaps it has."""

    team_id: str
    area: Area
    rows: tuple[tuple[Metric, MetricScore], ...]
    cell: AreaScore | None
    gaps: int


def area_anchor(area_id: str) -> str:
    """Return the id that an area has on a team's page."""
    return f"area-{area_id}"


def metric_section(page: Page, team_id: str, cells: Mapping[str, AreaScore], gaps: Sequence[Gap]) -> None:
    """Show a line for each area, which opens its metrics; the one that the address names is open and marked."""
    found = index_by(scores.metric_scores(page.snapshot, page.period, team_id=team_id), lambda row: row.metric_id)
    metrics = group_by(metrics_by_id(page).values(), lambda metric: metric.area_id)
    is_whole = is_open(_PART)
    parts: list[Markup] = []
    for area in catalogue.areas(page.snapshot):
        own = metrics.get(area.area_id, ())
        rows = tuple((metric, found[metric.metric_id]) for metric in own if metric.metric_id in found)
        count = sum(gap.area_id == area.area_id for gap in gaps)
        parts.append(_area(page, _Part(team_id, area, rows, cells.get(area.area_id), count), is_whole=is_whole))
    offer_table(page, source("metric-scores", team=team_id))
    shown = join(heading(page.text("team.all"), anchor="metrics"), parts)
    show(shown if is_whole else join(shown, paragraph(opener(page, _PART, page.text("team.all_show")))))


def _area(page: Page, part: _Part, *, is_whole: bool) -> Markup:
    """An area's line: a link that opens it, or with its metrics below."""
    area_id, cell = part.area.area_id, part.cell
    level = page.text(f"level.{cell.level}" if cell and cell.level is not None else "level.none")
    score = fmt.score(page.language, cell.score if cell else None)
    key = "team.area_fold" if cell and cell.score is not None else "team.area_fold_none"
    summary = page.text(key, area=page.say(part.area.name), score=score, level=level, count=len(part.rows))
    is_chosen = st.query_params.get("area") == area_id
    if not (is_chosen or is_whole):
        page.closed.append(area_id)
        way = link(page.here(area=area_id), summary, aria_expanded="false")
        return paragraph(way, kind="area later", anchor=area_anchor(area_id))
    gaps = GAPS.at(team=part.team_id, area=area_id)
    return element(
        "details",
        element("summary", summary),
        table_html(page, _table(page, part), kind="metrics"),
        paragraph(page.link(gaps, page.text("team.area_gaps", count=part.gaps))) if part.gaps else None,
        id=area_anchor(area_id),
        open=is_chosen,
        class_="area chosen" if is_chosen else "area",
        data_chosen=area_id if is_chosen else None,
    )


def _table(page: Page, part: _Part) -> Table:
    found = metric_months(page.snapshot, page.period, part.team_id, SHOWN_MONTHS + 1)
    months = group_by(found, lambda row: row.metric_id)
    rows = tuple(
        _row(page, metric, row, [month.points for month in months.get(metric.metric_id, ())])
        for metric, row in part.rows
    )
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.now, "number"),
        Column(page.text("word.krav"), "number"),
        Column(page.text("word.points"), "number"),
        Column(page.text("word.weight"), "number"),
        Column(page.text("overview.year")),
        Column(page.text("word.status")),
    )
    caption = page.text("team.area_caption", area=page.say(part.area.name))
    return Table(f"metrics-{part.area.area_id}", caption, columns, rows)


def _row(page: Page, metric: Metric, row: MetricScore, points: Sequence[float | None]) -> tuple[Cell, ...]:
    cells, language = page.cells, page.language
    seen = [value for value in points if value is not None]
    first, last = fmt.points(language, *(seen[place] if seen else None for place in (0, -1)))
    alt = page.text("team.points_alt", metric=page.say(metric.title), first=first, last=last)
    status = status_cell(page, row)
    # A guard weighs nothing: it can only hold a level down.
    weight = (
        Cell(page.text("word.guard"), 0.0)
        if metric.lifecycle == "guard"
        else Cell(fmt.exact(language, row.weight), row.weight)
    )
    return (
        Cell(page.say(metric.title), address=METRIC.at(team=row.team_id, metric=metric.metric_id)),
        *cells.measures(metric.unit, shown_value(row), metric.requirement, required=metric.required),
        *cells.points(row.points, is_strong=True),
        weight,
        Cell(f"{first}–{last}", drawing=sparkline(points, alt, span=_POINTS)),
        Cell(status.text, tag=status.tag, detail=reason(language, row.reason)),
    )

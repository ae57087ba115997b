"""The metrics of each area on a team's page, folded: value, requirement, points, a year of them, and status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from opsmetrics.snapshots.queries.team_metrics import MetricMonth, metric_months
from scorecard_app.markup import Markup, element, heading, join, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import metrics_by_id, reason, source, status_cell

SHOWN_MONTHS = 12
_POINTS = 100.0  # the height of a sparkline of points


def area_anchor(area_id: str) -> str:
    """Return the id that an area has on a team's page."""
    return f"area-{area_id}"


def metric_section(page: Page, team_id: str, cells: Mapping[str, AreaScore], gaps: Sequence[Gap]) -> None:
    """Show a fold for each area; the one that the address names is open and marked."""
    found = index_by(scores.metric_scores(page.snapshot, page.period, team_id=team_id), lambda row: row.metric_id)
    months = group_by(metric_months(page.snapshot, page.period, team_id, SHOWN_MONTHS + 1), lambda row: row.metric_id)
    chosen = st.query_params.get("area")
    metrics = group_by(metrics_by_id(page).values(), lambda metric: metric.area_id)
    show(
        join(
            heading(page.text("team.all"), anchor="metrics"),
            (
                _fold(page, team_id, area, cells.get(area.area_id), table, count, is_chosen=area.area_id == chosen)
                for area in catalogue.areas(page.snapshot)
                for table in (_table(page, team_id, area, metrics.get(area.area_id, []), found, months),)
                for count in (sum(gap.area_id == area.area_id for gap in gaps),)
            ),
        )
    )


def _fold(
    page: Page, team_id: str, area: Area, cell: AreaScore | None, table: Table, gaps: int, *, is_chosen: bool
) -> Markup:
    level = page.text(f"level.{cell.level}" if cell and cell.level is not None else "level.none")
    score = fmt.score(page.language, cell.score if cell else None)
    key = "team.area_fold" if cell and cell.score is not None else "team.area_fold_none"
    summary = page.text(key, area=page.say(area.name), score=score, level=level, count=len(table.rows))
    more = (
        page.link(GAPS.at(team=team_id, area=area.area_id), page.text("team.area_gaps", count=gaps)) if gaps else None
    )
    return element(
        "details",
        element("summary", summary),
        table_html(page, table, kind="metrics"),
        paragraph(more) if more else None,
        id=area_anchor(area.area_id),
        open=is_chosen,
        class_="area chosen" if is_chosen else "area",
        data_chosen=area.area_id if is_chosen else None,
    )


def _table(
    page: Page,
    team_id: str,
    area: Area,
    metrics: Sequence[Metric],
    found: Mapping[str, MetricScore],
    months: Mapping[str, Sequence[MetricMonth]],
) -> Table:
    rows = tuple(
        _row(page, metric, row, [month.points for month in months.get(metric.metric_id, ())])
        for metric in metrics
        if (row := found.get(metric.metric_id)) is not None
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
    caption = page.text("team.area_caption", area=page.say(area.name))
    return Table(f"metrics-{area.area_id}", caption, columns, rows, source=source("metric-scores", team=team_id))


def _row(page: Page, metric: Metric, row: MetricScore, points: Sequence[float | None]) -> tuple[Cell, ...]:
    cells, language = page.cells, page.language
    seen = [value for value in points if value is not None]
    first, last = (fmt.number(language, seen[place] if seen else None) for place in (0, -1))
    alt = page.text("team.points_alt", metric=page.say(metric.title), first=first, last=last)
    status = status_cell(page, row)
    # A guard weighs nothing: it can only hold a level down.
    weight = Cell(page.text("word.guard"), 0.0) if metric.lifecycle == "guard" else cells.number(row.weight)
    return (
        Cell(page.say(metric.title), address=METRIC.at(team=row.team_id, metric=metric.metric_id)),
        *cells.measures(metric.unit, shown_value(row), metric.requirement),
        cells.number(row.points, is_strong=True),
        weight,
        Cell(f"{first}–{last}", drawing=sparkline(points, alt, span=_POINTS)),
        Cell(status.text, tag=status.tag, detail=reason(language, row.reason)),
    )

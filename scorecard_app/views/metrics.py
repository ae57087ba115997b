"""All metrics in lists by area: median over the teams, requirement and year of each, with the way to its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import METRIC, METRICS
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshots.queries import across
from opsmetrics.snapshots.queries.across import MetricTotal, OnDay
from opsmetrics.snapshots.queries.catalogue import Metric
from opsmetrics.snapshots.queries.rows import group_by, index_by
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import bullet
from scorecard_app.table_html import table_html
from scorecard_app.trend_lines import trend_line
from scorecard_app.views.index_parts import alt, frame_of, met_cell
from scorecard_app.views.metric_teams import requirement
from scorecard_app.views.parts import areas_by_id, metrics_by_id, source


@view(METRICS)
def render(page: Page) -> None:
    """Show the metrics, those of an area together, in the order of the catalogue."""
    head(page, page.text("nav.metrics"))
    choose_period(page)
    metrics = metrics_by_id(page)
    totals = index_by(across.metric_totals(page.snapshot, page.period), lambda row: row.metric_id)
    measured = sum(row.measured > 0 for row in totals.values())
    none_met = sum(row.measured > 0 and row.met == 0 for row in totals.values())
    said = page.text("index.metrics_lead", all=len(metrics), measured=measured)
    show(lead(f"{said} {page.text('index.metrics_none_met', none=none_met)}" if measured else said))
    year = group_by(across.metric_points(page.snapshot, page.period), lambda row: row.subject_id)
    by_area = group_by(metrics.values(), lambda row: row.area_id)
    for area_id, area in areas_by_id(page).items():
        table = _table(page, by_area.get(area_id, []), totals, year, page.say(area.name))
        show(join(heading(page.say(area.name)), table_html(page, table, kind="index")))


def _table(
    page: Page,
    metrics: Sequence[Metric],
    totals: Mapping[str, MetricTotal],
    year: Mapping[str, Sequence[OnDay]],
    area: str,
) -> Table:
    frame = frame_of(page, year)
    rows: list[tuple[Cell, ...]] = []
    for metric in metrics:
        row, spots = totals[metric.metric_id], [(each.on, each.value) for each in year.get(metric.metric_id, ())]
        rows.append(
            (
                Cell(page.say(metric.title), address=METRIC.at(metric=metric.metric_id)),
                page.cells.measure(metric.unit, row.value, metric.required),
                Cell(requirement(page, metric)),
                met_cell(page, row.met, row.measured),
                *page.cells.points(row.points, is_strong=True),
                Cell(drawing=bullet(row.points)),
                Cell(drawing=trend_line(spots, frame, alt(page, spots))),
            )
        )
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("index.median_value"), "number"),
        Column(page.text("word.krav"), "number"),
        Column(page.text("index.met"), "number"),
        Column(page.text("index.median_points"), "number"),
        Column(page.text("index.bar", krav=fmt.number(page.language, KRAV_POINTS))),
        Column(page.text("across.year")),
    )
    caption = page.text("index.metrics_caption", area=area)
    return Table("metric_totals", caption, columns, tuple(rows), source=source("metric-totals"))

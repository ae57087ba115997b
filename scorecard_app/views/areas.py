"""All areas in a list: median over the teams, requirement and year of each, with the way to its page."""

from __future__ import annotations

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import AREA, AREAS
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.reports.weakest import weakest
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshots.queries import across
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import bullet
from scorecard_app.table_html import table_html
from scorecard_app.trend_lines import trend_line
from scorecard_app.views.index_parts import alt, frame_of, met_cell
from scorecard_app.views.parts import areas_by_id, source


@view(AREAS)
def render(page: Page) -> None:
    """Show the areas in their order."""
    head(page, page.text("nav.areas"))
    choose_period(page)
    areas, totals = areas_by_id(page), list(across.area_totals(page.snapshot, page.period))
    there = {row.area_id: row.median for row in totals if row.median is not None}
    if there:
        which = weakest(page.language, there, {area_id: page.say(area.name) for area_id, area in areas.items()})
        # The only one that is known is not the weakest: of the others nobody knows.
        key = "index.areas_lead" if len(there) > 1 else "index.areas_lead_one"
        words = page.text(key, median=fmt.score(page.language, min(there.values())), **which)
    else:
        words = page.text("months.lead_none")
    show(lead(words))
    year = group_by(across.area_medians(page.snapshot, page.period), lambda row: row.subject_id)
    frame = frame_of(page, year)
    rows: list[tuple[Cell, ...]] = []
    for row in totals:
        spots = [(each.on, each.value) for each in year.get(row.area_id, ())]
        rows.append(
            (
                Cell(page.say(areas[row.area_id].name), address=AREA.at(area=row.area_id)),
                page.cells.score(row.median, is_strong=True),
                Cell(drawing=bullet(row.median)),
                met_cell(page, row.met, row.scored),
                page.cells.number(row.gain, 1),
                Cell(drawing=trend_line(spots, frame, alt(page, spots))),
            )
        )
    columns = (
        Column(page.text("word.area"), "link"),
        Column(page.text("word.median"), "number"),
        Column(page.text("index.bar", krav=fmt.number(page.language, KRAV_POINTS))),
        Column(page.text("index.met"), "number"),
        Column(page.text("gaps.gain_of_all"), "number"),
        Column(page.text("across.year")),
    )
    table = Table("areas", page.text("index.areas_caption"), columns, tuple(rows), source=source("area-totals"))
    show(table_html(page, table, kind="index"))

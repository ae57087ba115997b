"""The areas of a team: score, level, gates, change over a year, and how many gaps there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import GAPS, TEAM
from opsmetrics.reports.board import Board, gate_reason, is_held_down
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import areas as area_queries
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Area
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.gaps import Gap
from opsmetrics.snapshots.queries.rows import group_by
from opsmetrics.snapshots.queries.scores import AreaScore
from scorecard_app.markup import heading, join
from scorecard_app.matrix import change_mark
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import bullet
from scorecard_app.table_html import table_html
from scorecard_app.views.matrix_section import since_points, year_line
from scorecard_app.views.matrix_tiles import SHOWN_MONTHS, certain_years
from scorecard_app.views.parts import level_note, source, span


def area_section(page: Page, team_id: str, cells: Mapping[str, AreaScore], gaps: Sequence[Gap]) -> None:
    """Show the areas of a team, a row each."""
    title = heading(page.text("team.areas"), page.text("team.areas_note"), anchor="areas")
    show(join(title, table_html(page, _table(page, team_id, cells, gaps), kind="areas")))


def _table(page: Page, team_id: str, cells: Mapping[str, AreaScore], gaps: Sequence[Gap]) -> Table:
    months = group_by(
        (row for row in area_queries.area_months(page.snapshot, team_id) if row.as_of <= page.period.as_of),
        lambda row: row.area_id,
    )
    found = board.read_board(page.snapshot, page.period)
    years = certain_years(page, found)
    moves = {area: change for (team, area), change in years.items() if team == team_id}
    edges = catalogue.rules(page.snapshot).level_edges
    columns = _columns(page, found)
    own = found.scores.get(team_id)
    is_scored = own is not None and own.score is not None
    rows: list[tuple[Cell, ...]] = []
    for area in catalogue.areas(page.snapshot):
        cell = cells.get(area.area_id)
        name = Cell(page.say(area.name), address=TEAM.at(team=team_id, area=area.area_id))
        if cell is None or cell.status == "not_applicable":
            rest = [Cell()] * (len(columns) - 4)
            rows.append((name, Cell(), Cell(fmt.MISSING), Cell(page.text("status.not_applicable")), *rest))
            continue
        history = [row.score for row in months.get(area.area_id, ())][-SHOWN_MONTHS:]
        rows.append(
            (
                name,
                Cell(drawing=bullet(cell.score)),
                page.cells.score(cell.score, is_strong=True),
                _level(page, cell, edges),
                *([_since(page, found.moves.get((team_id, area.area_id)))] if found.against.before else []),
                _move(page, moves.get(area.area_id)),
                Cell(drawing=year_line(page, page.say(area.name), history)),
                page.cells.percent(cell.coverage),
                Cell(span(page, cell.low, cell.high) or page.text("word.no_span")),
                # Of a team without a score nobody works out gaps: none there is no answer.
                _gap_count(team_id, area, gaps, is_known=cell.score is not None and is_scored),
            )
        )
    return Table(
        "areas",
        page.text("team.areas_caption"),
        columns,
        tuple(rows),
        source=source("area-scores", team=team_id),
    )


def _columns(page: Page, found: Board) -> tuple[Column, ...]:
    """The columns; what moved since the last month end is what the overview marks, and stands beside the year."""
    since = board.since(found, page.language)
    return (
        Column(page.text("word.area"), "link"),
        Column(page.text("team.bar")),
        Column(page.text("word.score"), "number"),
        Column(page.text("word.level")),
        *([Column(page.text("overview.since", since=since), "number")] if found.against.before else []),
        Column(page.text("team.certain_year"), "number"),
        Column(page.text("overview.year")),
        Column(page.text("word.coverage"), "percent"),
        Column(page.text("word.bounds"), "number"),
        Column(page.text("team.points"), "number"),
    )


def _level(page: Page, cell: AreaScore, edges: Sequence[float]) -> Cell:
    """The level, and what holds it down or makes it provisional."""
    words = page.text(f"level.{cell.level}" if cell.level is not None else f"status.{cell.status}")
    if is_held_down(cell, edges):
        return Cell(words, detail=page.text("team.gate", reason=gate_reason(page.language, cell)))
    details = (
        page.text("status.provisional") if cell.status == "provisional" else "",
        level_note(page, cell.level, cell.level_by_score, is_on_edge=cell.is_on_edge),
    )
    return Cell(words, detail="; ".join(detail for detail in details if detail))


def _since(page: Page, move: ScoreMove | None) -> Cell:
    return Cell(value=move.change if move else None, drawing=since_points(page, move))


def _move(page: Page, change: float | None) -> Cell:
    return Cell(fmt.MISSING) if change is None else Cell(value=change, drawing=change_mark(page.language, change))


def _gap_count(team_id: str, area: Area, gaps: Sequence[Gap], *, is_known: bool) -> Cell:
    """How many gaps there are; none that are known of an area without a score is not none."""
    count = sum(gap.area_id == area.area_id for gap in gaps)
    if not count and not is_known:
        return Cell(fmt.MISSING)
    return Cell(str(count), count, address=GAPS.at(team=team_id, area=area.area_id) if count else None)

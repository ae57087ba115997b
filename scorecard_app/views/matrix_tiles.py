"""What the tiles of the matrix of teams and areas say, for eyes and for ears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import TEAM
from opsmetrics.reports.board import Board
from opsmetrics.snapshots.queries import areas as area_queries
from opsmetrics.snapshots.queries import movement, scores
from opsmetrics.snapshots.queries.areas import Caveats
from opsmetrics.snapshots.queries.catalogue import Area, Team
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.rows import group_by, index_by
from opsmetrics.snapshots.queries.scores import AreaScore
from scorecard_app.matrix import Tile
from scorecard_app.page import Page
from scorecard_app.views.parts import known_share, level_note

SHOWN_MONTHS = 13  # twelve month-ends and now


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the rows are drawn from.

    Attributes:
        page: The page.
        board: Scores of teams and areas, and how they moved.
        caveats: Stale and waived metrics by team and area.
        years: Certain changes over a year by team and area (empty: the team's own).
        history: Scores of each team at month-ends and now, oldest first.
    """

    page: Page
    board: Board
    caveats: Mapping[tuple[str, str], Caveats]
    years: Mapping[tuple[str, str], float]
    history: Mapping[str, Sequence[float | None]]


def read_matrix(page: Page, found: Board, shown: Sequence[Team]) -> Matrix:
    """Read what the rows of some teams are drawn from."""
    ids = [team.team_id for team in shown]
    history = scores.team_months(page.snapshot, page.period, SHOWN_MONTHS).among("team_id", ids)
    months = group_by(history, lambda row: row.team_id)
    caveats = area_queries.caveats(page.snapshot, page.period).among("team_id", ids)
    return Matrix(
        page,
        found,
        caveats=index_by(caveats, lambda row: (row.team_id, row.area_id)),
        years=certain_years(page, found),
        history={team_id: [row.score for row in rows] for team_id, rows in months.items()},
    )


def certain_years(page: Page, found: Board) -> dict[tuple[str, str], float]:
    """Return the points of teams and areas since a year ago, where the trend makes that change certain.

    What is shown is the change that stands in every other place, and not the slope that makes it certain.
    """
    trends = movement.certain_trends(page.snapshot) if page.period.grain == "latest" else ()
    changes = {
        (row.team_id, row.area_id): (row.change, move.year_change)
        for row in trends
        if (move := found.moves.get((row.team_id, row.area_id))) is not None
    }
    return {key: year for key, (slope, year) in changes.items() if year is not None and slope * year > 0}


def shown_change(move: ScoreMove | None) -> float | None:
    """Return the points since the last month end that get an arrow: of a rise that is doubted none."""
    if move is None or move.change is None or abs(move.change) < board.MATERIAL_POINTS or is_withheld(move):
        return None
    return move.change


def is_withheld(move: ScoreMove | None) -> bool:
    """Whether a score rose, but not so surely that the rise is shown as one."""
    if move is None or board.doubt(move) is None:
        return False
    return board.direction(move) > 0 or (move.change or 0) >= board.MATERIAL_POINTS


def tile(matrix: Matrix, team: Team, area: Area) -> Tile:
    """Return what the tile of a team and an area shows, and all of it in words."""
    page, key = matrix.page, (team.team_id, area.area_id)
    row = matrix.board.cells.get(key)
    names = {"team": page.say(team.name), "area": page.say(area.name)}
    if row is None or row.status == "not_applicable":
        return Tile("", page.text("overview.cell_na", **names), None, "not_applicable")
    href = page.href(TEAM.at(team=team.team_id, area=area.area_id))
    bounds = known_share(page, row.coverage, row.low, row.high)
    if row.score is None:
        label = f"{page.text('overview.cell_no_score', **names)}. {_sentence([bounds])}"
        return Tile(href, label, None, row.status)
    # The level as it stands: a number over 60 is not met where a gate or the four weeks hold it.
    by_score = board.band(row.score, matrix.board.edges)
    level = by_score if row.level is None else row.level
    caveats, move = matrix.caveats.get(key), matrix.board.moves.get(key)
    words = page.text(
        "overview.cell",
        **names,
        score=fmt.score(page.language, row.score),
        level=page.text(f"level.{level}").lower(),
    )
    return Tile(
        href,
        f"{words}. {_sentence([bounds, *_remarks(matrix, row, move, caveats)])}",
        row.score,
        row.status,
        level=level,
        change=shown_change(move),
        year_change=_year(matrix, key, move),
        marks=_marks(page, row, move, caveats, is_held=level < by_score),
    )


def _sentence(parts: Sequence[str]) -> str:
    """Parts in a row, begun as a sentence begins: ears hear them after a full stop."""
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}"


def _year(matrix: Matrix, key: tuple[str, str], move: ScoreMove | None) -> float | None:
    """The certain change over a year; a rise of a team whose numbers raise questions is no gain."""
    change = matrix.years.get(key)
    if change is not None and change > 0 and move is not None and board.doubt(move) is not None:
        return None
    return change


def _marks(
    page: Page, row: AreaScore, move: ScoreMove | None, caveats: Caveats | None, *, is_held: bool
) -> tuple[str, ...]:
    """What is to be known of a tile without a legend; the level by name where its number says a higher one."""
    levels = move.levels if move is not None and shown_change(move) is None and not is_withheld(move) else 0
    found = (
        ("overview.mark_level_up", levels > 0),
        ("overview.mark_level_down", levels < 0),
        ("overview.mark_gate", row.gate is not None),
        ("overview.mark_uncertain", is_withheld(move)),
        ("overview.mark_waived", bool(caveats and caveats.waived)),
    )
    named = (page.text(f"level.{row.level}").lower(),) if is_held else ()
    return (*named, *(page.text(key) for key, holds in found if holds))


def _remarks(matrix: Matrix, row: AreaScore, move: ScoreMove | None, caveats: Caveats | None) -> list[str]:
    """What a tile says, and what it leaves to its legend, in words."""
    page, found = matrix.page, list[str]()
    if row.status == "provisional":
        found.append(page.text("status.provisional").lower())
    if move is not None and board.direction(move):
        points = fmt.signed(page.language, move.change)
        found.append(page.text("overview.cell_month", points=points, since=board.since(matrix.board, page.language)))
    year = matrix.years.get((row.team_id, row.area_id))
    if year is not None:
        key = "overview.cell_up" if year > 0 else "overview.cell_down"
        found.append(page.text(key, points=fmt.number(page.language, abs(year))))
    if is_withheld(move):
        found.append(page.text("overview.cell_uncertain"))
    if move is not None and move.signs:
        found.append(page.text("overview.cell_signs"))
    if row.gate is not None:
        level = page.text(f"level.{row.level}" if row.level is not None else "level.none").lower()
        key = "overview.cell_gate" if board.is_held_down(row, matrix.board.edges) else "overview.cell_gate_open"
        found.append(page.text(key, level=level))
    elif note := level_note(page, row.level, row.level_by_score, is_on_edge=row.is_on_edge):
        found.append(note)
    if caveats and caveats.stale:
        found.append(page.text("overview.cell_stale", count=caveats.stale))
    if caveats and caveats.waived:
        found.append(page.text("overview.cell_waived", count=caveats.waived))
    return found

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
from opsmetrics.snapshots.queries.rows import group_by, index_by
from opsmetrics.snapshots.queries.scores import AreaScore
from scorecard_app.matrix import Tile
from scorecard_app.page import Page
from scorecard_app.views.parts import level_note

SHOWN_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the rows are drawn from.

    Attributes:
        page: The page.
        board: Scores of teams and areas.
        caveats: Stale and waived metrics by team and area.
        moves: Certain changes over a year by team and area (empty: the team's own).
        history: Monthly scores of each team, oldest first.
    """

    page: Page
    board: Board
    caveats: Mapping[tuple[str, str], Caveats]
    moves: Mapping[tuple[str, str], float]
    history: Mapping[str, Sequence[float | None]]


def read_matrix(page: Page, found: Board) -> Matrix:
    """Read what the rows of the matrix are drawn from."""
    months = group_by(scores.team_months(page.snapshot, page.period, SHOWN_MONTHS), lambda row: row.team_id)
    trends = movement.certain_trends(page.snapshot) if page.period.grain == "latest" else ()
    return Matrix(
        page,
        found,
        caveats=index_by(area_queries.caveats(page.snapshot, page.period), lambda row: (row.team_id, row.area_id)),
        moves={(row.team_id, row.area_id): row.change for row in trends},
        history={team_id: [row.score for row in rows] for team_id, rows in months.items()},
    )


def tile(matrix: Matrix, team: Team, area: Area) -> Tile:
    """Return what the tile of a team and an area shows, and all of it in words."""
    page, key = matrix.page, (team.team_id, area.area_id)
    row = matrix.board.cells.get(key)
    names = {"team": page.say(team.name), "area": page.say(area.name)}
    if row is None or row.status == "not_applicable":
        return Tile("", page.text("overview.cell_na", **names), None, None, "not_applicable")
    href = page.href(TEAM.at(team=team.team_id, area=area.area_id))
    bounds = page.text(
        "overview.cell_bounds",
        coverage=fmt.percent(page.language, row.coverage),
        low=fmt.number(page.language, row.low),
        high=fmt.number(page.language, row.high),
    )
    if row.score is None:
        label = f"{page.text('overview.cell_no_score', **names)}. {bounds}"
        return Tile(href, label, None, row.coverage, row.status)
    level, caveats = board.band(row.score, matrix.board.edges), matrix.caveats.get(key)
    words = page.text(
        "overview.cell",
        **names,
        score=fmt.score(page.language, row.score),
        level=page.text(f"level.{level}").lower(),
    )
    return Tile(
        href,
        f"{words}. {'; '.join([bounds, *_remarks(matrix, row, matrix.moves.get(key), caveats)])}",
        row.score,
        row.coverage,
        row.status,
        level=level,
        change=matrix.moves.get(key),
        gate=row.gate if board.is_held_down(row, matrix.board.edges) else None,
        stale=caveats.stale if caveats else 0,
        waived=caveats.waived if caveats else 0,
    )


def _remarks(matrix: Matrix, row: AreaScore, change: float | None, caveats: Caveats | None) -> list[str]:
    """What the marks of a tile say, in words."""
    page = matrix.page
    found: list[str] = []
    if row.status == "provisional":
        found.append(page.text("status.provisional").lower())
    if change is not None:
        key = "overview.cell_up" if change > 0 else "overview.cell_down"
        found.append(page.text(key, points=fmt.number(page.language, abs(change))))
    if board.is_held_down(row, matrix.board.edges):
        found.append(page.text("overview.cell_gate", level=page.text(f"level.{row.level}").lower()))
    elif note := level_note(page, row.level, row.level_by_score, is_on_edge=row.is_on_edge):
        found.append(note)
    if caveats and caveats.stale:
        found.append(page.text("overview.cell_stale", count=caveats.stale))
    if caveats and caveats.waived:
        found.append(page.text("overview.cell_waived", count=caveats.waived))
    return found

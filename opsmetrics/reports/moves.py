"""What is better and what is weaker now than at the last month end, by how much, and because of which metric.

A rise that the product itself doubts is never told as a gain: of a team whose numbers raise questions, of too little
data, of a value that is carried on, of a level on the edge. A fall is told also then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports.addresses import CHANGES, TEAM, Address
from opsmetrics.reports.standing import KEPT_BOARDS, MATERIAL_POINTS, Board, Item, since
from opsmetrics.scoring.change import PARTS
from opsmetrics.snapshots.queries import comparison, movement
from opsmetrics.snapshots.queries.comparison import Cause, ScoreMove
from opsmetrics.snapshots.queries.movement import Change
from opsmetrics.snapshots.queries.rows import index_by

Doubt = Literal["signs", "provisional", "carried", "on_edge"]
NAMED_PART = 0.5  # points of a team's score that a part moved before it is called the cause in an area


@dataclass(frozen=True, slots=True)
class Moves:
    """Scores of teams and areas that moved since the last month end, most points first.

    Attributes:
        better: Risen, and nothing speaks against it.
        worse: Fallen.
        withheld: Risen, but the numbers are doubted.
    """

    better: Sequence[ScoreMove]
    worse: Sequence[ScoreMove]
    withheld: Sequence[ScoreMove]


def doubt(move: ScoreMove) -> Doubt | None:
    """Return why a score is not sure enough for a rise to be a gain; None where it is."""
    if move.signs:
        return "signs"
    if "provisional" in {move.status, move.status_before}:
        return "provisional"
    if move.stale:
        return "carried"
    return "on_edge" if move.is_on_edge else None


def direction(move: ScoreMove) -> int:
    """Return 1 where a score is better than at the last month end, -1 where it is weaker, else 0.

    Weaker is what lost a level or :data:`MATERIAL_POINTS` points; better is what won either, while the other one did
    not go down.
    """
    change = move.change
    if change is None:
        return 0
    if move.levels < 0 or change <= -MATERIAL_POINTS:
        return -1
    return 1 if change >= MATERIAL_POINTS or (move.levels > 0 and change >= 0) else 0


def none_moved(board: Board, language: str, side: str) -> str:
    """Return what stands where nothing is ``better`` or ``worse``: that it is so, or that nobody can tell.

    A month end at which no team had a score is there, and tells nothing.
    """
    if board.against.before is None:
        return text(language, "overview.changed_alone")
    is_known = board.before is not None and board.found()
    return text(language, f"overview.{side}_none" if is_known else "overview.moved_unknown")


@lru_cache(KEPT_BOARDS)
def find_moves(board: Board) -> Moves:
    """Return what moved materially since the last month end."""
    found = sorted(
        (row for row in board.moves.values() if direction(row)),
        key=lambda row: (-abs(row.change or 0), row.team_id, row.area_id),
    )
    rises = [row for row in found if direction(row) > 0]
    return Moves(
        better=[row for row in rises if doubt(row) is None],
        worse=[row for row in found if direction(row) < 0],
        withheld=[row for row in rises if doubt(row) is not None],
    )


def say_moves(board: Board, language: str, rows: Sequence[ScoreMove]) -> list[Item]:
    """Return moves in words: whose, from what to what, and the main cause."""
    names, areas = board.team_names(language), board.area_names(language)
    causes = _causes(board, {row.team_id for row in rows})
    changes = movement.all_changes(board.snapshot, board.period).among("team_id", {row.team_id for row in rows})
    parts = index_by(changes, lambda row: row.team_id)
    items: list[Item] = []
    for row in rows:
        is_up = direction(row) > 0
        words = [_from_to(board, language, row)]
        if abs(row.change or 0) < MATERIAL_POINTS:
            words.append(text(language, "moves.level_up" if is_up else "moves.level_down"))
        elif row.area_id:
            cause = causes.get((row.team_id, row.area_id, is_up))
            words.append(_area_cause(language, row.change or 0.0, cause, parts.get(row.team_id)))
        elif row.team_id in parts:
            words.append(_team_cause(board, language, parts[row.team_id], causes, is_up=is_up))
        note = " ".join(word for word in words if word != text(language, "moves.no_cause"))
        if (why := doubt(row)) is not None:
            words.append(text(language, f"moves.doubt_{why}"))
        # A level may change while the points hardly do, and a gate takes one from a score that rises.
        way = "points" if abs(row.change or 0) >= MATERIAL_POINTS and ((row.change or 0) > 0) == is_up else "level"
        title = text(
            language,
            f"moves.up_{way}" if is_up else f"moves.down_{way}",
            name=": ".join(filter(None, (names[row.team_id], areas.get(row.area_id)))),
        )
        items.append(Item(title, " ".join(words), address_of(row), row.team_id, note=note))
    return items


def address_of(row: ScoreMove) -> Address:
    """Return where the app says more of a move."""
    if row.area_id:
        return TEAM.at(team=row.team_id, area=row.area_id)
    return CHANGES.at(team=row.team_id)


def moves(board: Board, language: str) -> dict[bool, list[Item]]:
    """Return what moved in words: under True for the better, under False for the worse."""
    found = find_moves(board)
    return {True: say_moves(board, language, found.better), False: say_moves(board, language, found.worse)}


def _from_to(board: Board, language: str, row: ScoreMove) -> str:
    """From what to what; the levels where they differ."""
    before, now = (fmt.score_in_tenths(language, score) for score in (row.score_before, row.score))
    words = {
        "before": before,
        "now": now,
        "points": fmt.signed(language, row.change),
        "since": since(board, language),
    }
    if row.levels == 0:
        return text(language, "moves.from_to", **words)
    levels = {
        "level_before": text(language, f"level.{row.level_before}").lower(),
        "level": text(language, f"level.{row.level}").lower(),
    }
    if words["before"] == words["now"]:
        return text(language, "moves.same_score", **words, **levels)
    is_against = row.levels * (row.change or 0) < 0 and abs(row.change or 0) >= MATERIAL_POINTS
    # A level follows gates and four weeks too, and may go the other way than the points.
    still = "moves.from_to_still_up" if row.levels > 0 else "moves.from_to_still_down"
    return text(language, still if is_against else "moves.from_to_level", **words, **levels)


def _causes(board: Board, teams: set[str]) -> dict[tuple[str, str, bool], Cause]:
    rows = comparison.causes(board.snapshot, board.period).among("team_id", teams)
    return {(row.team_id, row.area_id, row.performance > 0): row for row in rows}


def _team_cause(
    board: Board, language: str, change: Change, causes: Mapping[tuple[str, str, bool], Cause], *, is_up: bool
) -> str:
    """What moved a team most: a part of the waterfall, and where that is results the metric behind it."""
    part = max(PARTS, key=lambda name: change.part(name) * (1 if is_up else -1))
    keys = ((change.team_id, area.area_id, is_up) for area in board.areas)
    found = [causes[key] for key in keys if key in causes]
    if part != "performance" or not found:
        return text(language, f"moves.because_{part}")
    first = max(found, key=lambda cause: abs(cause.performance))
    return _cause(language, first, is_most=_is_most(first.performance, change.score_after - change.score_before))


def _area_cause(language: str, moved: float, cause: Cause | None, change: Change | None) -> str:
    """What moved an area most: a metric, and where the metrics do not explain it another part of the team's change."""
    if cause is not None and _is_most(cause.effect, moved):
        return _cause(language, cause, is_most=True)
    if cause is not None and _is_most(cause.explained, moved):
        return _cause(language, cause, is_most=False)
    if change is not None:
        other = max((part for part in PARTS if part != "performance"), key=lambda part: abs(change.part(part)))
        # The parts are those of the team: a small one, or one that goes the other way, tells nothing of this area.
        if change.part(other) * moved > 0 and abs(change.part(other)) >= NAMED_PART:
            return text(language, f"moves.because_{other}")
    return text(language, "moves.no_cause")


def _is_most(part: float | None, whole: float) -> bool:
    """Whether a part is half of a change or more, and goes the same way."""
    return part is not None and part * whole > 0 and abs(part) >= abs(whole) / 2


def _cause(language: str, cause: Cause, *, is_most: bool) -> str:
    """The metric that moved a score most, from what to what; in points where a value is not known."""
    title, kind = cause.title.get(language), "cause" if is_most else "largest"
    if cause.value is None or cause.value_before is None or cause.value == cause.value_before:
        before, now = fmt.points(language, cause.points_before, cause.points_after)
        return text(language, f"moves.{kind}_points", metric=title, before=before, now=now)
    before, now = fmt.metric_values(language, cause.unit, cause.value_before, cause.value)
    return text(language, f"moves.{kind}", metric=title, before=before, now=now)

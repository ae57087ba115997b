"""What a brief is made of, read from the snapshot once: its pages, its annex and its slides say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmetrics.reports import board
from opsmetrics.reports.board import Item
from opsmetrics.reports.brief import asks
from opsmetrics.reports.brief.asks import Ask
from opsmetrics.reports.brief.words import Words
from opsmetrics.snapshots.queries import gaps, movement
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.movement import Change
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.store import Snapshot


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that pages, annex and slides are made of, read once.

    Attributes:
        words: The board with its names.
        gaps: Of all teams, what to fix first on top.
        goals: Every decision until the period's end.
        changes: Of the teams' scores, largest first.
        moves: Scores that moved since the last month end, the better under True, the largest first.
        asks: Decisions asked for, one for each cause, most pressing first.
        matters: The same, one for each team.
    """

    words: Words
    gaps: Sequence[Gap]
    goals: Sequence[GoalReview]
    changes: Mapping[str, Change]
    moves: Mapping[bool, Sequence[ScoreMove]]
    asks: Sequence[Ask]
    matters: Sequence[Item]


def read(snapshot: Snapshot, period: Period, language: str) -> Material:
    """Read what a brief is made of."""
    words = Words(board.read_board(snapshot, period), language)
    found = list(gaps.gaps(snapshot, period))
    goals = list(gaps.goal_reviews(snapshot, period))
    moves = board.find_moves(words.board)
    return Material(
        words=words,
        gaps=found,
        goals=goals,
        changes=index_by(movement.all_changes(snapshot, period), lambda row: row.team_id),
        moves={True: moves.better, False: moves.worse},
        asks=asks.asks(words, found, goals),
        matters=board.matters(words.board, language),
    )

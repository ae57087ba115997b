"""How an organisation stands at an instant, read once, and the small words that the app and the brief say alike.

Does not belong here: what is said of it (``lead``, ``moves``, ``agenda``).
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from opsmetrics.language import fmt
from opsmetrics.language.grammar import inflected
from opsmetrics.language.texts import text
from opsmetrics.reports.addresses import Address
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import catalogue, comparison, scores
from opsmetrics.snapshots.queries.catalogue import Area, Team
from opsmetrics.snapshots.queries.comparison import Baselines, ScoreMove, Standing
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview, PlanStep
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import AreaScore, MetricScore, TeamScore
from opsmetrics.snapshots.store import Snapshot

KEPT_BOARDS = 4  # of readers of different snapshots and periods; everything in one stands still
MATERIAL_POINTS = 5.0  # a rise or fall since the last month end that is told of without a change of level


@dataclass(frozen=True, slots=True)
class Place:
    """Whom or what an item is about, by name, and where the app says more of it."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class Item:
    """Something to read, and where the app says more.

    Attributes:
        title: One line.
        detail: Why, with the names of the places.
        address: In the app.
        team_id: Whose it is, or None for what is nobody's alone.
        places: The teams or sources that it is about, where there are several, each with its own address.
        note: The detail without the names of the places.
        cause: What makes two matters the same, such as ``level_0``; empty of what is no matter.
    """

    title: str
    detail: str
    address: Address
    team_id: str | None = None
    places: tuple[Place, ...] = ()
    note: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Everything that the overview and the brief say of one instant, read once; two of them are never compared.

    Attributes:
        against: The month ends that it is held against.
        before: How it stood at the last month end; None where nothing is known of it.
        year: How it stood a year ago; None where nothing is known of it.
    """

    snapshot: Snapshot
    period: Period
    teams: Sequence[Team]
    areas: Sequence[Area]
    scores: Mapping[str, TeamScore]
    cells: Mapping[tuple[str, str], AreaScore]
    edges: Sequence[float]
    against: Baselines
    before: Standing | None
    year: Standing | None
    moves: Mapping[tuple[str, str], ScoreMove]

    def found(self) -> list[float]:
        """Return the team scores that there are."""
        return [row.score for row in self.scores.values() if row.score is not None]

    def median(self) -> float | None:
        """Return the median of the team scores."""
        return statistics.median(self.found()) if self.found() else None

    def met(self) -> int | None:
        """Return how many teams are on level "met" or higher; None where no team has a score."""
        if not self.found():
            return None
        return sum(row.level is not None and row.level >= MET_LEVEL for row in self.scores.values())

    def median_change(self, then: Standing | None) -> float | None:
        """Return how far the median moved from how it stood then; None where one of the two is not known."""
        now = self.median()
        return None if then is None else fmt.moved(then.median, now)

    def team_names(self, language: str) -> dict[str, str]:
        """Return the teams' names by id."""
        return {team.team_id: team.name.get(language) for team in self.teams}

    def area_names(self, language: str) -> dict[str, str]:
        """Return the areas' names by id."""
        return {area.area_id: area.name.get(language) for area in self.areas}

    def coverage(self) -> float | None:
        """Return the median coverage."""
        known = [row.coverage for row in self.scores.values() if row.coverage is not None]
        return statistics.median(known) if known else None

    def medians(self) -> dict[str, float]:
        """Return each area's median over the teams that have a score."""
        found: dict[str, list[float]] = {}
        for row in self.cells.values():
            if row.score is not None:
                found.setdefault(row.area_id, []).append(row.score)
        return {area_id: statistics.median(values) for area_id, values in found.items()}


@lru_cache(KEPT_BOARDS)
def read_board(snapshot: Snapshot, period: Period) -> Board:
    """Read what an instant's board says."""
    against = comparison.baselines(snapshot, period)
    return Board(
        snapshot=snapshot,
        period=period,
        teams=list(catalogue.teams(snapshot)),
        areas=list(catalogue.areas(snapshot)),
        scores=index_by(scores.team_scores(snapshot, period), lambda row: row.team_id),
        cells=index_by(scores.area_scores(snapshot, period), lambda row: (row.team_id, row.area_id)),
        edges=catalogue.rules(snapshot).level_edges,
        against=against,
        before=comparison.standing_at(snapshot, against.before, MET_LEVEL),
        year=comparison.standing_at(snapshot, against.year, MET_LEVEL),
        moves=index_by(comparison.score_moves(snapshot, period, against), lambda row: (row.team_id, row.area_id)),
    )


def band(score: float, edges: Sequence[float]) -> int:
    """Return the level of a score by itself, without gates (method 3.6)."""
    return sum(score >= edge for edge in edges)


def ranges(edges: Sequence[float]) -> list[str]:
    """Return the levels' ranges as people read them: 0–19, 20–39 ..."""
    starts, ends = (0, *edges), (*(edge - 1 for edge in edges), 100)
    return [f"{start:.0f}–{end:.0f}" for start, end in zip(starts, ends, strict=True)]


def legend(language: str, edges: Sequence[float]) -> tuple[tuple[int, str], ...]:
    """Return what the colours of scores mean, lowest level first: ``0–19 Ikke etablert``."""
    return tuple((level, f"{spread} {text(language, f'level.{level}')}") for level, spread in enumerate(ranges(edges)))


def is_held_down(row: AreaScore, edges: Sequence[float]) -> bool:
    """Whether a gate makes the level lower than the score alone would."""
    return (
        row.gate is not None and row.level is not None and row.score is not None and band(row.score, edges) > row.level
    )


def gate_reason(language: str, row: AreaScore) -> str:
    """Return why a gate holds a level, with the number of findings; empty where none does."""
    if row.reason is None:
        return ""
    return inflected(row.reason.get(language), {"n": row.gate_findings}).replace("{}", str(row.gate_findings))


def shown_value(row: MetricScore | Gap) -> float | None:
    """Return a metric's value where it is one: not of a metric without points, nor of one that only counts as zero."""
    return None if row.points is None or row.status == "not_measured_overdue" else row.value


def forecast(goal: GoalReview, language: str) -> str:
    """Say when a goal is reached at the pace of today; of what was given up nothing is forecast."""
    if goal.status == "dropped":
        return fmt.MISSING
    key = f"goal.forecast_{goal.forecast}"
    if goal.forecast_on is None:
        return text(language, key)
    return text(language, key, day=fmt.short_date(language, goal.forecast_on), days=abs(goal.slip_days or 0))


def when(row: Gap | PlanStep, language: str) -> str:
    """Say from which day work on a metric can show, and what it waits for; nothing where no date is known."""
    if row.shows_on is None or row.dates_rest_on is None:
        return ""
    waits = row.waits_for or 0
    key = f"when.{row.dates_rest_on}" + ("_waits" if waits else "")
    return text(language, key, day=fmt.long_date(language, row.shows_on), count=waits)


def since(board: Board, language: str) -> str:
    """Return the last month end in words, with its year where that is another; empty where there is none."""
    return _month_name(board, language, board.against.before)


def a_year_ago(board: Board, language: str) -> str:
    """Return the month end of a year ago in words, with its year; empty where there is none."""
    return _month_name(board, language, board.against.year)


def held_against(board: Board, language: str) -> list[tuple[Standing, str]]:
    """Return what the present is held against, the newer first, each with the name of its month."""
    pairs = ((board.before, since(board, language)), (board.year, a_year_ago(board, language)))
    return [(then, month) for then, month in pairs if then is not None]


def median_changes(board: Board, language: str) -> list[str]:
    """Say how the median moved since the last month end and over a year, as far as that is known."""
    return [
        text(language, "overview.strip_change", points=fmt.signed(language, change), since=month)
        for then, month in held_against(board, language)
        if (change := board.median_change(then)) is not None
    ]


def _month_name(board: Board, language: str, then: Period | None) -> str:
    if then is None:
        return ""
    whole = fmt.month(language, then.on)
    return whole.rsplit(" ", 1)[0] if then.on.year == board.period.on.year else whole

"""What a meeting is told first: the answer in two sentences, four numbers, what moved, what must be settled.

The overview and the brief say the same, because both ask here. Words come with the numbers; how they look does not.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports.addresses import EXEMPTIONS, HEALTH, METRIC, TEAM, Address
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import catalogue, facts, gaps, movement, quality, scores
from opsmetrics.snapshots.queries.catalogue import Area, Team
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview, PlanStep
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import AreaScore, MetricScore, TeamScore
from opsmetrics.snapshots.store import Snapshot

SOON_DAYS = 60


@dataclass(frozen=True, slots=True)
class Item:
    """Something to read, and where the app says more.

    Attributes:
        title: One line.
        detail: Why.
        address: In the app.
        team_id: Whose it is, or None for what is nobody's alone.
    """

    title: str
    detail: str
    address: Address
    team_id: str | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the overview and the brief say of one instant, read once."""

    snapshot: Snapshot
    period: Period
    teams: Sequence[Team]
    areas: Sequence[Area]
    scores: Mapping[str, TeamScore]
    cells: Mapping[tuple[str, str], AreaScore]
    edges: Sequence[float]

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


def read_board(snapshot: Snapshot, period: Period) -> Board:
    """Read what an instant's board says."""
    return Board(
        snapshot=snapshot,
        period=period,
        teams=list(catalogue.teams(snapshot)),
        areas=list(catalogue.areas(snapshot)),
        scores=index_by(scores.team_scores(snapshot, period), lambda row: row.team_id),
        cells=index_by(scores.area_scores(snapshot, period), lambda row: (row.team_id, row.area_id)),
        edges=catalogue.rules(snapshot).level_edges,
    )


def band(score: float, edges: Sequence[float]) -> int:
    """Return the level of a score by itself, without gates (method 3.6)."""
    return sum(score >= edge for edge in edges)


def is_held_down(row: AreaScore, edges: Sequence[float]) -> bool:
    """Whether a gate makes the level lower than the score alone would."""
    return (
        row.gate is not None and row.level is not None and row.score is not None and band(row.score, edges) > row.level
    )


def gate_reason(language: str, row: AreaScore) -> str:
    """Return why a gate holds a level, with the number of findings; empty where none does."""
    return row.reason.get(language).replace("{}", str(row.gate_findings)) if row.reason else ""


def shown_value(row: MetricScore | Gap) -> float | None:
    """Return a metric's value where it is one: not of a metric without points, nor of one that only counts as zero."""
    return None if row.points is None or row.status == "not_measured_overdue" else row.value


def lead(board: Board, language: str) -> str:
    """Return the answer in two sentences; ``*this*`` is meant strong."""
    medians = board.medians()
    if not board.found() or not medians:
        return text(language, "overview.lead_no_scores")
    weakest = min(medians, key=lambda key: medians[key])
    return text(
        language,
        "overview.lead",
        met=board.met(),
        teams=len(board.scores),
        median=fmt.score(language, board.median()),
        area=next(area.name.get(language) for area in board.areas if area.area_id == weakest),
        area_median=fmt.score(language, medians[weakest]),
    )


def usual(board: Board, language: str) -> tuple[int | None, str]:
    """Return the major incidents of the last 28 days, and how many there usually are; None where nobody tells them."""
    if not quality.is_connected(board.snapshot, "incidents"):
        return None, text(language, "overview.not_connected")
    majors = facts.major_incidents(board.snapshot, board.period)
    # The usual range: all but the lowest and the highest of the twelve periods before.
    normal = sorted(majors[:-1])
    words = text(language, "overview.usual", low=normal[1], high=normal[-2]) if len(normal) > 3 else ""
    return majors[-1], words


def delivering(board: Board, language: str) -> str:
    """Return how many sources deliver."""
    if board.period.is_past:
        return text(language, "overview.sources_now")
    states = [row.state for row in quality.sources(board.snapshot) if row.state != "ended"]
    if not states:
        return text(language, "overview.sources_none")
    silent = len(states) - states.count("fresh")
    return text(
        language, "overview.sources_silent" if silent else "overview.sources_fresh", count=silent, all=len(states)
    )


def moves(board: Board, language: str) -> dict[bool, list[Item]]:
    """Return what left its natural variation: under True for the better, under False for the worse."""
    names = _team_names(board, language)
    found: dict[bool, list[Item]] = {True: [], False: []}
    for row in movement.signals(board.snapshot, board.period):
        words = text(
            language,
            # A full count that stands still has no mean to be held against.
            "overview.signal_changed" if row.centre is None else "overview.signal",
            value=fmt.metric_value(language, row.unit, row.value),
            mean=fmt.metric_value(language, row.unit, row.centre),
            before=fmt.metric_value(language, row.unit, row.value_before),
            signal=text(language, f"metric.signal_{row.signal}").lower(),
        )
        address = METRIC.at(team=row.team_id, metric=row.metric_id)
        found[bool(row.is_better)].append(
            Item(f"{names[row.team_id]}: {row.title.get(language)}", words, address, row.team_id)
        )
    return found


def matters(board: Board, language: str) -> list[Item]:
    """Return what a meeting must settle, most pressing first: sources, goals, gates, exemptions that end."""
    names = _team_names(board, language)
    titles = {row.metric_id: row.title.get(language) for row in catalogue.metrics(board.snapshot)}
    return [
        *_sources(board, language),
        *_goals(board, language, names, titles),
        *_gates(board, language),
        *_exemptions(board, language, names, titles),
    ]


def forecast(goal: GoalReview, language: str) -> str:
    """Say when a goal is reached at the pace of today."""
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


def _team_names(board: Board, language: str) -> dict[str, str]:
    return {team.team_id: team.name.get(language) for team in board.teams}


def _sources(board: Board, language: str) -> list[Item]:
    if board.period.is_past:  # how sources delivered then is not kept
        return []
    detail = text(language, "overview.decide_source_detail")
    found = quality.sources(board.snapshot)
    if not found:
        return [
            Item(text(language, "overview.sources_none"), text(language, "overview.sources_none_detail"), HEALTH.at())
        ]
    return [
        Item(
            text(language, "overview.decide_source", source=text(language, f"stream.{row.stream}")),
            detail,
            HEALTH.at(),
        )
        for row in found
        if row.state in {"failed", "late"}
    ]


def _goals(board: Board, language: str, names: Mapping[str, str], titles: Mapping[str, str]) -> list[Item]:
    """Goals that are past due, then those that the pace of today brings in too late."""
    overdue: list[Item] = []
    late: list[Item] = []
    for goal in gaps.goal_reviews(board.snapshot, board.period):
        if not goal.is_open or goal.metric_id not in titles:
            continue
        words = {"team": names[goal.team_id], "metric": titles[goal.metric_id]}
        address = METRIC.at(team=goal.team_id, metric=goal.metric_id)
        role = text(language, f"role.{goal.owner_role}").lower()
        if goal.days_left < 0:
            detail = text(language, "overview.decide_goal_detail", days=-goal.days_left, role=role)
            overdue.append(Item(text(language, "overview.decide_goal", **words), detail, address, goal.team_id))
        elif goal.days_left <= SOON_DAYS and goal.forecast in {"late", "not_moving"}:
            detail = text(language, f"overview.decide_{goal.forecast}_detail", days=goal.days_left, role=role)
            late.append(Item(text(language, "overview.decide_late", **words), detail, address, goal.team_id))
    return overdue + late


def _gates(board: Board, language: str) -> list[Item]:
    items: list[Item] = []
    for team in board.teams:
        for area in board.areas:
            row = board.cells.get((team.team_id, area.area_id))
            if row is not None and is_held_down(row, board.edges):
                words = {"team": team.name.get(language), "area": area.name.get(language), "level": row.level}
                detail = f"{row.gate}: {gate_reason(language, row)}"
                title = text(language, "overview.decide_gate", **words)
                items.append(Item(title, detail, TEAM.at(team=team.team_id), team.team_id))
    return items


def _exemptions(board: Board, language: str, names: Mapping[str, str], titles: Mapping[str, str]) -> list[Item]:
    items: list[Item] = []
    for row in quality.due_exemptions(board.snapshot, SOON_DAYS, board.period):
        words = {"team": names[row.team_id], "what": titles.get(row.subject, row.subject)}
        detail = text(language, "overview.decide_exemption_detail", days=row.days_left)
        items.append(Item(text(language, "overview.decide_exemption", **words), detail, EXEMPTIONS.at(), row.team_id))
    return items

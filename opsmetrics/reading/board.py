"""What a meeting is told first: the answer in two sentences, four numbers, what moved, what must be settled.

The overview and the brief say the same, because both ask here. Words come with the numbers; links and marks do not.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsmetrics import fmt
from opsmetrics.reading import catalogue, facts, quality, scores
from opsmetrics.snapshot import Snapshot
from opsmetrics.texts import text

MET_LEVEL = 3  # "Oppfylt": the requirement is met and no gate says otherwise (method 3.6)
SOON_DAYS = 60
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """Something to read, and where the app says more.

    Attributes:
        title: One line.
        detail: Why.
        page: Path of the app's page.
        parameters: Of its address.
        team_id: Whose it is, or None for what is nobody's alone.
    """

    title: str
    detail: str
    page: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    team_id: str | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the overview and the brief say of one instant, read once."""

    snapshot: Snapshot
    period: Mapping[str, Any]
    teams: list[Row]
    areas: list[Row]
    scores: dict[str, Row]
    cells: dict[tuple[str, str], Row]
    edges: list[float]

    def found(self) -> list[float]:
        """Return the team scores that there are."""
        return [row["score"] for row in self.scores.values() if row["score"] is not None]

    def median(self) -> float | None:
        """Return the median of the team scores."""
        return statistics.median(self.found()) if self.found() else None

    def met(self) -> int:
        """Return how many teams are on level "met" or higher."""
        return sum(row["level"] is not None and row["level"] >= MET_LEVEL for row in self.scores.values())

    def coverage(self) -> float | None:
        """Return the median coverage."""
        known = [row["coverage"] for row in self.scores.values() if row["coverage"] is not None]
        return statistics.median(known) if known else None

    def medians(self) -> dict[str, float]:
        """Return each area's median over the teams that have a score."""
        found: dict[str, list[float]] = {}
        for (_, area_id), row in self.cells.items():
            if row["score"] is not None:
                found.setdefault(area_id, []).append(row["score"])
        return {area_id: statistics.median(values) for area_id, values in found.items()}


def read_board(snapshot: Snapshot, period: Mapping[str, Any]) -> Board:
    """Read what an instant's board says."""
    return Board(
        snapshot=snapshot,
        period=period,
        teams=catalogue.teams(snapshot).to_dicts(),
        areas=catalogue.areas(snapshot).to_dicts(),
        scores={row["team_id"]: row for row in scores.team_scores(snapshot, period).to_dicts()},
        cells={(row["team_id"], row["area_id"]): row for row in scores.area_scores(snapshot, period).to_dicts()},
        edges=catalogue.rules(snapshot)["level_edges"],
    )


def label(language: str, row: Mapping[str, Any], name: str = "name") -> str:
    """Return a row's name in a language."""
    return str(row[f"{name}_{language}"])


def band(score: float, edges: Sequence[float]) -> int:
    """Return the level of a score by itself, without gates (method 3.6)."""
    return sum(score >= edge for edge in edges)


def holds_down(row: Mapping[str, Any], edges: Sequence[float]) -> bool:
    """Whether a gate makes the level lower than the score alone would."""
    return row["gate"] is not None and row["level"] is not None and band(row["score"], edges) > row["level"]


def gate_reason(language: str, row: Mapping[str, Any]) -> str:
    """Return why a gate holds a level, with the number of findings."""
    return label(language, row, "reason").replace("{}", str(row["gate_findings"]))


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
        median=fmt.number(language, board.median()),
        area=next(label(language, area) for area in board.areas if area["area_id"] == weakest),
        area_median=fmt.number(language, medians[weakest]),
    )


def usual(board: Board, language: str) -> tuple[int, str]:
    """Return the major incidents of the last 28 days, and how many there usually are."""
    majors = facts.major_incidents(board.snapshot, board.period)
    # The usual range: all but the lowest and the highest of the twelve periods before.
    normal = sorted(majors[:-1])
    words = text(language, "overview.usual", low=normal[1], high=normal[-2]) if len(normal) > 3 else ""
    return majors[-1], words


def delivering(board: Board, language: str) -> str:
    """Return how many sources deliver."""
    states = [row["state"] for row in quality.sources(board.snapshot).to_dicts() if row["state"] != "ended"]
    silent = len(states) - states.count("fresh")
    return text(
        language, "overview.sources_silent" if silent else "overview.sources_fresh", count=silent, all=len(states)
    )


def moves(board: Board, language: str) -> dict[bool, list[Item]]:
    """Return what left its natural variation: under True for the better, under False for the worse."""
    names = {row["team_id"]: label(language, row) for row in board.teams}
    found: dict[bool, list[Item]] = {True: [], False: []}
    for row in scores.signals(board.snapshot, board.period).to_dicts():
        words = text(
            language,
            "overview.signal",
            value=fmt.metric_value(language, row["unit"], row["value"]),
            mean=fmt.metric_value(language, row["unit"], row["centre"]),
            signal=text(language, f"metric.signal_{row['signal']}").lower(),
        )
        title = f"{names[row['team_id']]}: {label(language, row, 'title')}"
        found[bool(row["is_better"])].append(
            Item(title, words, "maling", {"team": row["team_id"], "metric": row["metric_id"]}, row["team_id"])
        )
    return found


def matters(board: Board, language: str) -> list[Item]:
    """Return what a meeting must settle, most pressing first: sources, goals, gates, exemptions that end."""
    names = {row["team_id"]: label(language, row) for row in board.teams}
    titles = {
        row["metric_id"]: label(language, row, "title")
        for row in catalogue.metrics(board.snapshot).iter_rows(named=True)
    }
    return [
        *_sources(board, language),
        *_goals(board, language, names, titles),
        *_gates(board, language),
        *_exemptions(board, language, names, titles),
    ]


def forecast(goal: Mapping[str, Any], language: str) -> str:
    """Say when a goal is reached at the pace of today.

    Args:
        goal: A row of :func:`opsmetrics.reading.scores.goal_reviews`.
        language: nb or en.
    """
    key = f"goal.forecast_{goal['forecast']}"
    if goal["forecast_on"] is None:
        return text(language, key)
    return text(language, key, day=fmt.short_date(language, goal["forecast_on"]), days=abs(goal["slip_days"]))


def _sources(board: Board, language: str) -> list[Item]:
    detail = text(language, "overview.decide_source_detail")
    return [
        Item(
            text(language, "overview.decide_source", source=text(language, f"stream.{row['stream']}")),
            detail,
            "datakvalitet",
        )
        for row in quality.sources(board.snapshot).to_dicts()
        if row["state"] in {"failed", "late"}
    ]


def _goals(board: Board, language: str, names: Mapping[str, str], titles: Mapping[str, str]) -> list[Item]:
    """Goals that are past due, then those that the pace of today brings in too late."""
    overdue: list[Item] = []
    late: list[Item] = []
    for goal in scores.goal_reviews(board.snapshot, board.period).filter("is_open").to_dicts():
        if goal["metric_id"] not in titles:
            continue
        words = {"team": names[goal["team_id"]], "metric": titles[goal["metric_id"]]}
        where = {"team": goal["team_id"], "metric": goal["metric_id"]}
        role = text(language, f"role.{goal['owner_role']}").lower()
        if goal["days_left"] < 0:
            detail = text(language, "overview.decide_goal_detail", days=-goal["days_left"], role=role)
            title = text(language, "overview.decide_goal", **words)
            overdue.append(Item(title, detail, "maling", where, goal["team_id"]))
        elif goal["days_left"] <= SOON_DAYS and goal["forecast"] in {"late", "not_moving"}:
            detail = text(language, f"overview.decide_{goal['forecast']}_detail", days=goal["days_left"], role=role)
            title = text(language, "overview.decide_late", **words)
            late.append(Item(title, detail, "maling", where, goal["team_id"]))
    return overdue + late


def _gates(board: Board, language: str) -> list[Item]:
    items: list[Item] = []
    for team in board.teams:
        for area in board.areas:
            row = board.cells.get((team["team_id"], area["area_id"]))
            if row is not None and holds_down(row, board.edges):
                words = {"team": label(language, team), "area": label(language, area), "level": row["level"]}
                detail = f"{row['gate']}: {gate_reason(language, row)}"
                title = text(language, "overview.decide_gate", **words)
                items.append(Item(title, detail, "team", {"team": team["team_id"]}, team["team_id"]))
    return items


def _exemptions(board: Board, language: str, names: Mapping[str, str], titles: Mapping[str, str]) -> list[Item]:
    items: list[Item] = []
    for row in quality.due_exemptions(board.snapshot, SOON_DAYS).to_dicts():
        words = {"team": names[row["team_id"]], "what": titles.get(row["subject"], row["subject"])}
        detail = text(language, "overview.decide_exemption_detail", days=row["days_left"])
        title = text(language, "overview.decide_exemption", **words)
        items.append(Item(title, detail, "unntak", team_id=row["team_id"]))
    return items

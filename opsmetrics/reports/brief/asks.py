"""The decisions that a meeting is asked for, as the board lists them: what, who, by when and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.agenda import EXPLOITED
from opsmetrics.reports.board import Item
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Cell, Table
from opsmetrics.snapshots.queries import gaps as gap_queries
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.rows import group_by

LEAST_GAIN = 0.05  # shows with one decimal
NAMED_TEAMS = 6
DECIDE = 1  # place of the column that says what to decide
LIFTED = {"gate", "exploited"}  # what gives a level back, not points


@dataclass(frozen=True, slots=True)
class Ask:
    """One decision that is asked for.

    Attributes:
        what: The matter.
        detail: Whom it is about, with numbers, and what it means.
        decide: What to decide.
        who: The teams, with the role where there is one, or who else.
        due: By when, in words.
        gives: What it gives, in words.
    """

    what: str
    detail: str
    decide: str
    who: str
    due: str
    gives: str


def asks(words: Words, gaps: Sequence[Gap], goals: Sequence[GoalReview]) -> list[Ask]:
    """Return what must be settled, one for each cause, with who, when and gain from gaps and goals of its places."""
    places = group_by(board.matters(words.board, words.language), lambda row: row.cause)
    of_team = group_by(gaps, lambda gap: gap.team_id)
    found: list[Ask] = []
    for item in board.for_decision(words.board, words.language):
        rows = places.get(item.cause, [])
        near = [(row, gap) for row in rows for gap in of_team.get(row.team_id or "", [])]
        found.append(_ask(words, item, rows, near, goals))
    return found


def _ask(
    words: Words,
    item: Item,
    places: Sequence[Item],
    near: Sequence[tuple[Item, Gap]],
    goals: Sequence[GoalReview],
) -> Ask:
    kind = "gate" if item.cause.startswith("gate_") else "exploited" if item.cause == EXPLOITED else item.cause
    chosen = [gap for place, gap in near if _is_behind(gap, place, kind)]
    metrics = {gap.metric_id for gap in chosen}
    remedy = words.metrics[metrics.pop()].remedy.get(words.language) if len(metrics) == 1 else ""
    open_goals = [goal for place in places for goal in goals if goal.is_open and _is_of(goal, place)]
    return Ask(
        what=item.title,
        detail=item.detail,
        decide=" ".join(filter(None, (remedy, words.text(f"brief.ask_{kind}")))),
        who=_who(words, places, open_goals, kind),
        due=_due(words, open_goals, kind),
        gives=_gives(words, chosen, kind),
    )


def _is_behind(gap: Gap, place: Item, kind: str) -> bool:
    """Whether closing a gap settles the matter of a place: its metric, or what its area or gate rests on."""
    chosen = dict(place.address.parameters)
    if "metric" in chosen:
        return gap.metric_id == chosen["metric"]
    return gap.area_id == chosen.get("area") and (kind != "gate" or bool(gap.is_for_gate))


def _is_of(goal: GoalReview, place: Item) -> bool:
    chosen = dict(place.address.parameters)
    return (goal.team_id, goal.metric_id) == (place.team_id, chosen.get("metric"))


def _who(words: Words, places: Sequence[Item], goals: Sequence[GoalReview], kind: str) -> str:
    """Name the teams; of a single decision the role too."""
    names = [words.teams[team] for team in words.teams if team in {place.team_id for place in places}]
    if not names:
        return words.text("brief.who_source" if "source" in kind else "brief.who_meeting")
    if len(goals) == len(places) == 1:
        return f"{names[0]}, {words.text(f'role.{goals[0].owner_role}').lower()}"
    if len(names) > NAMED_TEAMS:
        names[NAMED_TEAMS:] = [words.text("lead.others", count=len(names) - NAMED_TEAMS)]
    return ", ".join(names)


def _due(words: Words, goals: Sequence[GoalReview], kind: str) -> str:
    """Say the first date that was set; what is exploited does not wait."""
    if kind == "exploited":
        return words.text("brief.due_now")
    if not goals:
        return words.text("brief.due_meeting")
    day = fmt.short_date(words.language, min(goal.due_on for goal in goals))
    if kind == "overdue":
        return words.text("brief.due_over", day=day)
    return day if len(goals) == 1 else words.text("brief.due_first", day=day)


def _gives(words: Words, chosen: Sequence[Gap], kind: str) -> str:
    """Say what closing the gaps together gives a team, by its own formula; else what it changes."""
    gains = gap_queries.joint_gains(words.board.snapshot, words.board.period, chosen)
    mean = sum(gains.values()) / len(gains) if gains else 0.0
    if mean < LEAST_GAIN or kind in LIFTED:
        return words.text(f"brief.gives_{kind}")
    points = fmt.number(words.language, mean, 1)
    return words.text("brief.gives_points" if len(gains) == 1 else "brief.gives_mean", points=points)


def table(words: Words, found: Sequence[Ask]) -> Table:
    """Return the decisions asked for."""
    return Table(
        name="asks",
        caption=words.text("brief.asks_caption"),
        columns=(
            words.column("brief.ask_what", width=5.8),
            words.column("brief.ask_decide", width=3),
            words.column("brief.ask_who", width=2),
            words.column("brief.ask_due", width=1.4),
            words.column("brief.ask_gives", width=1.9),
        ),
        rows=tuple(
            (
                Cell(ask.what, detail=ask.detail, is_strong=True),
                Cell(ask.decide),
                Cell(ask.who),
                Cell(ask.due),
                Cell(ask.gives),
            )
            for ask in found
        ),
    )

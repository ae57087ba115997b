"""The decisions that a meeting is asked for, as the board lists them: what, who, by when and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import EXEMPTIONS, HEALTH, TEAM
from opsmetrics.reports.board import Item
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Cell, Table
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview

SHOWN = 7
LEAST_GAIN = 0.05  # shows with one decimal
DECIDE = 1  # place of the column that says what to decide


@dataclass(frozen=True, slots=True)
class Ask:
    """One decision that is asked for.

    Attributes:
        what: The matter, and below it what to decide.
        decide: What to decide.
        who: Team and role, or who keeps the source.
        due: By when, in words.
        gives: What it gives, in words.
        team_id: Whose it is, or None.
    """

    what: str
    detail: str
    decide: str
    who: str
    due: str
    gives: str
    team_id: str | None


def asks(words: Words, gaps: Sequence[Gap], goals: Sequence[GoalReview]) -> list[Ask]:
    """Return what the board says must be settled, with who, when and gain from gaps and goals of the same matter."""
    by_gap = {(gap.team_id, gap.metric_id): gap for gap in gaps}
    by_goal = {(goal.team_id, goal.metric_id): goal for goal in goals if goal.is_open}
    found: list[Ask] = []
    for item in board.matters(words.board, words.language):
        chosen = dict(item.address.parameters)
        key = (chosen.get("team", item.team_id or ""), chosen.get("metric", ""))
        found.append(_ask(words, item, by_gap.get(key), by_goal.get(key)))
    return found


def _ask(words: Words, item: Item, gap: Gap | None, goal: GoalReview | None) -> Ask:
    page = item.address.page
    kind = {HEALTH: "source", EXEMPTIONS: "exemption", TEAM: "gate"}.get(page, "goal" if goal else "gap")
    role = words.text(f"role.{goal.owner_role}") if goal else ""
    team = words.teams.get(item.team_id or "", "")
    who = ", ".join(part for part in (team, role.lower()) if part) or words.text("brief.who_source")
    due = fmt.short_date(words.language, goal.due_on) if goal else words.text("brief.due_meeting")
    if goal and goal.days_left < 0:
        due = words.text("brief.due_over", day=due)
    gain = gap.gain_if_met if gap else 0.0
    gives = words.text("brief.gives_points", points=fmt.number(words.language, gain, 1)) if gain >= LEAST_GAIN else ""
    return Ask(
        what=item.title,
        detail=item.detail,
        decide=" ".join(filter(None, (_remedy(words, gap), words.text(f"brief.ask_{kind}")))),
        who=who,
        due=due,
        gives=gives or words.text(f"brief.gives_{kind}"),
        team_id=item.team_id,
    )


def _remedy(words: Words, gap: Gap | None) -> str:
    """What brings the points back, as the catalogue says it."""
    return words.metrics[gap.metric_id].remedy.get(words.language) if gap else ""


def table(words: Words, found: Sequence[Ask]) -> Table:
    """Return the decisions asked for."""
    return Table(
        name="asks",
        caption=words.text("brief.asks_caption"),
        columns=(
            words.column("brief.ask_what", width=4.6),
            words.column("brief.ask_decide", width=3.4),
            words.column("brief.ask_who", width=2),
            words.column("brief.ask_due", width=1.5),
            words.column("brief.ask_gives", width=2),
        ),
        rows=tuple(
            (Cell(ask.what, detail=ask.detail), Cell(ask.decide), Cell(ask.who), Cell(ask.due), Cell(ask.gives))
            for ask in found
        ),
    )

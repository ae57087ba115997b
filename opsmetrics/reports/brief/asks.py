"""The decisions that a meeting is asked for, as the board lists them: what, who, by when and what it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports import board
from opsmetrics.reports.agenda import EXPLOITED
from opsmetrics.reports.board import Item
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Cell, Table
from opsmetrics.reports.together import LEAST_GAIN
from opsmetrics.snapshots.queries import gains
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.rows import group_by

NAMED_TEAMS = 3
SEVERAL = 2
Open = Mapping[tuple[str | None, str | None], Sequence[GoalReview]]
"""Open decisions by team and metric."""
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
        gaps: What gives the points that are told; empty where none are.
    """

    what: str
    detail: str
    decide: str
    who: str
    due: str
    gives: str
    gaps: tuple[Gap, ...] = ()


def asks(words: Words, gaps: Sequence[Gap], goals: Sequence[GoalReview]) -> list[Ask]:
    """Return what must be settled, one for each cause, with who, when and gain from gaps and goals of its places."""
    places = group_by(board.matters(words.board, words.language), lambda row: row.cause)
    of_team = group_by(gaps, lambda gap: gap.team_id)
    is_open: Open = group_by((goal for goal in goals if goal.is_open), lambda goal: (goal.team_id, goal.metric_id))
    return [
        _ask(words, item, places.get(item.cause, []), of_team, is_open)
        for item in board.for_decision(words.board, words.language)
    ]


def _ask(
    words: Words,
    item: Item,
    places: Sequence[Item],
    of_team: Mapping[str, Sequence[Gap]],
    is_open: Open,
) -> Ask:
    kind = "gate" if item.cause.startswith("gate_") else "exploited" if item.cause == EXPLOITED else item.cause
    chosen = [gap for place in places for gap in _behind(place, of_team.get(place.team_id or "", ()), kind)]
    metrics = {gap.metric_id for gap in chosen}
    remedy = words.metrics[metrics.pop()].remedy.get(words.language) if len(metrics) == 1 else ""
    own = ((place.team_id, dict(place.address.parameters).get("metric")) for place in places)
    open_goals = [goal for key in own for goal in is_open.get(key, ())]
    points = _points(words, chosen) if kind not in LIFTED else ""
    return Ask(
        what=item.title,
        detail=item.detail,
        decide=" ".join(filter(None, (remedy, words.text(f"brief.ask_{kind}")))),
        who=_who(words, places, open_goals, kind),
        due=_due(words, open_goals, kind),
        gives=points or words.text(f"brief.gives_{kind}"),
        gaps=tuple(chosen) if points else (),
    )


def _behind(place: Item, gaps: Sequence[Gap], kind: str) -> list[Gap]:
    """The gaps of its team that settle the matter of a place: of its metric, its area, or what its gate rests on."""
    chosen = dict(place.address.parameters)
    if "metric" in chosen:
        return [gap for gap in gaps if gap.metric_id == chosen["metric"]]
    return [gap for gap in gaps if gap.area_id == chosen.get("area") and (kind != "gate" or gap.is_for_gate)]


def _who(words: Words, places: Sequence[Item], goals: Sequence[GoalReview], kind: str) -> str:
    """Name the teams; of a single decision the role too."""
    names = [words.teams[team] for team in words.teams if team in {place.team_id for place in places}]
    if not names:
        return words.text("brief.who_source" if "source" in kind else "brief.who_meeting")
    if len(goals) == len(places) == 1:
        return f"{names[0]}, {words.text(f'role.{goals[0].owner_role}').lower()}"
    return listed(words.language, names, NAMED_TEAMS)


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


def _points(words: Words, chosen: Sequence[Gap]) -> str:
    """Say what closing the gaps together gives a team, by its own formula; empty where it is too little to show."""
    found = gains.joint_gains(words.board.snapshot, words.board.period, chosen)
    mean = sum(found.values()) / len(found) if found else 0.0
    if mean < LEAST_GAIN:
        return ""
    key = "brief.gives_points" if len(found) == 1 else "brief.gives_mean"
    return words.text(key, points=fmt.number(words.language, mean, 1))


def together(words: Words, found: Sequence[Ask]) -> str:
    """Say what the decisions that give points give all teams together; nothing where no two do."""
    giving = [ask for ask in found if ask.gaps]
    if len(giving) < SEVERAL:
        return ""
    here = words.board
    lifted = gains.joint_gains(here.snapshot, here.period, [gap for ask in giving for gap in ask.gaps])
    mean = gains.mean_of_teams(here.snapshot, here.period, lifted)
    return words.text("gains.asks", points=fmt.number(words.language, mean, 1)) if mean else ""


def table(words: Words, found: Sequence[Ask]) -> Table:
    """Return the decisions asked for."""
    return Table(
        name="asks",
        caption=" ".join(filter(None, (words.text("brief.asks_caption"), together(words, found)))),
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

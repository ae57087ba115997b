"""What was decided, will it be met in time, did it work? The log that checks itself (method 3.11, ADR 0017)."""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import DECISIONS, METRIC
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.snapshots.queries import gaps
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import GoalReview
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import files_of, table_html
from scorecard_app.views.parts import PLAIN, source, teams_by_id

_EFFECTS = {"better": Tag("good", "✓"), "worse": Tag("bad", "✕"), "no_certain_shift": PLAIN}
_FORECASTS = {
    "closed": Tag("good", "✓"),
    "on_time": Tag("good", "◐"),
    "late": Tag("warn", "!"),
    "not_moving": Tag("bad", "!"),
}
CANNOT_TELL = Tag("plain", "?")


@view(DECISIONS)
def render(page: Page) -> None:
    """Show every decision up to the period's end with what came of it, those of a campaign together."""
    head(page, page.text("decisions.title"), page.text("decisions.meta"))
    choose_period(page)
    goals = list(gaps.goal_reviews(page.snapshot, page.period))
    if not goals:
        show(hint(page.text("brief.no_decisions")))
        return
    words = page.text(
        "decisions.lead",
        count=len(goals),
        closed=sum(goal.forecast == "closed" for goal in goals),
        late=sum(goal.is_open and goal.forecast in {"late", "not_moving"} for goal in goals),
        better=sum(goal.effect == "better" for goal in goals),
        unknown=sum(goal.effect not in _EFFECTS for goal in goals),
    )
    show(lead(words))
    _campaigns(page, goals)
    table = _table(page, goals)
    title, note = heading(page.text("brief.decisions")), hint(page.text("goal.note"))
    show(join(title, table_html(page, table), note, files_of(page, table)))


def _campaigns(page: Page, goals: Sequence[GoalReview]) -> None:
    """How far each campaign has come: goals closed, points won of those expected."""
    found = group_by((goal for goal in goals if goal.campaign), lambda goal: goal.campaign or "")
    if not found:
        return
    cells = page.cells
    rows = tuple(
        (
            Cell(name),
            Cell(f"{sum(goal.forecast == 'closed' for goal in own)} / {len(own)}"),
            cells.number(sum(goal.recovered_points or 0.0 for goal in own), 1),
            cells.number(gaps.expected_together(page.snapshot, own), 1),
            cells.day(max(goal.due_on for goal in own)),
        )
        for name, own in sorted(found.items())
    )
    columns = (
        Column(page.text("decisions.campaign")),
        Column(page.text("decisions.closed"), "number"),
        Column(page.text("goal.recovered"), "number"),
        Column(page.text("goal.expected"), "number"),
        Column(page.text("decisions.last_due"), "date"),
    )
    table = Table("campaigns", page.text("decisions.campaigns_caption"), columns, rows)
    show(join(heading(page.text("decisions.campaigns")), table_html(page, table)))


def _table(page: Page, goals: Sequence[GoalReview]) -> Table:
    teams = teams_by_id(page)
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("goal.due"), "date"),
        Column(page.text("goal.points"), "number"),
        Column(page.text("goal.recovered"), "number"),
        Column(page.text("goal.forecast")),
        Column(page.text("goal.effect")),
    )
    rows = tuple(_row(page, goal, teams[goal.team_id]) for goal in goals)
    return Table("goals", page.text("goal.caption"), columns, rows, source=source("goals"))


def _row(page: Page, goal: GoalReview, team: Team) -> tuple[Cell, ...]:
    language = page.language
    role = page.text(f"role.{goal.owner_role}").lower()
    decided = page.text("decisions.decided", day=fmt.short_date(language, goal.decided_on), role=role)
    expected = page.text("decisions.expected", points=fmt.number(language, goal.expected_points, 1))
    return (
        Cell(
            page.say(goal.title),
            detail=f"{page.say(team.name)} · {decided}",
            address=METRIC.at(team=goal.team_id, metric=goal.metric_id),
        ),
        Cell(fmt.short_date(language, goal.due_on), goal.due_on, detail=page.text(f"goal.{goal.status}")),
        Cell(" → ".join(fmt.number(language, value) for value in (goal.points_then, goal.points_now))),
        Cell(fmt.number(language, goal.recovered_points, 1), goal.recovered_points, detail=expected),
        Cell(board.forecast(goal, language), tag=_FORECASTS.get(goal.forecast, CANNOT_TELL)),
        Cell(
            page.text(f"goal.effect_{goal.effect}"),
            tag=_EFFECTS.get(goal.effect, CANNOT_TELL),
            detail=_means(page, goal),
        ),
    )


def _means(page: Page, goal: GoalReview) -> str:
    """The metric's mean before and after, where both are known."""
    if goal.before_mean is None or goal.after_mean is None:
        return ""
    before, after = (fmt.metric_value(page.language, goal.unit, value) for value in (goal.before_mean, goal.after_mean))
    return page.text("decisions.means", before=before, after=after)

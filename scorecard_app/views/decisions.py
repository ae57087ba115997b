"""What was decided, will it be met in time, did it work? The log that checks itself (method 3.11, ADR 0017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports import board
from opsmetrics.reports.addresses import DECISIONS, METRIC
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.snapshots.queries import gains, gaps
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import GoalReview
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.choices import choose_period
from scorecard_app.files import offer_table
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.ticks import calendar_ticks
from scorecard_app.tracks import Line, Mark, day_lines, place, track
from scorecard_app.views.parts import PLAIN, campaign, source, teams_by_id

OVERDUE, THIS_MONTH, LATER, OVER = "overdue", "this_month", "later", "over"
GROUPS = (OVERDUE, THIS_MONTH, LATER, OVER)
SHOWN_GOALS = 15  # of a group, of which the page has four; all are in the file
SHOWN_AHEAD = timedelta(days=45)  # after the last due day; a later forecast stands at the end
_APART = 0.12  # of the axis: a label nearer to today gives way
_EFFECTS = {
    "better": Tag("good", "✓"),
    "worse": Tag("bad", "✕"),
    "no_certain_shift": PLAIN,
    "not_acted": Tag("plain", "○"),
}
_FORECASTS = {
    "closed": Tag("good", "✓"),
    "on_time": Tag("good", "◐"),
    "late": Tag("warn", "!"),
    "not_moving": Tag("warn", "!"),
}
CANNOT_TELL = Tag("plain", "?")


def group_of(goal: GoalReview, today: date) -> str:
    """Return where a decision stands: reached or over, overdue, due in the month of a day, or later."""
    if goal.standing in {"closed", "ended"}:
        return OVER
    if goal.standing == "over":
        return OVERDUE
    return THIS_MONTH if (goal.due_on.year, goal.due_on.month) == (today.year, today.month) else LATER


@view(DECISIONS)
def render(page: Page) -> None:
    """Show every decision up to the period's end by its due day, with what came of it; campaigns together below."""
    head(page, page.text("decisions.title"), page.text("decisions.meta"))
    choose_period(page)
    goals = list(gaps.goal_reviews(page.snapshot, page.period))
    if not goals:
        show(hint(page.text("brief.no_decisions")))
        return
    today = page.period.on
    groups = group_by(goals, lambda goal: group_of(goal, today))
    show(lead(_answer(page, goals, groups)))
    axis = _axis(goals, today)
    for group in GROUPS:
        mine = groups.get(group, [])
        key = "decisions.group_count" if len(mine) <= SHOWN_GOALS else "decisions.group_shown"
        count = page.text(key, count=len(mine), shown=SHOWN_GOALS)
        title = heading(page.text(f"decisions.group_{group}"), count)
        shown = table_html(page, _table(page, mine[:SHOWN_GOALS], group, axis), kind="decisions") if mine else None
        show(join(title, shown or hint(page.text(f"decisions.none_{group}"))))
    offer_table(page, source("goals"))
    show(hint(page.text("decisions.note")))
    _campaigns(page, goals)


@dataclass(frozen=True, slots=True)
class _Axis:
    """The days that every timeline of the page runs over, and today."""

    first: date
    last: date
    today: date


def _answer(page: Page, goals: Sequence[GoalReview], groups: Mapping[str, Sequence[GoalReview]]) -> str:
    """How the decisions stand and whether the actions worked; of what there is none only that none is overdue."""
    standing = {
        "overdue": len(groups.get(OVERDUE, [])),
        "due": len(groups.get(THIS_MONTH, [])),
        "late": sum(goal.standing == "late" for goal in goals),
    }
    effects = {
        "better": sum(goal.said == "better" for goal in goals),
        "unsure": sum(goal.said in _EFFECTS and goal.said not in {"better", "not_acted"} for goal in goals),
        "waiting": sum(goal.said == "not_acted" for goal in goals),
        "unknown": sum(goal.said not in _EFFECTS for goal in goals),
    }
    first, second = (
        listed(
            page.language,
            [page.text(f"decisions.told_{key}", count=n) for key, n in counts.items() if n or key == always],
        )
        for counts, always in ((standing, "overdue"), (effects, None))
    )
    said = page.text("decisions.lead", count=len(goals), standing=first)
    return " ".join((said, page.text("decisions.lead_effects", effects=second)))


def _axis(goals: Sequence[GoalReview], today: date) -> _Axis:
    last = max(today, *(goal.due_on for goal in goals))
    forecast = max((goal.forecast_on for goal in goals if goal.forecast_on is not None), default=last)
    return _Axis(min(goal.decided_on for goal in goals), max(last, min(forecast, last + SHOWN_AHEAD)), today)


def _timeline(page: Page, goal: GoalReview, axis: _Axis) -> Cell:
    """From the day of the decision to the day that it falls due; the day at the pace of today where one is known."""
    language = page.language
    decided, due = (place(day, axis.first, axis.last) for day in (goal.decided_on, goal.due_on))
    words = page.text(
        "decisions.alt",
        decided=fmt.long_date(language, goal.decided_on),
        due=fmt.long_date(language, goal.due_on),
        forecast=board.forecast(goal, language),
    )
    marks = [
        Mark(decided, "hollow", page.text("decisions.mark_decided", day=fmt.short_date(language, goal.decided_on))),
        Mark(due, "plain", page.text("decisions.mark_due", day=fmt.short_date(language, goal.due_on))),
    ]
    if goal.is_open and goal.forecast_on is not None and goal.forecast != "closed":
        at = place(min(goal.forecast_on, axis.last), axis.first, axis.last)
        marks.append(Mark(at, "good" if goal.forecast == "on_time" else "bad", board.forecast(goal, language)))
    now = Line(place(axis.today, axis.first, axis.last), page.now_within, "mark")
    lines = day_lines(calendar_ticks(language, axis.first, axis.last, 4), axis.first, axis.last)
    apart = [line for line in lines if abs(line.at - now.at) > _APART]
    return track(marks, [*apart, now], words, spans=[(min(decided, due), max(decided, due))])


def _campaigns(page: Page, goals: Sequence[GoalReview]) -> None:
    """How far each campaign has come: goals closed, points won of those expected."""
    found = group_by((goal for goal in goals if goal.campaign), lambda goal: goal.campaign or "")
    if not found:
        return
    cells = page.cells
    rows = tuple(
        (
            Cell(campaign(name)),
            Cell(f"{sum(goal.forecast == 'closed' for goal in own)} / {len(own)}"),
            cells.number(sum(goal.recovered_points or 0.0 for goal in own), 1),
            cells.number(gains.expected_together(page.snapshot, own), 1),
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


def _table(page: Page, goals: Sequence[GoalReview], group: str, axis: _Axis) -> Table:
    teams = teams_by_id(page)
    columns = (
        Column(page.text("decisions.decision"), "link"),
        Column(page.text("goal.due"), "date"),
        Column(page.text("decisions.timeline")),
        Column(page.text("goal.recovered"), "number"),
        Column(page.text("goal.forecast")),
        Column(page.text("goal.effect")),
    )
    rows = tuple(_row(page, goal, teams[goal.team_id], axis) for goal in goals)
    return Table(f"goals-{group}", page.text(f"decisions.caption_{group}"), columns, rows)


def _row(page: Page, goal: GoalReview, team: Team, axis: _Axis) -> tuple[Cell, ...]:
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
        Cell(fmt.short_date(language, goal.due_on), goal.due_on, detail=_due(page, goal)),
        _timeline(page, goal, axis),
        Cell(fmt.number(language, goal.recovered_points, 1), goal.recovered_points, detail=expected),
        _forecast(page, goal),
        Cell(
            page.text(f"goal.effect_{goal.said}"),
            tag=_EFFECTS.get(goal.said, CANNOT_TELL),
            detail=_means(page, goal),
        ),
    )


def _due(page: Page, goal: GoalReview) -> str:
    """How far it has come; of what is open, how long is left or how long it is overdue."""
    status = page.text(f"goal.{goal.status}")
    if goal.standing in {"closed", "ended"}:
        return status
    key = (
        "decisions.days_over"
        if goal.days_left < 0
        else "decisions.days_left"
        if goal.days_left
        else "decisions.today_due"
    )
    return f"{status}, {page.text(key, days=abs(goal.days_left))}"


def _forecast(page: Page, goal: GoalReview) -> Cell:
    """When it is reached at the pace of today. What was given up has none; red is for what failed its day."""
    words = board.forecast(goal, page.language)
    if goal.status == "dropped":
        return Cell(words)
    if goal.standing == "over" and goal.forecast != "cannot_tell":
        return Cell(page.text("decisions.missed"), tag=Tag("bad", "✕"), detail=words)
    return Cell(words, tag=_FORECASTS.get(goal.forecast, CANNOT_TELL))


def _means(page: Page, goal: GoalReview) -> str:
    """The metric's mean before and after, where both are known."""
    if goal.before_mean is None or goal.after_mean is None:
        return ""
    before, after = fmt.metric_values(page.language, goal.unit, goal.before_mean, goal.after_mean)
    return page.text("decisions.means", before=before, after=after)

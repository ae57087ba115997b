"""What was decided, will it be met in time, did it work? The log that checks itself (method 3.11, ADR 0017)."""

from __future__ import annotations

from html import escape
from typing import Any

from opsmetrics import fmt
from opsmetrics.reading import board, catalogue, scores
from scorecard_app.markup import heading, rich, small, table, tag
from scorecard_app.page import Page, by, choose_period, head, show, view

_EFFECTS = {"better": ("good", "✓"), "worse": ("bad", "✕"), "no_certain_shift": ("plain", "–")}
_FORECASTS = {"closed": ("good", "✓"), "on_time": ("good", "◐"), "late": ("warn", "!"), "not_moving": ("bad", "!")}
CANNOT_TELL = ("plain", "?")
Row = dict[str, Any]


@view("decisions")
def render(page: Page) -> None:
    """Show every decision up to the period's end with what came of it, those of a campaign together."""
    head(page, page.text("decisions.title"), escape(page.text("decisions.meta")))
    choose_period(page)
    goals = scores.goal_reviews(page.snapshot, page.period).to_dicts()
    if not goals:
        show(f'<p class="hint">{escape(page.text("brief.no_decisions"))}</p>')
        return
    words = page.text(
        "decisions.lead",
        count=len(goals),
        closed=sum(goal["forecast"] == "closed" for goal in goals),
        late=sum(goal["is_open"] and goal["forecast"] in {"late", "not_moving"} for goal in goals),
        better=sum(goal["effect"] == "better" for goal in goals),
        unknown=sum(goal["effect"] not in _EFFECTS for goal in goals),
    )
    show(f'<p class="lead">{rich(words)}</p>')
    _campaigns(page, goals)
    rows = [_row(page, goal) for goal in goals]
    keys = ("word.metric", "goal.due", "goal.points", "goal.recovered", "goal.forecast", "goal.effect")
    header = [(page.text(key), key in {"goal.points", "goal.recovered"}) for key in keys]
    show(
        heading(page.text("brief.decisions"))
        + table(page.text("goal.caption"), header, rows)
        + f'<p class="hint">{escape(page.text("goal.note"))}</p>'
        + page.downloads("goals")
    )


def _campaigns(page: Page, goals: list[Row]) -> None:
    """How far each campaign has come: goals closed, points won of those expected."""
    found: dict[str, list[Row]] = {}
    for goal in goals:
        if goal["campaign"]:
            found.setdefault(goal["campaign"], []).append(goal)
    rows = [
        [
            escape(name),
            f"{sum(goal['forecast'] == 'closed' for goal in own)} / {len(own)}",
            fmt.number(page.language, sum(goal["recovered_points"] or 0.0 for goal in own), 1),
            fmt.number(page.language, sum(goal["expected_points"] or 0.0 for goal in own), 1),
            fmt.short_date(page.language, max(goal["due_on"] for goal in own)),
        ]
        for name, own in sorted(found.items())
    ]
    if rows:
        keys = ("decisions.campaign", "decisions.closed", "goal.recovered", "goal.expected", "decisions.last_due")
        header = [(page.text(key), 0 < number < 4) for number, key in enumerate(keys)]
        show(heading(page.text("decisions.campaigns")) + table(page.text("decisions.campaigns_caption"), header, rows))


def _row(page: Page, goal: Row) -> list[str]:
    language = page.language
    team = by(catalogue.teams(page.snapshot), "team_id")[goal["team_id"]]
    title = page.link("maling", page.label(goal, "title"), team=goal["team_id"], metric=goal["metric_id"])
    role = page.text(f"role.{goal['owner_role']}").lower()
    decided = page.text("decisions.decided", day=fmt.short_date(language, goal["decided_on"]), role=role)
    points = " → ".join(fmt.number(language, goal[key]) for key in ("points_then", "points_now"))
    expected = page.text("decisions.expected", points=fmt.number(language, goal["expected_points"], 1))
    values = ""
    if goal["before_mean"] is not None and goal["after_mean"] is not None:
        means = (fmt.metric_value(language, goal["unit"], goal[key]) for key in ("before_mean", "after_mean"))
        values = page.text("decisions.means", **dict(zip(("before", "after"), means, strict=True)))
    return [
        title + small(f"{page.label(team)} · {decided}"),
        fmt.short_date(language, goal["due_on"]) + small(page.text(f"goal.{goal['status']}")),
        points,
        fmt.number(language, goal["recovered_points"], 1) + small(expected),
        tag(*_FORECASTS.get(goal["forecast"], CANNOT_TELL), board.forecast(goal, language)),
        tag(*_EFFECTS.get(goal["effect"], CANNOT_TELL), page.text(f"goal.effect_{goal['effect']}")) + small(values),
    ]

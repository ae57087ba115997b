"""What gives the most for the whole organisation, what is cheap, who owns it, is it moving?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import GAPS
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import gains, gaps, scores
from opsmetrics.snapshots.queries.catalogue import Area, Team
from opsmetrics.snapshots.queries.gaps import Gap, PlanStep
from opsmetrics.snapshots.queries.rows import Rows, group_by
from scorecard_app.choices import choose, choose_period
from scorecard_app.known import COLUMNS, EFFORTS, ROLES
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views import explain
from scorecard_app.views.do_first import failing_by_metric
from scorecard_app.views.parts import areas_by_id, cut, gaps_table, no_gaps, now_only, source, teams_by_id
from scorecard_app.views.sides import MOST_ROWS, side_links, side_of

ROWS_PER_PAGE = 15
COUNTED_GAPS = 10  # the lead says what the first of them would give
EVERY = ""


@view(GAPS)
def render(page: Page) -> None:
    """Show all gaps, what to fix first at the top, with filters that live in the address."""
    teams, areas = teams_by_id(page), areas_by_id(page)
    head(page, page.text("gaps.title"), page.text("gaps.meta"))
    chosen = _filters(page, teams, areas)
    wanted = {COLUMNS[key]: value for key, value in chosen.items() if value != EVERY}
    found = gaps.gaps(page.snapshot, page.period)
    kept = found.where(**wanted)
    if not found:
        is_scored = any(row.score is not None for row in scores.team_scores(page.snapshot, page.period))
        show(no_gaps(page, is_scored=is_scored))
    else:
        if kept:
            _lead(page, kept, chosen["team"])
        _list(page, kept, chosen)
    if chosen["team"] in teams:
        explain.plan(page, chosen["team"])
    else:
        _plans(page, teams)


def _filters(page: Page, teams: Mapping[str, Team], areas: Mapping[str, Area]) -> dict[str, str]:
    options: dict[str, tuple[str, dict[str, str]]] = {
        "area": (page.text("gaps.all_areas"), {key: page.say(row.name) for key, row in areas.items()}),
        "team": (page.text("word.all_teams"), {key: page.say(row.name) for key, row in teams.items()}),
        "role": (page.text("gaps.all_roles"), {key: page.text(f"role.{key}") for key in ROLES}),
        "effort": (page.text("gaps.all_efforts"), {key: page.text(f"effort.{key}") for key in EFFORTS}),
    }
    chosen: dict[str, str] = {}
    columns = st.columns(5)
    for (key, (every, names)), column in zip(options.items(), columns[:4], strict=True):
        with column:
            current = st.query_params.get(key, EVERY)
            label = page.text(f"gaps.filter_{key}")
            chosen[key] = choose(label, key, [EVERY, *names], {EVERY: every, **names}, current)
    with columns[4]:
        choose_period(page)
    return chosen


def _lead(page: Page, found: Rows[Gap], team_id: str) -> None:
    """How many gaps there are, what the first and the cheap ones would give, and how far the first have come."""
    first, cheapest = found[:COUNTED_GAPS], found.where(effort="S")[:COUNTED_GAPS]
    said = [
        _gain(page, "gain_team" if team_id != EVERY else "gain_all", first, team_id),
        *([_gain(page, "cheap", cheapest, team_id)] if cheapest else []),
    ]
    words = page.text(
        "gaps.lead",
        count=fmt.number(page.language, len(found)),
        gain=f"{'; '.join(said)}.",
        overdue=int(found.frame["is_overdue"].sum()),
        open=sum(gap.goal_status is None for gap in first),
    )
    show(lead(words))


def _gain(page: Page, key: str, some: Rows[Gap], team_id: str) -> str:
    """What some gaps give together: one team, or the mean of all."""
    joint = gains.joint_gains(page.snapshot, page.period, some)
    points = joint.get(team_id) if team_id != EVERY else gains.mean_of_teams(page.snapshot, page.period, joint)
    return page.text(f"gaps.{key}", count=len(some), points=fmt.number(page.language, points or 0.0, 1))


def _list(page: Page, kept: Rows[Gap], chosen: Mapping[str, str]) -> None:
    """One page of the list."""
    side = side_of(page, len(kept), ROWS_PER_PAGE)
    shown = kept[side.start : side.stop]
    note = page.text("gaps.shown", first=min(len(kept), side.start + 1), last=side.stop, all=len(kept))
    # Names are read row by row behind each metric, so they stand where the list is one team's.
    fails = failing_by_metric(page, shown) if chosen["team"] != EVERY else {}
    table = gaps_table(page, shown, below="both", fails=fails, team=chosen["team"], area=chosen["area"])
    show(
        join(
            heading(page.text("gaps.list"), note),
            table_html(page, table, kind="gaps") if shown else hint(page.text("gaps.none")),
            side_links(page, side),
        )
    )


def _plans(page: Page, teams: Mapping[str, Team]) -> None:
    """The cheapest way to the next level, a row a team: the fewest team-days first."""
    plans = group_by(gaps.plans(page.snapshot, page.period), lambda step: step.team_id)
    if not plans:
        show(now_only(page, page.text("gaps.plans")))
        return
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("gaps.next_level")),
        Column(page.text("gaps.steps"), "number"),
        Column(page.text("explain.days"), "number"),
        Column(page.text("explain.score_then"), "number"),
        Column(page.text("gaps.level_on"), "date"),
    )
    cheapest = sorted(plans.values(), key=_days)[:MOST_ROWS]
    rows = tuple(_plan_row(page, steps, teams[steps[0].team_id]) for steps in cheapest)
    table = Table("plans", page.text("gaps.plans_caption"), columns, rows, source=source("plans"))
    show(join(heading(page.text("gaps.plans"), cut(page, MOST_ROWS, len(plans))), table_html(page, table)))


def _days(steps: Sequence[PlanStep]) -> float:
    return sum(step.effort_days for step in steps)


def _plan_row(page: Page, steps: Sequence[PlanStep], team: Team) -> tuple[Cell, ...]:
    cells = page.cells
    return (
        Cell(page.say(team.name), address=GAPS.at(team=team.team_id)),
        Cell(page.text(f"level.{steps[0].target_level}")),
        cells.number(len(steps)),
        cells.number(_days(steps), 1),
        cells.tenths(steps[-1].score_after),
        cells.day(steps[0].level_on),
    )

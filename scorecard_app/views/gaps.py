"""What gives the most for the whole organisation, what is cheap, who owns it, is it moving?"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from scorecard_app import fmt
from scorecard_app.data import catalogue, scores
from scorecard_app.markup import heading, rich, table
from scorecard_app.page import Page, by, choose, choose_period, head, show, unknown, view
from scorecard_app.views import explain
from scorecard_app.views.parts import gaps_table

PER_SIDE = 15
EVERY = ""

Row = dict[str, Any]


@view("gaps")
def render(page: Page) -> None:
    """Show all gaps, largest gain first, with filters that live in the address."""
    teams, areas = by(catalogue.teams(page.snapshot), "team_id"), by(catalogue.areas(page.snapshot), "area_id")
    metrics = by(catalogue.metrics(page.snapshot), "metric_id")
    head(page, page.text("gaps.title"), escape(page.text("gaps.meta")))
    unknown(page, {"team": teams, "area": areas})
    chosen = _filters(page, teams, areas)
    found = scores.gaps(page.snapshot, page.period).to_dicts()
    kept = [gap for gap in found if _fits(gap, metrics[gap["metric_id"]], chosen)]
    _lead(page, kept, metrics, len(teams))
    pages = max(1, -(-len(kept) // PER_SIDE))
    wanted = st.query_params.get("side", "1")
    side = min(max(1, int(wanted) if wanted.isdigit() else 1), pages)
    shown = kept[(side - 1) * PER_SIDE : side * PER_SIDE]
    none = f'<p class="hint">{escape(page.text("gaps.none"))}</p>'
    show(
        heading(
            page.text("gaps.list"),
            page.text(
                "gaps.shown",
                first=min(len(kept), (side - 1) * PER_SIDE + 1),
                last=(side - 1) * PER_SIDE + len(shown),
                all=len(kept),
            ),
        )
        + (gaps_table(page, shown, below="both") if shown else none)
        + _sides(page, side, pages)
        + page.downloads("gaps", team=chosen["team"] or None, area=chosen["area"] or None)
    )
    if chosen["team"] in teams:
        explain.plan(page, chosen["team"])
    else:
        _plans(page, teams)


def _filters(page: Page, teams: dict[str, Row], areas: dict[str, Row]) -> dict[str, str]:
    options: dict[str, tuple[str, dict[str, str]]] = {
        "area": (page.text("gaps.all_areas"), {key: page.label(row) for key, row in areas.items()}),
        "team": (page.text("word.all_teams"), {key: page.label(row) for key, row in teams.items()}),
        "role": (page.text("gaps.all_roles"), {key: page.text(f"role.{key}") for key in ROLES}),
        "effort": (page.text("gaps.all_efforts"), {key: page.text(f"effort.{key}") for key in ("S", "M", "L")}),
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


ROLES = ("team_lead", "tech_lead", "ops_lead", "product_owner", "security_lead")


def _fits(gap: Row, metric: Row, chosen: dict[str, str]) -> bool:
    has = {"area": gap["area_id"], "team": gap["team_id"], "role": gap["owner_role"], "effort": metric["effort"]}
    return all(wanted in {EVERY, has[key]} for key, wanted in chosen.items())


def _lead(page: Page, gaps: list[Row], metrics: dict[str, Row], teams: int) -> None:
    language = page.language
    cheap = [gap for gap in gaps if metrics[gap["metric_id"]]["effort"] == "S"]
    ten, ten_cheap = (sum(gap["gain_if_met"] for gap in found[:10]) / max(1, teams) for found in (gaps, cheap))
    words = page.text(
        "gaps.lead",
        count=len(gaps),
        ten=fmt.number(language, ten, 1),
        cheap=fmt.number(language, ten_cheap, 1),
        overdue=sum(gap["is_overdue"] for gap in gaps),
        open=sum(gap["goal_status"] is None for gap in gaps[:10]),
    )
    show(f'<p class="lead">{rich(words)}</p>')


def _sides(page: Page, side: int, pages: int) -> str:
    """Return links to the other pages of the list: the first, the last, and those around this one."""
    if pages == 1:
        return ""
    near = [number for number in range(1, pages + 1) if number in {1, pages} or abs(number - side) <= 2]
    items, before = "", 0
    for number in near:
        if number > before + 1:
            items += '<li aria-hidden="true">…</li>'
        here = " aria-current=page" if number == side else ""
        items += f'<li><a href="{escape(page.here(side=str(number)))}" target="_self"{here}>{number}</a></li>'
        before = number
    return f'<nav aria-label="{escape(page.text("app.sides"))}"><ul class="choice">{items}</ul></nav>'


def _plans(page: Page, teams: dict[str, Row]) -> None:
    """The cheapest way to the next level, a row a team: the fewest team-days first."""
    language = page.language
    plans: list[tuple[float, list[str]]] = []
    for team_id, team in teams.items():
        steps = scores.plan(page.snapshot, team_id).to_dicts()
        if not steps:
            continue
        days = sum(step["effort_days"] for step in steps)
        name = page.link("forbedring", page.label(team), team=team_id)
        plans.append(
            (
                days,
                [
                    name,
                    escape(page.text(f"level.{steps[0]['target_level']}")),
                    fmt.number(language, len(steps)),
                    fmt.number(language, days, 1),
                    fmt.number(language, steps[-1]["score_after"], 1),
                ],
            )
        )
    if not plans:
        return
    header = [
        (page.text("word.team"), False),
        (page.text("gaps.next_level"), False),
        (page.text("gaps.steps"), True),
        (page.text("explain.days"), True),
        (page.text("explain.score_then"), True),
    ]
    rows = [row for _, row in sorted(plans, key=lambda plan: plan[0])]
    show(heading(page.text("gaps.plans")) + table(page.text("gaps.plans_caption"), header, rows))

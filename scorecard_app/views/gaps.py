"""What gives the most for the whole organisation, what is cheap, who owns it, is it moving?"""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl
import streamlit as st

from opsmetrics import fmt
from opsmetrics.reading import catalogue, scores
from scorecard_app.markup import heading, rich, table
from scorecard_app.page import Page, by, choose, choose_period, head, show, unknown, view
from scorecard_app.views import explain
from scorecard_app.views.parts import gaps_table

PER_SIDE = 15
SHOWN_PLANS = 40
EVERY = ""

Row = dict[str, Any]


@view("gaps")
def render(page: Page) -> None:
    """Show all gaps, largest gain first, with filters that live in the address."""
    teams, areas = by(catalogue.teams(page.snapshot), "team_id"), by(catalogue.areas(page.snapshot), "area_id")
    head(page, page.text("gaps.title"), escape(page.text("gaps.meta")))
    unknown(page, {"team": teams, "area": areas})
    chosen = _filters(page, teams, areas)
    kept = _kept(scores.gaps(page.snapshot, page.period), chosen)
    _lead(page, kept, len(teams))
    pages = max(1, -(-kept.height // PER_SIDE))
    wanted = st.query_params.get("side", "1")
    side = min(max(1, int(wanted) if wanted.isdigit() else 1), pages)
    first = (side - 1) * PER_SIDE
    shown = kept.slice(first, PER_SIDE).to_dicts()
    note = page.text("gaps.shown", first=min(kept.height, first + 1), last=first + len(shown), all=kept.height)
    none = f'<p class="hint">{escape(page.text("gaps.none"))}</p>'
    show(
        heading(page.text("gaps.list"), note)
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


def _kept(found: pl.DataFrame, chosen: dict[str, str]) -> pl.DataFrame:
    columns = {"area": "area_id", "team": "team_id", "role": "owner_role", "effort": "effort"}
    return found.filter(**{columns[key]: wanted for key, wanted in chosen.items() if wanted != EVERY})


def _lead(page: Page, gaps: pl.DataFrame, teams: int) -> None:
    language = page.language
    cheap = gaps.filter(effort="S")
    ten, ten_cheap = (float(found["gain_if_met"].head(10).sum()) / max(1, teams) for found in (gaps, cheap))
    words = page.text(
        "gaps.lead",
        count=fmt.number(language, gaps.height),
        ten=fmt.number(language, ten, 1),
        cheap=fmt.number(language, ten_cheap, 1),
        overdue=int(gaps["is_overdue"].sum()),
        open=gaps["goal_status"].head(10).null_count(),
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
    for (team_id,), found in scores.plans(page.snapshot).partition_by("team_id", as_dict=True).items():
        steps = found.to_dicts()
        days = sum(step["effort_days"] for step in steps)
        name = page.link("forbedring", page.label(teams[str(team_id)]), team=str(team_id))
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
    rows = [row for _, row in sorted(plans, key=lambda plan: plan[0])][:SHOWN_PLANS]
    show(
        heading(page.text("gaps.plans"))
        + table(page.text("gaps.plans_caption"), header, rows)
        + page.downloads("plans")
    )

"""Propose a change of the configuration: the diff for a pull request and its effect on the scores. Never a write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import streamlit as st
from markupsafe import Markup

from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import Settings
from opsmetrics.language import fmt
from opsmetrics.language.details import sentences
from opsmetrics.proposals import edits, preview
from opsmetrics.proposals.edits import Change
from opsmetrics.proposals.preview import Effect
from opsmetrics.reports.addresses import CONFIGURE
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Metric
from scorecard_app.choices import day_format
from scorecard_app.known import ROLES
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, heading, hint, join, lead, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import areas_by_id, metrics_by_id, teams_by_id

KINDS = ("goal", "waiver", "ownership", "number")
Maker = Callable[[Settings], list[Change]]


@view(CONFIGURE)
def render(page: Page) -> None:
    """Show the form; once asked, what would change and what it would do."""
    head(page, page.text("configure.title"))
    show(lead(page.text("configure.lead")))
    if page.permissions.role != "admin":
        show(paragraph(page.text("configure.admins_only")))
        return
    settings = Settings.from_env()
    if not _is_of_snapshot(page, settings):
        return
    names = {kind: page.text(f"configure.{kind}") for kind in KINDS}
    kind = st.selectbox(page.text("configure.kind"), KINDS, format_func=names.__getitem__, key="configure-kind")
    maker = {"goal": _goal, "waiver": _waiver, "ownership": _ownership, "number": _number}[kind](page)
    if not st.button(page.text("configure.show"), key="configure-show"):
        return
    try:
        with st.spinner(page.text("configure.wait")):
            found = edits.propose(settings, maker(settings))
    except OpsMetricsError as error:
        show(paragraph(page.text("configure.wrong")))
        st.code(str(error), language="text")
        return
    show(paragraph(page.text("configure.diff")))
    st.code(found.diff, language="diff")
    st.download_button(page.text("configure.download"), found.diff, f"{kind}.patch", "text/x-diff")
    show(join(heading(page.text("configure.effect")), effect(page, found.effect)))


def _is_of_snapshot(page: Page, settings: Settings) -> bool:
    """Whether the numbers on screen come from the setup that would be changed; else say what to do."""
    try:
        if preview.is_of_snapshot(settings):
            return True
    except OpsMetricsError as error:
        show(paragraph(page.text("configure.wrong")))
        st.code(str(error), language="text")
        return False
    refusal = join(paragraph(page.text("configure.other_setup")), paragraph(page.text("configure.other_setup_fix")))
    show(element("div", refusal, class_="banner", role="alert"))
    return False


def effect(page: Page, found: Effect) -> Markup:
    """Say what a change does to today's scores: teams with their areas, and metrics."""
    if found.moved_teams.is_empty():
        return paragraph(page.text("configure.no_effect", count=found.teams.height))
    still = paragraph(page.text("configure.unmoved", count=found.teams.height - found.moved_teams.height))
    tables = [table_html(page, _moved_teams(page, found)), still]
    if not found.moved_metrics.is_empty():
        tables.append(table_html(page, _moved_metrics(page, found)))
    return join(*tables)


def _moved_teams(page: Page, found: Effect) -> Table:
    names, areas, language = teams_by_id(page), areas_by_id(page), page.language
    rows = []
    for row in found.moved_teams.iter_rows(named=True):
        team = names.get(row["team_id"])
        own = found.moved_areas.filter(team_id=row["team_id"]).iter_rows(named=True)
        moves = (f"{page.say(areas[area['area_id']].name)} {_area_move(page, area)}" for area in own)
        rows.append(
            (
                Cell(page.say(team.name) if team else row["team_id"]),
                Cell(_move(row, "score", lambda value: fmt.number(language, value, 1))),
                Cell(_move(row, "level", lambda value: page.text(f"level.{'none' if value is None else value}"))),
                Cell(_move(row, "coverage", lambda value: fmt.percent(language, value))),
                Cell(", ".join(moves) or fmt.MISSING),
            )
        )
    keys = ("word.team", "word.score", "word.level", "word.coverage", "nav.areas")
    columns = tuple(Column(page.text(key)) for key in keys)
    return Table("effect-teams", page.text("configure.effect_teams"), columns, tuple(rows))


def _moved_metrics(page: Page, found: Effect) -> Table:
    names, metrics, language = teams_by_id(page), metrics_by_id(page), page.language
    rows = []
    for row in found.moved_metrics.iter_rows(named=True):
        team, metric = names.get(row["team_id"]), metrics.get(row["metric_id"])
        rows.append(
            (
                Cell(page.say(team.name) if team else row["team_id"]),
                Cell(page.say(metric.title) if metric else row["metric_id"]),
                Cell(_move(row, "points", lambda value: fmt.number(language, value, 1))),
                Cell(_move(row, "status", lambda value: page.text(f"status.{value}") if value else fmt.MISSING)),
            )
        )
    columns = tuple(Column(page.text(key)) for key in ("word.team", "word.metric", "word.points", "word.status"))
    return Table("effect-metrics", page.text("configure.effect_metrics"), columns, tuple(rows))


def _area_move(page: Page, row: Mapping[str, Any]) -> str:
    """An area's score; where the reader sees no difference in it, the level, else the coverage."""
    shown = {
        "score": lambda value: fmt.number(page.language, value, 1),
        "level": lambda value: page.text(f"level.{'none' if value is None else value}"),
        "coverage": lambda value: fmt.percent(page.language, value),
    }
    moves = [_move(row, name, say) for name, say in shown.items()]
    return next((move for move in moves if "→" in move), moves[0])


def _move(row: Mapping[str, Any], name: str, shown: Callable[[Any], str]) -> str:
    """A value before and after, or once where the reader sees no difference."""
    before, after = shown(row[name]), shown(row[f"{name}_after"])
    return before if before == after else f"{before} → {after}"


def _today(page: Page) -> date:
    return page.period.on + timedelta(days=1)


def _team(page: Page) -> str:
    names = {team_id: page.say(team.name) for team_id, team in teams_by_id(page).items()}
    return str(st.selectbox(page.text("word.team"), list(names), format_func=names.__getitem__, key="configure-team"))


def _metric(page: Page) -> Metric:
    metrics = metrics_by_id(page)
    chosen = st.selectbox(
        page.text("word.metric"),
        list(metrics),
        format_func=lambda key: page.say(metrics[key].title),
        key="configure-metric",
    )
    metric = metrics[chosen]
    # In full, because the box has one line; and whoever changes a requirement should see of what.
    show(hint(page.say(metric.title), ": ", sentences(page.language, page.say(metric.formula))))
    return metric


def _day(page: Page, name: str, value: date) -> date:
    return st.date_input(
        page.text(f"configure.{name}"), value=value, key=f"configure-{name}", format=day_format(page.language)
    )


def _words(page: Page, name: str) -> str:
    return st.text_input(page.text(f"configure.{name}"), key=f"configure-{name}")


def _goal(page: Page) -> Maker:
    role_names = {role: page.text(f"role.{role}") for role in ROLES}
    values = {
        "team_id": _team(page),
        "metric_id": _metric(page).metric_id,
        "owner_role": st.selectbox(
            page.text("configure.role"), ROLES, format_func=role_names.__getitem__, key="configure-role"
        ),
        "decided_on": _today(page),
        "due_on": _day(page, "due", _today(page) + timedelta(days=90)),
        "status": "planned",
        "campaign": _words(page, "campaign"),
    }
    return lambda settings: edits.register_row(settings, "goals", values)


def _waiver(page: Page) -> Maker:
    team, metric = _team(page), _metric(page).metric_id
    values = {
        "waiver_id": f"w-{_today(page):%Y%m%d}-{team}-{metric}".replace("_", "-"),
        "team_id": team,
        "metric_id": metric,
        "reason": _words(page, "reason"),
        "compensating_measure": _words(page, "measure"),
        "approver": _words(page, "approver"),
        "valid_from": _today(page) - timedelta(days=1),
        # The register names the day after the last one.
        "valid_to": _day(page, "until", _today(page) + timedelta(days=90)) + timedelta(days=1),
    }
    return lambda settings: edits.register_row(settings, "waivers", values)


def _ownership(page: Page) -> Maker:
    services = catalogue.services(page.snapshot)
    service = st.selectbox(page.text("configure.service"), services, key="configure-service")
    team, first = _team(page), _day(page, "from", _today(page) - timedelta(days=1))
    return lambda settings: edits.ownership(settings, service, team, first)


def _number(page: Page) -> Maker:
    metric = _metric(page)
    numbers = {"floor": metric.floor, "krav": metric.krav, "mal": metric.mal, "weight": metric.weight}
    there = {name: now for name in edits.NUMBERS if (now := numbers[name]) is not None}
    names = {name: page.text(f"configure.number_{name}") for name in there}
    name = st.selectbox(page.text("configure.which"), list(there), format_func=names.__getitem__, key="configure-which")
    key = f"configure-{metric.metric_id}-{name}"
    value = float(st.number_input(page.text("configure.value"), value=there[name], format="%g", key=key))
    return lambda settings: edits.number(settings, metric.metric_id, name, value)

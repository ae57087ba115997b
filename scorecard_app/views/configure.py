"""Propose a change of the configuration: the diff for a pull request and its effect on the scores. Never a write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import streamlit as st

from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import Settings
from opsmetrics.proposals import edits
from opsmetrics.proposals.edits import Change
from opsmetrics.reports.addresses import CONFIGURE
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Metric
from scorecard_app.asked import ROLES
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import lead, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.views.parts import metrics_by_id, teams_by_id

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
    names = {kind: page.text(f"configure.{kind}") for kind in KINDS}
    kind = st.selectbox(page.text("configure.kind"), KINDS, format_func=names.__getitem__, key="configure-kind")
    maker = {"goal": _goal, "waiver": _waiver, "ownership": _ownership, "number": _number}[kind](page)
    if not st.button(page.text("configure.show"), key="configure-show"):
        return
    try:
        with st.spinner(page.text("configure.wait")):
            settings = Settings.from_env()
            found = edits.propose(settings, maker(settings))
    except OpsMetricsError as error:
        show(paragraph(page.text("configure.wrong")))
        st.code(str(error), language="text")
        return
    show(paragraph(page.text("configure.diff")))
    st.code(found.diff, language="diff")
    st.download_button(page.text("configure.download"), found.diff, f"{kind}.patch", "text/x-diff")
    show(paragraph(page.text("configure.effect")))
    st.markdown(found.effect)


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
    return metrics[chosen]


def _day(page: Page, name: str, value: date) -> date:
    return st.date_input(page.text(f"configure.{name}"), value=value, key=f"configure-{name}", format="YYYY-MM-DD")


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
        "valid_to": _day(page, "until", _today(page) + timedelta(days=90)),
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

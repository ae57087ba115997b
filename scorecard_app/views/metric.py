"""What exactly is measured and why, is it really changing, how did the number come about, which rows prove it?"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.details import sentences
from opsmetrics.reports.addresses import AREA, METRIC, TEAM
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.do_first import is_unconnected
from opsmetrics.snapshots.queries import catalogue, gaps, scores
from opsmetrics.snapshots.queries.catalogue import Metric, Team
from opsmetrics.snapshots.queries.scores import MetricScore
from scorecard_app.choices import choose, choose_period, selected_id
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import code_block, copy_button, folded, heading, hint, join, pairs, paragraph, points, strip
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import cell_html, table_html
from scorecard_app.views.metric_chart import control_section, trend_section
from scorecard_app.views.metric_number import evidence_section, formula_section
from scorecard_app.views.metric_teams import teams_section
from scorecard_app.views.metric_words import Written, written_of_team
from scorecard_app.views.parts import (
    areas_by_id,
    duty_link,
    gaps_table,
    metrics_by_id,
    reason,
    status_cell,
    teams_by_id,
)

EVERY = ""  # no team: all of them


@view(METRIC)
def render(page: Page) -> None:
    """Show one metric, of one team or over all of them."""
    metrics, teams = metrics_by_id(page), teams_by_id(page)
    metric = metrics[selected_id("metric", metrics)]
    team = teams.get(st.query_params.get("team", EVERY))
    area_link = page.link(AREA.at(area=metric.area_id), page.say(areas_by_id(page)[metric.area_id].name))
    if team is None:
        head(page, page.say(metric.title), area_link)
        _choices(page, metrics, teams, metric, EVERY)
        teams_section(page, metric, teams)
        _about(page, metric)
        _sql(page, metric)
        return
    team_link = page.link(TEAM.at(team=team.team_id), page.say(team.name))
    all_link = page.link(METRIC.at(metric=metric.metric_id), page.text("across.all_teams"))
    head(page, page.say(metric.title), join(team_link, " · ", area_link, " · ", all_link), crumbs=(team_link,))
    _choices(page, metrics, teams, metric, team.team_id)
    _of_team(page, metric, team)


def _choices(
    page: Page, metrics: Mapping[str, Metric], teams: Mapping[str, Team], metric: Metric, team_id: str
) -> None:
    left, middle, right = st.columns([2, 1, 1])
    with left:
        names = {key: page.say(row.title) for key, row in metrics.items()}
        choose(page.text("metric.choose_metric"), "metric", list(metrics), names, metric.metric_id)
    with middle:
        names = {EVERY: page.text("word.all_teams"), **{key: page.say(row.name) for key, row in teams.items()}}
        choose(page.text("team.choose"), "team", list(names), names, team_id)
    with right:
        choose_period(page)


def _of_team(page: Page, metric: Metric, team: Team) -> None:
    """Value, chart, formula, explanation, next step and evidence of one team."""
    team_id, metric_id = team.team_id, metric.metric_id
    row = scores.metric_scores(page.snapshot, page.period, team_id=team_id, metric_id=metric_id).first()
    written = written_of_team(page, metric, team, row)
    if row is not None:
        _now(page, metric, row, written)
    trend_section(page, metric, team, row, written)
    control_section(page, metric, team, written)
    if row is not None:
        formula_section(page, metric, row, written)
    _about(page, metric, is_measured=row is None or not is_unconnected(row))
    _next_step(page, metric_id, team_id)
    evidence_section(page, metric, team_id)
    _sql(page, metric)


def _now(page: Page, metric: Metric, row: MetricScore, written: Written) -> None:
    """Value, requirement, target and points; the interval; status and its reason."""
    language = page.language
    sign = "≤" if metric.floor > metric.mal else "≥"
    now, krav, target = written.all(shown_value(row), metric.requirement, metric.mal)
    numbers = strip(
        (
            (page.now, now, None),
            (page.text("word.krav"), f"{sign} {krav}", None),
            (page.text("word.target"), f"{sign} {target}", None),
            (page.text("word.points"), fmt.points(language, row.points)[0], page.text("word.out_of_100")),
        )
    )
    chance = None
    if row.interval_low is not None and row.points is not None:
        low, high = fmt.metric_values(language, metric.unit, row.interval_low, row.interval_high)
        # What is counted in full did not come out as it did by chance: luck enters what it says of the practice.
        words = "metric.interval_census" if metric.kind == "census" else "metric.interval"
        chance = hint(page.text(words, low=low, high=high))
    status = paragraph(cell_html(page, status_cell(page, row)), " ", reason(language, row.reason), kind="meta")
    show(join(numbers, status, chance))


def _about(page: Page, metric: Metric, *, is_measured: bool = True) -> None:
    """What the metric is; its remedy only where somebody has measured what it would improve."""
    days = metric.window_days
    items = (
        (page.text("metric.what"), sentences(page.language, page.say(metric.formula))),
        (page.text("metric.why"), page.say(metric.why)),
        *([(page.text("metric.remedy"), page.say(metric.remedy))] if is_measured else []),
        (
            page.text("metric.window"),
            page.text("metric.window_days", days=days) if days else page.text("metric.window_now"),
        ),
        (page.text("word.weight"), _weight(page, metric)),
        (page.text("metric.needs"), ", ".join(page.text(f"stream.{name}") for name in metric.needs)),
        (page.text("metric.obligations"), points(_duties(page, metric))),
        (page.text("metric.version"), str(metric.metric_version)),
    )
    show(join(heading(page.text("metric.about")), pairs(items)))


def _duties(page: Page, metric: Metric) -> list[Markup]:
    """The handbook's sentences that it measures, each with its place in the handbook where one is known."""
    found = catalogue.obligations(page.snapshot)
    return [duty_link(page, duty) for duty in found if duty.obligation_id in metric.obligations]


def _weight(page: Page, metric: Metric) -> str:
    """The weight, or why there is none."""
    if metric.lifecycle == "stable":
        return fmt.exact(page.language, metric.weight)
    return page.text(f"metric.weight_{metric.lifecycle}")


def _next_step(page: Page, metric_id: str, team_id: str) -> None:
    """Show the gap with its remedy, owner and due day, where there is one."""
    found = [gap for gap in gaps.gaps(page.snapshot, page.period, team_id=team_id) if gap.metric_id == metric_id]
    if found:
        table = table_html(page, gaps_table(page, found, below="team"), kind="gaps")
        show(join(heading(page.text("word.next_step")), table))


def _sql(page: Page, metric: Metric) -> None:
    """Show the SQL that makes the number, to copy."""
    copy = copy_button("metric-sql", page.text("metric.copy"), page.text("metric.copied"))
    body = folded(page.text("metric.sql_show"), copy, code_block(metric.sql, "metric-sql"))
    show(join(heading(page.text("metric.sql")), body))

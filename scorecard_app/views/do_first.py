"""The block on top of a team's page: what to do first, what fails, why, who, when; then the way to the next level."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.details import detail
from opsmetrics.language.listing import listing
from opsmetrics.reports.addresses import CONFIGURE, CONNECT, METRIC, TEAM
from opsmetrics.reports.board import gate_reason, is_held_down, when
from opsmetrics.reports.do_first import Action, DoFirst, Unconnected
from opsmetrics.reports.failing import Failing, failing
from opsmetrics.reports.source_links import Item, SourceLink, links
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Metric
from opsmetrics.snapshots.queries.gaps import Gap, PlanStep
from opsmetrics.snapshots.queries.scores import AreaScore
from scorecard_app.markup import Node, element, folded, hint, join, link, outward, pairs, paragraph, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views import explain
from scorecard_app.views.parts import areas_by_id, days_text, duty_link, metrics_by_id

SHOWN_FAILING = 3
SHOWN_SOURCES = 3
FEWEST = 0.05  # points that show with one decimal
EXPLOITED = "sec_overdue_exploited"


def do_first_section(page: Page, team_id: str, found: DoFirst) -> None:
    """Show what the team does first; where there is nothing to do, why."""
    body = (
        _action(page, found.action, found.plan) if found.action is not None else hint(_nothing(page, team_id, found)),
        _path(page, team_id, found),
        points(
            (
                *(_waiting(page, row) for row in found.waiting),
                *(connect_advice(page, team_id, each) for each in found.unconnected[:SHOWN_SOURCES]),
                *_more_sources(page, team_id, len(found.unconnected) - SHOWN_SOURCES),
            )
        )
        if found.waiting or found.unconnected
        else None,
    )
    title = page.text("first.title")
    show(element("section", element("h2", title), body, class_="first", id="first", aria_label=title))


def _nothing(page: Page, team_id: str, found: DoFirst) -> Node:
    """Why there is no action, as a sentence."""
    day = fmt.long_date(page.language, found.first_day) if found.first_day else ""
    if found.state == "past":
        now = link(page.here(period=None, area=None), page.text("first.see_now"))
        return join(page.text("first.past", period=page.period_within()), " ", now)
    if found.state == "before_first_day":
        return page.text("first.before", day=day, period=page.period_within())
    if found.state in {"no_data", "too_little"}:
        connect = page.link(CONNECT.at(team=team_id), page.text("first.see_connect"))
        return join(page.text(f"first.{found.state}"), " ", connect)
    return page.text("first.nothing")


def _action(page: Page, action: Action, plan: Sequence[PlanStep]) -> Markup:
    gap, metric = action.gap, action.metric
    address = METRIC.at(team=gap.team_id, metric=metric.metric_id)
    what = paragraph(page.link(address, page.say(metric.title)), ": ", page.say(metric.remedy), kind="what")
    days = days_text(page.language, gap.effort_days)
    facts: tuple[tuple[str, Node], ...] = (
        ("first.fails", failing_names(page, metric, gap.team_id, action.failing)),
        ("first.why", join(*_why(page, action, plan), by=" ")),
        ("first.who", _who(page, gap)),
        ("first.when", " ".join(part for part in (_due(page, gap), when(gap, page.language)) if part)),
        ("first.work", page.text("gaps.days", days=days)),
        ("first.handbook", join(*(duty_link(page, duty) for duty in action.duties), by="; ")),
    )
    return join(what, pairs((page.text(key), words) for key, words in facts))


def failing_names(
    page: Page, metric: Metric, team_id: str, failing: Sequence[Failing], most: int = SHOWN_FAILING
) -> Markup:
    """Return what fails by name, each with its place in the source system; how many more there are.

    Open findings of security are named only to those who may see them.
    """
    if not page.permissions.may_see_rows(metric.area_id, team_id):
        return join(page.text("first.fails_closed", count=sum(each.count for each in failing)))
    if not failing:
        return join(page.text("first.fails_none"))
    shown = failing[: most + 1]
    found = links(page.snapshot, metric, team_id, [Item(each.item_id, each.detail) for each in shown])
    names = [source_link(page, found.get(each.item_id), _times(page, each)) for each in shown]
    return page.listed(names, [_times(page, each) for each in failing], most)


def failing_by_metric(page: Page, gaps: Sequence[Gap]) -> dict[str, Markup]:
    """Return what fails behind each of one team's gaps, by the metric's id; nothing where no row stands out."""
    metrics = metrics_by_id(page)
    found = {gap.metric_id: failing(page.snapshot, metrics[gap.metric_id], page.period, gap.team_id) for gap in gaps}
    return {
        gap.metric_id: failing_names(page, metrics[gap.metric_id], gap.team_id, found[gap.metric_id])
        for gap in gaps
        if found[gap.metric_id]
    }


def source_link(page: Page, found: SourceLink | None, label: str) -> Markup:
    """Return a row's name, as a link into the system that told it where there is one."""
    if found is None:
        return join(label)
    return outward(found.url, label, page.text("first.opens_in", system=found.host))


def _times(page: Page, each: Failing) -> str:
    name = detail(page.language, each.name)
    return page.text("first.fails_times", name=name, count=each.count) if each.count > 1 else name


def _why(page: Page, action: Action, plan: Sequence[PlanStep]) -> list[str]:
    """Danger first, then the gate, then points and level."""
    gap, said = action.gap, []
    if gap.status == "stale":
        streams = ", ".join(page.text(f"stream.{name}").lower() for name in action.metric.needs)
        said.append(page.text("first.why_stale", streams=streams))
    if gap.metric_id == EXPLOITED:
        said.append(page.text("first.why_exploited"))
    if action.gate is not None:
        # A score that gives no higher level is held by no gate: lifting the gate alone moves nothing.
        is_held = is_held_down(action.gate, catalogue.rules(page.snapshot).level_edges)
        key = "first.why_gate" if is_held else "first.why_gate_open"
        said.append(page.text(key, **_gate_words(page, action.gate)))
    quarter = gap.gain_this_quarter or 0.0
    if quarter >= FEWEST:
        said.append(page.text("first.why_points", points=fmt.number(page.language, quarter, 1)))
    elif gap.gain_if_met >= FEWEST:
        said.append(page.text("first.why_later", points=fmt.number(page.language, gap.gain_if_met, 1)))
    if action.step is not None:
        level = page.text(f"level.{action.step.target_level}").lower()
        key = "first.why_step" if len(plan) > 1 else "first.why_only_step"
        said.append(page.text(key, level=level, count=len(plan)))
    return said


def _gate_words(page: Page, row: AreaScore) -> dict[str, str]:
    """The gate, its area, the level that it holds, and why."""
    return {
        "gate": row.gate or "",
        "area": page.say(areas_by_id(page)[row.area_id].name),
        "level": page.text(f"level.{row.level}" if row.level is not None else "level.none").lower(),
        "reason": gate_reason(page.language, row),
    }


def _who(page: Page, gap: Gap) -> Node:
    if gap.owner_role is not None:
        return page.text(f"role.{gap.owner_role}")
    return join(page.text("first.who_none"), " ", page.link(CONFIGURE.at(), page.text("first.who_propose")))


def _due(page: Page, gap: Gap) -> str:
    if gap.due_on is None:
        return page.text("first.due_none")
    day = fmt.long_date(page.language, gap.due_on)
    return page.text("first.overdue" if gap.is_overdue else "first.due", day=day)


def _path(page: Page, team_id: str, found: DoFirst) -> Markup | None:
    """The way to the next level in a line, its steps folded; that there is none, where the team has a level."""
    if found.is_top:
        return paragraph(page.text("first.top"))
    if not found.plan:
        # What a gate holds down comes first whatever a plan of points says.
        has_gate = found.action is not None and found.action.gate is not None
        if found.action is None or has_gate:
            return None
        if found.reached is None:
            return hint(page.text("first.no_path"))
        return hint(page.text("first.path_waits", level=page.text(f"level.{found.reached}").lower()))
    steps = found.plan
    day = steps[0].level_on
    words = page.text(
        "first.path",
        level=page.text(f"level.{steps[0].target_level}").lower(),
        count=len(steps),
        days=days_text(page.language, sum(step.effort_days for step in steps)),
    )
    reached = page.text("when.level", day=fmt.long_date(page.language, day)) if day else ""
    beyond = "" if all(step.is_within_year for step in steps) else page.text("when.beyond")
    line = paragraph(element("strong", " ".join(part for part in (words, reached, beyond) if part)), kind="path")
    if found.action is not None and [step.metric_id for step in steps] == [found.action.metric.metric_id]:
        return line  # the only step is said above
    table = table_html(page, explain.plan_table(page, team_id, steps))
    metrics = metrics_by_id(page)
    titles = [page.say(metrics[step.metric_id].title) for step in steps]
    cut = listing(page.language, titles, SHOWN_FAILING)
    names = " → ".join(titles[: len(cut.before)])
    return join(
        line,
        hint(" ".join(part for part in (names, cut.more) if part)),
        folded(page.text("first.path_show"), table),
    )


def _waiting(page: Page, row: AreaScore) -> Node:
    address = TEAM.at(team=row.team_id, area=row.area_id)
    words = page.text("first.waiting", **_gate_words(page, row))
    return join(words, " ", page.link(address, page.text("first.see_area")))


def _more_sources(page: Page, team_id: str, rest: int) -> list[Node]:
    return [page.link(CONNECT.at(team=team_id), page.text("first.more_sources", count=rest))] if rest > 0 else []


def connect_advice(page: Page, team_id: str, each: Unconnected) -> Markup:
    """Return the advice to connect a source, with the page that says how."""
    streams = ", ".join(page.text(f"stream.{name}") for name in each.streams)
    key = "first.connect_overdue" if each.overdue else "first.connect"
    words = page.text(key, count=len(each.metric_ids), overdue=each.overdue)
    return join(page.link(CONNECT.at(team=team_id), page.text("first.connect_to", streams=streams)), ": ", words)

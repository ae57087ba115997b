"""Outcomes beside practice: incidents and time down against what is usual, and the services that were down longest."""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import FACTS, INCIDENTS
from opsmetrics.reports.board import Board
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import facts
from opsmetrics.snapshots.queries.facts import Downtime, ServiceOutcome
from scorecard_app.markup import Node, element, heading, hint, join, strip
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.table_html import table_html

SHOWN_SERVICES = 5
NEARLY_ALL = 0.9  # of the services that are measured now: a period with fewer does not compare


def outcomes(page: Page, found: Board) -> None:
    """Show what users notice."""
    language = page.language
    majors, usual = board.usual(found, language)
    history = facts.major_incidents(page.snapshot, page.period)
    line = sparkline(history, page.text("overview.majors_alt"), span=6, slots=facts.SHOWN_PERIODS)
    down = list(facts.downtime(page.snapshot, page.period))
    numbers = strip(
        (
            (
                page.text("outcomes.majors"),
                fmt.number(language, majors),
                usual if majors is None else (usual, " ", line),
            ),
            (page.text("outcomes.down"), *time_down(page, down)),
        )
    )
    title = heading(page.text("outcomes.title"), page.text("outcomes.note"))
    more = hint(
        page.link(INCIDENTS.at(), page.text("outcomes.incidents")),
        " · ",
        page.link(FACTS.at(), page.text("outcomes.facts")),
    )
    show(join(title, numbers, _worst(page, found, is_measured=down[-1].down_minutes is not None), more))


def time_down(page: Page, periods: Sequence[Downtime]) -> tuple[str, Node]:
    """Return the time down in the newest period and what is usual; what nobody measured is no number."""
    now = periods[-1]
    if now.down_minutes is None:
        return fmt.MISSING, page.text("outcomes.not_measured")
    comparable = [
        row.down_minutes if row.is_told and row.services >= NEARLY_ALL * now.services else None for row in periods
    ]
    if not now.is_told:
        # A week of four is no quiet month: it is held against none.
        known = page.text("outcomes.partly", share=fmt.percent(page.language, now.known_share))
        return fmt.duration(page.language, now.down_minutes), known
    known = sorted(value for value in comparable[:-1] if value is not None)
    usual = ""
    if len(known) >= facts.FEWEST_PERIODS:
        low, high = (fmt.duration(page.language, value) for value in (known[1], known[-2]))
        usual = page.text("outcomes.usual", span=fmt.span(low, high))
    line = sparkline(comparable, page.text("outcomes.down_alt"), span=1, slots=facts.SHOWN_PERIODS)
    return fmt.duration(page.language, now.down_minutes), (usual, " ", line)


def _worst(page: Page, found: Board, *, is_measured: bool) -> Node:
    if not is_measured:
        return None
    rows = facts.worst_services(page.snapshot, page.period, SHOWN_SERVICES)
    title = element("h3", page.text("outcomes.worst"))
    if not rows:
        return join(title, hint(page.text("outcomes.worst_none")))
    names = found.team_names(page.language)
    columns = (
        Column(page.text("outcomes.service"), "link"),
        Column(page.text("word.team")),
        Column(page.text("outcomes.time_down"), "number"),
        Column(page.text("outcomes.majors"), "number"),
        Column(page.text("outcomes.known"), "percent"),
    )
    body = tuple(_row(page, row, names.get(row.team_id or "")) for row in rows)
    return join(title, table_html(page, Table("worst", page.text("outcomes.worst_caption"), columns, body)))


def _row(page: Page, row: ServiceOutcome, team: str | None) -> tuple[Cell, ...]:
    address = INCIDENTS.at(team=row.team_id) if team else FACTS.at()
    return (
        Cell(page.say(row.name), address=address),
        Cell(team or fmt.MISSING),
        Cell("" if row.down_minutes is None else fmt.duration(page.language, row.down_minutes), row.down_minutes),
        page.cells.number(row.majors),
        page.cells.percent(row.known_share, 1),
    )

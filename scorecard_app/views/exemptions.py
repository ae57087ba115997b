"""What is exempt, what is it worth, when does it end, and which numbers is there reason to ask about?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.reports import board
from opsmetrics.reports.addresses import EXEMPTIONS, TEAM
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import quality
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.quality import Exemption
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views import explain
from scorecard_app.views.parts import metrics_by_id, registered, source, teams_by_id


@view(EXEMPTIONS)
def render(page: Page) -> None:
    """Show waivers, exclusions, windows and alarms: every way in which a score could be other than operations are."""
    rows = list(quality.exemptions(page.snapshot, page.period))
    signs = {row.team_id for row in quality.alarms(page.snapshot, page.period)}
    head(page, page.text("exemptions.title"))
    choose_period(page)
    words = page.text(
        "exemptions.lead",
        count=len(rows),
        soon=sum(row.days_left <= board.SOON_DAYS for row in rows),
        days=board.SOON_DAYS,
        teams=len(signs),
        when=page.when,
    )
    show(lead(words))
    body = table_html(page, _table(page, rows)) if rows else hint(page.text("exemptions.none", when=page.when))
    written = _as_written(page) if rows else ""
    show(join(heading(page.text("exemptions.valid")), hint(page.text("exemptions.hint"), " ", written), body))
    explain.alarms(page)


def _team(page: Page, teams: Mapping[str, Team], team_id: str | None) -> Cell:
    if team_id is None:
        return Cell(page.text("exemptions.unowned"))
    return Cell(page.say(teams[team_id].name), address=TEAM.at(team=team_id))


def _as_written(page: Page) -> str:
    """That the register's own words are in the organisation's language, where the reader's is another."""
    return "" if page.organisation.language == page.language else page.text("exemptions.as_written")


def _table(page: Page, rows: Sequence[Exemption]) -> Table:
    cells, metrics, teams = page.cells, metrics_by_id(page), teams_by_id(page)
    debts = {row.team_id: row.debt_points for row in quality.exemption_debt(page.snapshot, page.period)}
    shown: list[tuple[Cell, ...]] = []
    for row in rows:
        metric = metrics.get(row.subject)
        kind = page.text(f"exemptions.kind_{row.kind}")
        if row.is_counted is False:
            kind = page.text("exemptions.no_room", kind=kind)
        shown.append(
            (
                _team(page, teams, row.team_id),
                Cell(page.say(metric.title) if metric else row.subject, detail=kind),
                registered(page, row.reason),
                registered(page, row.approver),
                cells.day(row.last_day),
                cells.number(row.days_left),
                cells.signed(debts.get(row.team_id) if row.team_id and row.kind == "waiver" else None),
            )
        )
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("exemptions.what")),
        Column(page.text("word.reason")),
        Column(page.text("exemptions.approver")),
        Column(page.text("exemptions.expires"), "date"),
        Column(page.text("exemptions.days_left"), "number"),
        Column(page.text("exemptions.debt"), "number"),
    )
    caption = page.text("exemptions.caption")
    return Table("exemptions", caption, columns, tuple(shown), source=source("exemptions"))

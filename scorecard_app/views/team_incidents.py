"""The incidents of a team over twelve months: as a picture, and the latest as a table."""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import INCIDENTS
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.snapshots.queries import facts, quality
from opsmetrics.snapshots.queries.facts import Incident
from scorecard_app.later import later_table
from scorecard_app.markup import heading, hint, join, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.incidents import days_told, team_timeline
from scorecard_app.views.parts import PLAIN, source
from scorecard_app.views.sides import MOST_ROWS

SHOWN_INCIDENTS = 5


def incident_section(page: Page, team_id: str) -> None:
    """Show the incidents of a team."""
    found = list(facts.incidents(page.snapshot, page.period, team_id))
    if not found and not quality.is_connected(page.snapshot, "incidents"):
        show(
            join(
                heading(page.text("team.incidents"), anchor="incidents"),
                hint(page.text("team.incidents_not_connected")),
            )
        )
        return
    title = heading(page.text("team.incidents"), page.text("team.incidents_note", count=len(found)), anchor="incidents")
    days = days_told(page)
    if not found:
        show(join(title, hint(page.text("team.incidents_none"), " ", days)))
        return
    show(join(title, hint(days) if days else None))
    team_timeline(page, team_id)
    latest = _table(page, team_id, found[:SHOWN_INCIDENTS], page.text("team.incidents_latest"))
    rest = None
    if len(found) > SHOWN_INCIDENTS:
        if len(found) > MOST_ROWS:
            words = page.text("incidents.list_show", shown=MOST_ROWS, all=fmt.number(page.language, len(found)))
        else:
            words = page.text("team.incidents_all", count=len(found))
        caption = page.text("team.incidents_caption")
        rest = later_table(page, "incidents", words, lambda: _table(page, team_id, found[:MOST_ROWS], caption))
    show(
        join(
            table_html(page, latest),
            rest,
            paragraph(page.link(INCIDENTS.at(team=team_id), page.text("team.incidents_more"))),
        )
    )


def _duration(page: Page, row: Incident) -> str:
    """How long it lasted; that it is open, or that its source tells no ends."""
    if row.resolved_at is None:
        return page.text("incidents.end_untold" if row.is_end_untold else "team.open")
    return fmt.duration(page.language, (row.resolved_at - row.declared_at).total_seconds() / 60)


def _severity(page: Page, row: Incident) -> str:
    return page.text(f"severity.{row.severity}")


def _table(page: Page, team_id: str, found: Sequence[Incident], caption: str) -> Table:
    language, zone = page.language, page.organisation.timezone
    rows = tuple(
        (
            Cell(row.incident_id, detail=row.service_id or ""),
            Cell(fmt.instant(language, row.declared_at, zone)),
            Cell(_severity(page, row)),
            Cell(_duration(page, row)),
            _postmortem(page, row),
        )
        for row in found
    )
    columns = (
        Column(page.text("team.incident")),
        Column(page.text("team.declared"), "date"),
        Column(page.text("team.severity")),
        Column(page.text("team.duration"), "number"),
        Column(page.text("team.postmortem")),
    )
    return Table("incidents", caption, columns, rows, source=source("incidents", team=team_id))


def _postmortem(page: Page, row: Incident) -> Cell:
    if row.postmortem_published_at is not None:
        return Cell(page.text("postmortem.delivered"), tag=Tag("good", "✓"))
    if row.needs_postmortem is False:
        return Cell(page.text("postmortem.not_required"), tag=PLAIN)
    if row.needs_postmortem is None or row.is_postmortem_untold:
        return Cell(page.text("postmortem.unknown"), tag=Tag("plain", "?"))
    due = row.postmortem_due_at
    if due is not None and due >= page.period.as_of:
        return Cell(page.text("postmortem.pending"), tag=Tag("plain", "○"))
    return Cell(page.text("postmortem.missing"), tag=Tag("warn", "!"))

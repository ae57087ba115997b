"""Which systems deliver, what was set aside, what has no owner, which cells rest on little?"""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import HEALTH, TEAM
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.snapshots.notices import Voice, sentences
from opsmetrics.snapshots.queries import quality, scores
from opsmetrics.snapshots.queries.quality import SystemHealth
from opsmetrics.snapshots.queries.scores import AreaScore
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead, points, small
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views.health_sources import sources_section
from scorecard_app.views.health_systems import age_of_oldest, name_of, silent_streams, systems_section, touches
from scorecard_app.views.parts import areas_by_id, source, teams_by_id, told_in_english

THIN = 0.6  # covered less than this, a cell rests on little
SHOWN_THIN = 30
_GAPS = {"late": Tag("warn", "!"), "at_risk": Tag("bad", "!"), "lost": Tag("bad", "✕")}


@view(HEALTH)
def render(page: Page) -> None:
    """Show the state of the data."""
    sources = list(quality.sources(page.snapshot))
    head(page, page.text("health.title"))
    if not sources:
        show(lead(page.text("overview.sources_none")))
        _warnings(page)
        return
    systems = list(quality.systems(page.snapshot))
    _lead(page, systems)
    systems_section(page, systems)
    _warnings(page)
    sources_section(page, sources)
    _missing(page)
    _thin(page)
    _quarantine(page)
    _unmatched(page)
    _suspect(page)


def _lead(page: Page, systems: Sequence[SystemHealth]) -> None:
    """How many systems deliver, which is worst, and whose numbers it touches."""
    silent = [row for row in systems if row.state != "fresh"]
    values = {"fine": len(systems) - len(silent), "all": len(systems)}
    if not silent:
        show(lead(page.text("health.lead", **values)))
        return
    worst = silent[0]
    touched = [row for row in quality.touched(page.snapshot, page.period) if row.kind == worst.kind]
    words = page.text(
        "health.lead_one_problem" if len(systems) == 1 else "health.lead_problem",
        **values,
        system=name_of(page, worst),
        streams=silent_streams(page, worst),
        age=age_of_oldest(page, worst),
    )
    tail = page.text("health.lead_touches", areas=touches(page, touched)) if touched else ""
    show(lead(" ".join(filter(None, (words, tail)))))


def _warnings(page: Page) -> None:
    """What makes the data say less than they seem to, the worst first; the command line says the same."""
    voice = Voice(page.language, lambda stream: page.text(f"stream.{stream}"), lambda n: fmt.number(page.language, n))
    found = sentences(quality.notices(page.snapshot), voice)
    if found:
        items = [
            join(f"{_capital(fmt.dates_in(page.language, item.text))}. ", small(f"{_capital(item.fix)}."))
            for item in found
        ]
        show(join(heading(page.text("health.warnings")), points(items)))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _missing(page: Page) -> None:
    """Days that a source owed: what its source will soon have forgotten stands first."""
    cells = page.cells
    rows = tuple(
        (
            Cell(page.text(f"stream.{row.stream}"), detail=row.origin),
            Cell(page.text(f"health.gap_{row.state}"), tag=_GAPS[row.state]),
            Cell(" – ".join(fmt.short_date(page.language, day) for day in (row.starts_on, row.ends_on))),
            cells.number(row.day_count),
            cells.day(row.lost_on),
        )
        for row in quality.missing_days(page.snapshot)
    )
    if not rows:
        return
    columns = (
        Column(page.text("word.source")),
        Column(page.text("word.status")),
        Column(page.text("health.gap_days")),
        Column(page.text("health.gap_count"), "number"),
        Column(page.text("health.gap_lost_on"), "date"),
    )
    table = Table("missing_days", page.text("health.gaps_caption"), columns, rows, source=source("missing-days"))
    title, words = heading(page.text("health.gaps")), hint(page.text("health.gaps_hint"))
    show(join(title, words, table_html(page, table)))


def _quarantine(page: Page) -> None:
    cells = page.cells
    rows = tuple(
        (
            Cell(page.text(f"stream.{row.stream}"), detail=row.source),
            told_in_english(page, row.reason),
            cells.number(row.rows),
            cells.number(row.line),
        )
        for row in quality.quarantine(page.snapshot)
    )
    columns = (
        Column(page.text("word.source")),
        Column(page.text("word.reason")),
        Column(page.text("word.rows"), "number"),
        Column(page.text("health.line"), "number"),
    )
    caption, file = page.text("health.quarantine_caption"), source("quarantine")
    _section(page, Table("quarantine", caption, columns, rows, source=file), has_hint=True)


def _unmatched(page: Page) -> None:
    rows = tuple(
        (
            Cell(row.name, detail=page.text(f"health.kind_{row.kind}")),
            Cell(page.text(f"stream.{row.stream}")),
            Cell(page.text(f"health.unmatched_{row.reason}")),
            page.cells.number(row.row_count),
            page.cells.day(row.first_on),
            page.cells.day(row.last_on),
        )
        for row in quality.unmatched(page.snapshot)
    )
    columns = (
        Column(page.text("health.name")),
        Column(page.text("word.source")),
        Column(page.text("word.reason")),
        Column(page.text("word.rows"), "number"),
        Column(page.text("health.first_on"), "date"),
        Column(page.text("health.last_on"), "date"),
    )
    caption, file = page.text("health.unmatched_caption"), source("unmatched")
    _section(page, Table("unmatched", caption, columns, rows, source=file))


def _suspect(page: Page) -> None:
    rows = tuple(
        (Cell(row.monitor_key), page.cells.percent(row.down_ratio, 1), Cell(str(row.first_http_status)))
        for row in quality.suspect_monitors(page.snapshot)
    )
    if not rows:
        return
    columns = (
        Column(page.text("health.name")),
        Column(page.text("health.down"), "percent"),
        Column(page.text("health.http"), "number"),
    )
    caption, file = page.text("health.suspect_caption"), source("suspect-monitors")
    _section(page, Table("suspect", caption, columns, rows, source=file), has_hint=True)


def _section(page: Page, table: Table, *, has_hint: bool = False) -> None:
    """Show a table under the heading of its name, or that there is nothing to show."""
    title = heading(page.text(f"health.{table.name}"))
    if not table.rows:
        show(join(title, hint(page.text(f"health.{table.name}_none"))))
        return
    words = hint(page.text(f"health.{table.name}_hint")) if has_hint else None
    show(join(title, words, table_html(page, table)))


def _thin(page: Page) -> None:
    """The cells that rest on little, thinnest first."""
    found = [row for row in scores.area_scores(page.snapshot, page.period) if _is_thin(row)]
    found.sort(key=lambda row: (row.coverage is not None, row.coverage or 0.0, row.team_id))
    teams, areas = teams_by_id(page), areas_by_id(page)
    items = [
        join(
            page.link(
                TEAM.at(team=row.team_id), f"{page.say(teams[row.team_id].name)}: {page.say(areas[row.area_id].name)}"
            ),
            " ",
            _thinness(page, row),
        )
        for row in found[:SHOWN_THIN]
    ]
    body = points(items, "plain columns") if items else hint(page.text("health.thin_none"))
    more = hint(page.text("health.thin_more", count=len(found) - SHOWN_THIN)) if len(found) > SHOWN_THIN else None
    show(join(heading(page.text("health.thin"), page.text("health.thin_note")), body, more))


def _is_thin(row: AreaScore) -> bool:
    return row.status in {"provisional", "too_little_data"} or (row.coverage is not None and row.coverage < THIN)


def _thinness(page: Page, row: AreaScore) -> str:
    coverage = f"{page.text('word.coverage').lower()} {fmt.percent(page.language, row.coverage)}"
    return coverage if row.status == "ok" else f"{coverage}, {page.text(f'status.{row.status}').lower()}"

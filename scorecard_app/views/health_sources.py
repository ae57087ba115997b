"""The data streams one by one: whether each delivers as it should, and which teams it says nothing about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports.addresses import TEAM
from opsmetrics.reports.table import Cell, Column, Source, Table, Tag
from opsmetrics.snapshots.queries import quality
from opsmetrics.snapshots.queries.quality import SourceHealth
from scorecard_app.files import offer_table
from scorecard_app.later import later
from scorecard_app.markup import Node, hint
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import runs
from scorecard_app.table_html import table_html
from scorecard_app.views.parts import PLAIN, source, teams_by_id

SHOWN_NAMES = 5
STATES = {
    "fresh": Tag("good", "✓"),
    "gaps": Tag("warn", "!"),
    "late": Tag("warn", "!"),
    "failed": Tag("bad", "✕"),
    "ended": PLAIN,
}
_RHYTHMS = ((28 * 24, "month"), (7 * 24, "week"), (24, "day"), (0, "hour"))


def sources_section(page: Page, sources: Sequence[SourceHealth]) -> None:
    """Show every data stream, worst first, on demand: the systems above say what matters."""
    ended = sum(row.state == "ended" for row in sources)
    key = "health.streams_show_ended" if ended else "health.streams_show"
    words = page.text(key, count=len(sources) - ended, ended=ended)
    file = source("sources")
    offer_table(page, file)

    def body() -> Node:
        return (table_html(page, _table(page, sources, file)), hint(page.text("health.runs_legend")))

    show(later(page, "streams", words, body))


def _table(page: Page, sources: Sequence[SourceHealth], file: Source) -> Table:
    delivered = {(row.stream, row.origin): set(row.days) for row in quality.deliveries(page.snapshot)}
    without = {row.stream: row.teams for row in quality.teams_without(page.snapshot, page.period)}
    last, names = quality.last_day(page.snapshot), _team_names(page)
    rows = tuple(
        (
            *_state_cells(page, row),
            page.cells.number(row.row_count),
            page.cells.number(row.quarantined),
            _runs(page, row, delivered.get((row.stream, row.origin), set()), last),
            _teams(page, without.get(row.stream, []), names),
        )
        for row in sources
    )
    columns = (
        Column(page.text("word.source")),
        Column(page.text("word.status")),
        Column(page.text("health.last_day"), "date"),
        Column(page.text("health.expected")),
        Column(page.text("word.rows"), "number"),
        Column(page.text("health.quarantined"), "number"),
        Column(page.text("health.last_runs")),
        Column(page.text("health.teams_without")),
    )
    return Table("sources", page.text("health.sources_caption"), columns, rows, source=file)


def _team_names(page: Page) -> dict[str, str]:
    return {team_id: page.say(team.name) for team_id, team in teams_by_id(page).items()}


def _state_cells(page: Page, row: SourceHealth) -> tuple[Cell, ...]:
    """Name, state, last day and how often it should deliver."""
    language, zone = page.language, page.organisation.timezone
    day = fmt.long_date(language, row.last_day) if row.last_day else fmt.MISSING
    return (
        Cell(page.text(f"stream.{row.stream}"), detail=row.origin),
        Cell(page.text(f"health.{row.state}"), detail=row.error or "", tag=STATES[row.state]),
        Cell(day, row.last_day, detail=fmt.instant(language, row.attempted_at, zone)),
        Cell(page.text("health.register") if row.is_register else _every(page, row.expected_hours)),
    )


def _every(page: Page, hours: int) -> str:
    """Say how often a source should deliver, in the longest unit that fits."""
    unit = next(name for least, name in _RHYTHMS if hours >= least)
    return page.text(f"health.every_{unit}")


def _runs(page: Page, row: SourceHealth, days: Collection[date], last: date) -> Cell:
    """The last days, one bar each; a register stands for every day."""
    if row.is_register:
        return Cell(page.text("health.register_bars"))
    words = page.text("health.runs", count=len(days), all=quality.SHOWN_RUNS)
    return Cell(words, drawing=runs(days, last, quality.SHOWN_RUNS, words))


def _teams(page: Page, missing: Sequence[str], names: Mapping[str, str]) -> Cell:
    if not missing:
        return Cell(page.text("health.none"))
    said = [names[team_id] for team_id in missing]
    links = [page.link(TEAM.at(team=team_id), names[team_id]) for team_id in missing[: SHOWN_NAMES + 1]]
    drawing = page.listed(links, said, SHOWN_NAMES)
    return Cell(listed(page.language, said, SHOWN_NAMES), drawing=drawing)

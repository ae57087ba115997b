"""The slides of a brief: about ten, one message each, a sentence as the title; the notes say where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.brief import asks, charts, parts
from opsmetrics.reports.brief.document import Chart, Columns, Figures, Paragraph, Slide
from opsmetrics.reports.brief.material import Material
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Table
from opsmetrics.reports.weakest import weakest
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import scores, summary

SHOWN_TEAMS, SHOWN_ASKS = 14, 5
"""Rows that a slide holds in type that the last row of a room can read."""


def slides(found: Material, figures: Figures, moved: Columns, title: str) -> tuple[Slide, ...]:
    """Return the slides; what there are no numbers for has none."""
    words = found.words
    pictures = [
        charts.median(words),
        charts.met(words),
        charts.shared(words),
        charts.majors(words),
        charts.down(words),
        charts.standings(words, found.goals),
    ]
    median, met, shared, majors, down, standings = ([_picture(words, chart)] if chart else [] for chart in pictures)
    return (
        _first(words, figures, title),
        *median,
        *met,
        *_matrix(found),
        *_moved(found, moved),
        *shared,
        *majors,
        *down,
        *_asks(found),
        *standings,
    )


def _notes(words: Words, *selects: str) -> str:
    """What a slide says of itself: snapshot, period, and selects that give its numbers."""
    found = words.board
    build = words.text("app.snapshot", id=found.snapshot.build_id[:12])
    return "\n\n".join((words.text("brief.notes", snapshot=build, period=found.period.label), *selects))


def _picture(words: Words, chart: Chart) -> Slide:
    return Slide(chart.title, (chart,), _notes(words, chart.sql))


def _first(words: Words, figures: Figures, title: str) -> Slide:
    lead = Paragraph(board.lead(words.board, words.language, with_year=False), is_lead=True)
    named = words.board.period.instant(level=MET_LEVEL, count=charts.SHOWN_MONTHS)
    return Slide(title, (lead, figures), _notes(words, summary.written(scores.MONTHS, named)))


def _matrix(found: Material) -> list[Slide]:
    """Teams against areas; of many teams those with the lowest scores, and the note says so."""
    words, medians = found.words, found.words.board.medians()
    if not medians:
        return []
    whole = parts.matrix(words)
    columns = range(len(words.areas) + 2)
    count = len(words.board.teams)
    teams, median = whole.rows[:count], whole.rows[count:]
    place = columns[-1]
    if len(teams) > SHOWN_TEAMS:
        teams = sorted(teams, key=lambda row: (row[place].value is None, row[place].value or 0))[:SHOWN_TEAMS]
    lowest = fmt.score(words.language, min(medians.values()))
    # The only one that is known is not the weakest: of the others nobody knows.
    key = "brief.slide_matrix" if len(medians) > 1 else "brief.slide_matrix_one"
    title = words.text(key, score=lowest, **weakest(words.language, medians, words.areas))
    table = replace(
        whole,
        columns=tuple(whole.columns[index] for index in columns),
        rows=tuple(tuple(row[index] for index in columns) for row in (*teams, *median)),
        note="",
        legend=(),
    )
    more = count - len(teams)
    said = [words.text("brief.slide_bands"), *([words.text("brief.slide_more_teams", count=more)] if more else [])]
    return [Slide(title, (table, Paragraph(" ".join(said))), _notes(words, _selected(words, summary.SCORES)))]


def _selected(words: Words, sql: str) -> str:
    return summary.written(sql, words.board.period.instant(on=words.board.period.on))


def _moved(found: Material, moved: Columns) -> list[Slide]:
    if not found.changes:
        return []
    words, row = found.words, next(iter(found.changes.values()))
    title = words.text(
        "brief.slide_moved",
        team=fmt.unmarked(words.teams[row.team_id]),
        before=fmt.score_in_tenths(words.language, row.score_before),
        after=fmt.score_in_tenths(words.language, row.score_after),
    )
    # How many others there are stands on paper, beside the annex that has them.
    titles = (words.text("brief.moved_most"), words.text("overview.better"), words.text("overview.worse"))
    lists = tuple(replace(points, title=title) for points, title in zip(moved.lists, titles, strict=True))
    return [Slide(title, (Columns(lists),), _notes(words, _selected(words, summary.CHANGES)))]


def _asks(found: Material) -> list[Slide]:
    words, shown = found.words, found.asks[:SHOWN_ASKS]
    if not shown:
        return []
    table = _without_details(asks.table(words, shown))
    said = asks.together(words, shown)
    key = "brief.slide_asks" if len(shown) < len(found.asks) else "brief.slide_asks_all"
    title = words.text(key, count=len(shown), all=len(found.asks))
    selects = (_selected(words, sql) for sql in (summary.GOALS, summary.GAPS))
    return [Slide(title, (table, *([Paragraph(said)] if said else [])), _notes(words, *selects))]


def _without_details(table: Table) -> Table:
    """What is asked, who and by when: details stand on paper."""
    kept: Sequence[int] = [place for place in range(len(table.columns)) if place != asks.DECIDE]
    rows = tuple(tuple(replace(row[place], detail="") for place in kept) for row in table.rows)
    return replace(table, columns=tuple(table.columns[place] for place in kept), rows=rows)

"""The slides of a brief: about ten, one message each, a sentence as the title; the notes say where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.brief import asks, charts, parts
from opsmetrics.reports.brief.document import Chart, Columns, Figures, Paragraph, Slide
from opsmetrics.reports.brief.material import Material
from opsmetrics.reports.brief.room import rows_that_fit
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Table
from opsmetrics.reports.weakest import weakest
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import scores, summary
from opsmetrics.snapshots.queries.movement import Change

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
    place, said = columns[-1], [words.text("brief.slide_bands")]
    table = replace(
        whole,
        columns=tuple(whole.columns[index] for index in columns),
        rows=tuple(tuple(row[index] for index in columns) for row in (*teams, *median)),
        note="",
        legend=(),
    )
    if (fitting := rows_that_fit(table, SHOWN_TEAMS, len(median))) < count:
        ranked = sorted(table.rows[:count], key=lambda row: (row[place].value is None, row[place].value or 0))
        fitting = rows_that_fit(replace(table, rows=(*ranked, *table.rows[count:])), SHOWN_TEAMS, len(median))
        table, others = replace(table, rows=(*ranked[:fitting], *table.rows[count:])), ranked[fitting:]
        unscored = sum(row[place].value is None for row in others)
        said.append(words.text("brief.slide_more_teams", count=len(others), unscored=unscored))
    lowest = fmt.score(words.language, min(medians.values()))
    # The only one that is known is not the weakest: of the others nobody knows.
    key = "brief.slide_matrix" if count > 1 else "brief.slide_matrix_alone"
    key = key if len(medians) > 1 else "brief.slide_matrix_one"
    title = words.text(key, score=lowest, **weakest(words.language, medians, words.areas))
    return [Slide(title, (table, Paragraph(" ".join(said))), _notes(words, _selected(words, summary.SCORES)))]


def _selected(words: Words, sql: str) -> str:
    return summary.written(sql, words.board.period.instant(on=words.board.period.on))


def _moved(found: Material, moved: Columns) -> list[Slide]:
    if not found.changes:
        return []
    words = found.words
    title = _who_moved(words, list(found.changes.values()))
    # How many others there are stands on paper, beside the annex that has them.
    titles = (words.text("brief.moved_most"), words.text("overview.better"), words.text("overview.worse"))
    lists = tuple(replace(points, title=title) for points, title in zip(moved.lists, titles, strict=True))
    return [Slide(title, (Columns(lists),), _notes(words, _selected(words, summary.CHANGES)))]


def _who_moved(words: Words, rows: Sequence[Change]) -> str:
    """Say which team moved most; of several of one number how many they are, and where none moved that is said."""
    first = max(rows, key=lambda row: abs(row.points))
    most = abs(first.points)
    if not most:
        return words.text("brief.slide_unmoved", since=board.since(words.board, words.language))
    tied = sum(abs(row.points) == most for row in rows)
    return words.text(
        "brief.slide_moved_one" if len(rows) == 1 else "brief.slide_moved_tied" if tied > 1 else "brief.slide_moved",
        team=fmt.unmarked(words.teams[first.team_id]),
        count=tied,
        points=fmt.number(words.language, most, 1),
        before=fmt.score_in_tenths(words.language, first.score_before),
        after=fmt.score_in_tenths(words.language, first.score_after),
    )


def _asks(found: Material) -> list[Slide]:
    words = found.words
    if not found.asks:
        return []
    shown = found.asks[: rows_that_fit(_without_details(asks.table(words, found.asks)), SHOWN_ASKS)]
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

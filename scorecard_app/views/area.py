"""How do the teams spread in one area, is the organisation moving, which metric holds us back, who could help whom?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import AREA, GAPS, METRIC, TEAM
from opsmetrics.reports.table import Cell, Column, Source, Table
from opsmetrics.reports.together import LEAST_GAIN
from opsmetrics.scoring.points import KRAV_POINTS, MET_LEVEL
from opsmetrics.snapshots.queries import areas as area_queries
from opsmetrics.snapshots.queries import gaps, scores
from opsmetrics.snapshots.queries.areas import AreaMetric, AreaSpread
from opsmetrics.snapshots.queries.scores import AreaScore
from scorecard_app import charts
from scorecard_app.choices import choose, choose_period, selected_id
from scorecard_app.files import Figure, offer_figure
from scorecard_app.later import later_table
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import heading, hint, join, lead, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import bullet
from scorecard_app.table_html import table_html
from scorecard_app.tracks import Line, Mark, track
from scorecard_app.views.index_parts import met_cell
from scorecard_app.views.parts import areas_by_id, cut, gaps_table, no_gaps, source, teams_by_id
from scorecard_app.views.sides import MOST_ROWS

SHOWN_GAPS = 6
_WHOLE = 100.0  # the most that a score can be
_TICKS = range(0, 101, 20)
Scored = tuple[AreaScore, float]
"""A team's row, and its score, which is there."""


@view(AREA)
def render(page: Page) -> None:
    """Show one area across the teams."""
    areas = areas_by_id(page)
    area_id = selected_id("area", areas)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        head(page, page.say(areas[area_id].name), page.text(f"area.question_{area_id}"))
    with right:
        names = {key: page.say(row.name) for key, row in areas.items()}
        choose(page.text("area.choose"), "area", list(areas), names, area_id)
        choose_period(page)
    cells = scores.area_scores(page.snapshot, page.period, area_id=area_id)
    known = ((row, row.score) for row in cells if row.score is not None)
    scored = sorted(known, key=lambda pair: (-pair[1], pair[0].team_id))
    metrics = list(area_queries.area_metrics(page.snapshot, page.period, area_id))
    _lead(page, scored, metrics)
    left, right = st.columns([3, 2])
    with left:
        _spread(page, area_id, scored)
    with right:
        _trend(page, area_id)
    _metrics(page, area_id, metrics)
    _gaps(page, area_id)


def _lead(page: Page, scored: Sequence[Scored], metrics: Sequence[AreaMetric]) -> None:
    """The median, how many of the teams with a score meet the requirement, and where most is to be gained."""
    if not scored:
        show(lead(page.text("area.lead_none")))
        return
    words = page.text(
        "area.lead_only" if len(scored) == 1 else "area.lead",
        median=fmt.score(page.language, statistics.median(score for _, score in scored)),
        met=sum(_is_met(row) for row, _ in scored),
        teams=len(scored),
    )
    first = next(iter(metrics), None)
    if first is not None and (first.gain or 0.0) >= LEAST_GAIN:
        words += " " + page.text("area.lead_gain", metric=fmt.unmarked(page.say(first.title)))
    show(lead(words))


def _is_met(row: AreaScore) -> bool:
    """Whether the level meets the requirement; a score of 60 and more does not, while something holds it down."""
    return row.level is not None and row.level >= MET_LEVEL


def _spread(page: Page, area_id: str, found: Sequence[Scored]) -> None:
    """Show a row for each team: its score on a line against the requirement, and that of a year before."""
    title = join(
        heading(page.text("area.spread"), cut(page, MOST_ROWS, len(found))), hint(page.text("area.spread_hint"))
    )
    if not found:
        show(join(title, hint(page.text("area.lead_none"))))
        return
    before = {row.team_id: row.score for row in area_queries.area_before(page.snapshot, page.period, area_id)}
    # The number alone: what it is stands above it, and words would lie on its neighbours.
    lines = [Line(tick / _WHOLE, str(tick), "krav" if tick == KRAV_POINTS else "tick") for tick in _TICKS]
    teams, cells = teams_by_id(page), page.cells
    rows = tuple(
        (
            Cell(page.say(teams[row.team_id].name), address=TEAM.at(team=row.team_id)),
            _place(page, row, score, before.get(row.team_id), lines),
            cells.score(score, is_strong=True),
            cells.score(before.get(row.team_id)),
            cells.percent(row.coverage),
        )
        for row, score in found[:MOST_ROWS]
    )
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("index.bar", krav=f"{KRAV_POINTS:.0f}")),
        Column(page.now, "number"),
        Column(page.text("area.year_ago"), "number"),
        Column(page.text("word.coverage"), "percent"),
    )
    table = Table("spread", page.text("area.spread"), columns, rows, source=source("area-scores", area=area_id))
    show(join(title, table_html(page, table, kind="dots spread")))


def _place(page: Page, row: AreaScore, score: float, before: float | None, lines: Sequence[Line]) -> Cell:
    """A team's score on the line, with the year before where it is known; its shape says whether it meets."""
    now, then = fmt.scores(page.language, score, before)
    is_met = _is_met(row)
    said = page.text("area.place_met" if is_met else "area.place_below", score=now)
    words = said if before is None else f"{said} {page.text('area.place_before', score=then)}"
    marks, spans = [Mark(score / _WHOLE, "good" if is_met else "bad", said)], []
    if before is not None:
        marks.insert(0, Mark(before / _WHOLE, "hollow", page.text("area.place_before", score=then)))
        spans.append((min(score, before) / _WHOLE, max(score, before) / _WHOLE))
    return track(marks, lines, words, spans=spans)


def _figure_name(page: Page, area_id: str, key: str) -> str:
    """What stands below a figure as a file: there it is alone, so it names its area."""
    return f"{page.say(areas_by_id(page)[area_id].name)} · {page.text(key)}"


def _trend(page: Page, area_id: str) -> None:
    show(join(heading(page.text("area.trend")), hint(page.text("area.trend_hint"))))
    rows = list(area_queries.area_spread(page.snapshot, page.period, area_id))
    if len(rows) < 2:
        show(hint(page.text("area.trend_none")))
        return
    krav, median = page.text("word.krav").lower(), page.text("word.median").lower()
    first, last = fmt.scores(page.language, rows[0].median, rows[-1].median)
    st.plotly_chart(
        charts.area_trend(page.language, rows, KRAV_POINTS, krav, median),
        config=charts.CONFIG,
        theme=None,
        key="area-trend",
        alt=page.text("area.trend_alt", first=first, last=last),
    )
    offer_figure(page, Figure("area-trend", f"trend-{area_id}", _figure_name(page, area_id, "area.trend")))
    file = source("area-months", area=area_id)
    show(later_table(page, "trend", page.text("app.show_table"), lambda: _trend_table(page, rows, file), file))


def _trend_table(page: Page, spread: Sequence[AreaSpread], file: Source) -> Table:
    cells = page.cells
    rows = tuple(
        (
            Cell(fmt.month(page.language, row.on), row.on),
            cells.score(row.low),
            cells.score(row.median),
            cells.score(row.high),
            cells.number(row.teams),
        )
        for row in reversed(spread)
    )
    columns = (
        Column(page.text("word.month"), "date"),
        Column(page.text("area.low"), "number"),
        Column(page.text("word.median"), "number"),
        Column(page.text("area.high"), "number"),
        Column(page.text("area.teams"), "number"),
    )
    return Table("trend", page.text("area.trend"), columns, rows, source=file)


def _metrics(page: Page, area_id: str, metrics: Sequence[AreaMetric]) -> None:
    cells = page.cells
    rows = tuple(
        (
            Cell(page.say(row.title), detail=page.say(row.why), address=METRIC.at(metric=row.metric_id)),
            Cell(drawing=bullet(row.points)),
            *cells.points(row.points),
            met_cell(page, row.met, row.measured),
            cells.number(row.gain, 1),
        )
        for row in metrics
    )
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("area.points_bar")),
        Column(page.text("area.median_points"), "number"),
        Column(page.text("area.met"), "number"),
        Column(page.text("gaps.gain_of_all"), "number"),
    )
    file = source("area-metrics", area=area_id)
    table = Table("metrics", page.text("area.metrics_caption"), columns, rows, source=file)
    title = heading(page.text("area.metrics"), page.text("area.metrics_note"))
    show(join(title, table_html(page, table, kind="metrics")))


def _gaps(page: Page, area_id: str) -> None:
    found = gaps.gaps(page.snapshot, page.period, area_id=area_id)
    if not found:
        # Points to gain are those of a total score: without one nobody has worked them out.
        is_scored = any(row.score is not None for row in scores.team_scores(page.snapshot, page.period))
        show(join(heading(page.text("area.gaps")), no_gaps(page, is_scored=is_scored)))
        return
    note = page.text("team.gaps_note", shown=min(SHOWN_GAPS, len(found)), all=len(found))
    more = page.link(GAPS.at(area=area_id), page.text("team.all_gaps", count=len(found)))
    table = gaps_table(page, found[:SHOWN_GAPS], below="team", area=area_id)
    shown = table_html(page, table, kind="gaps")
    show(join(heading(page.text("area.gaps"), note), shown, paragraph(more)))

"""What changed since last month, and why: the score's change taken apart, and what left its natural variation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import CHANGES, METRIC, TEAM
from opsmetrics.reports.board import Item
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.scoring.change import PARTS
from opsmetrics.snapshots.queries import movement
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.movement import Change, Signal
from scorecard_app import charts
from scorecard_app.choices import choose, choose_period
from scorecard_app.files import figure_files
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import folded, heading, hint, join, lead, pairs
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import folded_table, table_html, table_with_files
from scorecard_app.views import why_changed
from scorecard_app.views.parts import changes_table, source, teams_by_id

EVERY = ""
SHOWN_TEAMS = 40
SHOWN_SIGNALS = 40
SHOWN_MOVES = 40


@view(CHANGES)
def render(page: Page) -> None:
    """Show the change of all teams, or of one."""
    teams = teams_by_id(page)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    with left:
        head(page, page.text("changes.title"))
    with right:
        names = {EVERY: page.text("word.all_teams"), **{key: page.say(row.name) for key, row in teams.items()}}
        wanted = st.query_params.get("team", EVERY)
        team_id = choose(page.text("team.choose"), "team", list(names), names, wanted)
        choose_period(page)
    found = movement.all_changes(page.snapshot, page.period)
    mine = [row for row in found if team_id in {EVERY, row.team_id}]
    if not mine:
        show(lead(page.text("changes.none")))
        return
    _waterfall(page, mine, names[team_id])
    _moves(page, team_id)
    if team_id == EVERY:
        title = heading(page.text("changes.teams"), page.text("changes.teams_note"))
        show(join(title, table_with_files(page, changes_table(page, mine[:SHOWN_TEAMS], first="team"))))
    else:
        why_changed.change(page, team_id)
        why_changed.restated(page, team_id)
    _signals(page, teams, team_id)


def _waterfall(page: Page, rows: Sequence[Change], name: str) -> None:
    """The mean change of the rows, part by part; one row is that team's own."""
    count = len(rows)
    before, after = sum(row.score_before for row in rows) / count, sum(row.score_after for row in rows) / count
    parts = [(page.text(f"explain.part_{part}"), sum(row.part(part) for row in rows) / count) for part in PARTS]
    words = _lead(page, rows[0], name, before, after, parts)
    show(join(lead(words), heading(page.text("changes.waterfall"), page.text("changes.waterfall_note"))))
    st.plotly_chart(
        charts.waterfall(page.language, page.text("explain.before"), before, parts, page.text("explain.after"), after),
        config=charts.CONFIG,
        theme=None,
        key="waterfall",
        alt=words.replace("*", ""),
    )
    meaning = pairs((page.text(f"explain.part_{part}"), page.text(f"changes.means_{part}")) for part in PARTS)
    show(
        join(
            figure_files(page, "waterfall", f"{name} · {page.text('changes.waterfall')}"),
            folded_table(page, page.text("app.show_table"), _waterfall_table(page, before, after, parts)),
            folded(page.text("changes.meaning"), meaning),
        )
    )


def _lead(page: Page, first: Change, name: str, before: float, after: float, parts: Sequence[tuple[str, float]]) -> str:
    part, points = max(parts, key=lambda part: abs(part[1]))
    return page.text(
        "changes.lead" if round(abs(after - before), 1) else "changes.lead_still",
        name=name,
        before=fmt.number(page.language, before, 1),
        after=fmt.number(page.language, after, 1),
        part=part.lower(),
        points=fmt.signed(page.language, points),
        since=fmt.long_date(page.language, first.from_as_of.date()),
    )


def _waterfall_table(page: Page, before: float, after: float, parts: Sequence[tuple[str, float]]) -> Table:
    cells = page.cells
    rows = (
        (Cell(page.text("explain.before")), cells.number(before, 1)),
        *((Cell(label), cells.signed(value)) for label, value in parts),
        (Cell(page.text("explain.after")), cells.number(after, 1)),
    )
    columns = (Column(page.text("changes.part")), Column(page.text("word.points"), "number"))
    return Table("waterfall", page.text("changes.waterfall"), columns, rows)


def _moves(page: Page, team_id: str) -> None:
    """What is better and weaker than at the last month end, with cause, and what speaks against it."""
    found = board.read_board(page.snapshot, page.period)
    moves, since = board.find_moves(found), board.since(found, page.language)
    rows = sorted(
        (row for row in (*moves.worse, *moves.better, *moves.withheld) if team_id in {EVERY, row.team_id}),
        key=lambda row: (-abs(row.change or 0), row.team_id, row.area_id),
    )[:SHOWN_MOVES]
    points = fmt.number(page.language, board.MATERIAL_POINTS)
    title = heading(page.text("changes.moves", since=since), page.text("changes.moves_note", points=points))
    if not rows:
        show(join(title, hint(page.text("changes.moves_none"))))
        return
    items = board.say_moves(found, page.language, rows)
    year = board.a_year_ago(found, page.language)
    columns = (
        Column(page.text("changes.what"), "link"),
        Column(page.text("explain.before"), "number"),
        Column(page.text("word.now"), "number"),
        Column(page.text("changes.points"), "number"),
        *([Column(page.text("changes.year", year=year), "number")] if year else []),
        Column(page.text("changes.why")),
    )
    table = Table(
        "moves",
        page.text("changes.moves_caption", since=since),
        columns,
        tuple(_move_row(page, row, item, has_year=bool(year)) for row, item in zip(rows, items, strict=True)),
    )
    show(join(title, table_html(page, table)))


def _move_row(page: Page, row: ScoreMove, item: Item, *, has_year: bool) -> tuple[Cell, ...]:
    cells = page.cells
    return (
        Cell(item.title, address=item.address),
        cells.score(row.score_before),
        cells.score(row.score, is_strong=True),
        cells.signed(row.change),
        *([cells.signed(row.year_change)] if has_year else []),
        Cell(item.detail.split(". ", 1)[-1]),
    )


def _signals(page: Page, teams: Mapping[str, Team], team_id: str) -> None:
    signals = [row for row in movement.signals(page.snapshot, page.period) if team_id in {EVERY, row.team_id}]
    rows = tuple(_signal_row(page, row, teams[row.team_id]) for row in signals[:SHOWN_SIGNALS])
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("word.team"), "link"),
        Column(page.text("word.change")),
        Column(page.text("explain.before"), "number"),
        Column(page.text("changes.period_value"), "number"),
        Column(page.text("word.now"), "number"),
        Column(page.text("metric.mean"), "number"),
        Column(page.text("metric.signal")),
    )
    table = Table("signals", page.text("changes.signals_caption"), columns, rows, source=source("signals"))
    shown = table_with_files(page, table) if rows else hint(page.text("changes.signals_none"))
    show(join(heading(page.text("changes.signals"), page.text("changes.signals_note")), shown))


def _signal_row(page: Page, row: Signal, team: Team) -> tuple[Cell, ...]:
    up, down = Tag("good", "▲"), Tag("warn", "▼")
    return (
        Cell(page.say(row.title), address=METRIC.at(team=row.team_id, metric=row.metric_id)),
        Cell(page.say(team.name), address=TEAM.at(team=row.team_id)),
        Cell(page.text("changes.up" if row.is_better else "changes.down"), tag=up if row.is_better else down),
        *(page.cells.measure(row.unit, value) for value in (row.value_before, row.value, row.value_now, row.centre)),
        Cell(page.text(f"metric.signal_{row.signal}")),
    )

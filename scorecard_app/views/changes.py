"""What changed since last month, and why: the score's change taken apart, and what left its natural variation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import CHANGES, METRIC, TEAM
from opsmetrics.reports.board import Item
from opsmetrics.reports.parts_of_change import shown_change
from opsmetrics.reports.table import Cell, Column, Table, Tag
from opsmetrics.scoring.change import PARTS
from opsmetrics.snapshots.queries import movement
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.movement import Change, Signal
from scorecard_app.change_bars import change_table
from scorecard_app.choices import choose, choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import folded, heading, hint, join, lead, pairs
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.views import why_changed
from scorecard_app.views.parts import changes_table, cut, source, teams_by_id
from scorecard_app.views.sides import MOST_ROWS, side_links, side_of

EVERY = ""


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
        # A period to compare with there may be, and yet no score in it or now.
        is_alone = board.read_board(page.snapshot, page.period).against.before is None
        show(lead(page.text("changes.none" if is_alone else "overview.moved_unknown")))
        return
    # The overview tells the median: what is a mean says so.
    _summary(page, mine, page.text("changes.mean") if team_id == EVERY else names[team_id])
    _moves(page, team_id)
    if team_id == EVERY:
        _parts(page, mine)
        title = heading(
            page.text("changes.teams"), _note(page.text("changes.teams_note"), cut(page, MOST_ROWS, len(mine)))
        )
        show(join(title, table_html(page, changes_table(page, mine[:MOST_ROWS], first="team"))))
    else:
        why_changed.change(page, team_id)
        why_changed.restated(page, team_id)
    _signals(page, teams, team_id)


def _summary(page: Page, rows: Sequence[Change], name: str) -> None:
    """The mean change of the rows in a sentence; one row is that team's own."""
    shown = shown_change(rows)
    if not shown.parts:
        show(lead(page.text("explain.change_none", before=fmt.score_in_tenths(page.language, shown.before))))
        return
    part, points = max(shown.parts, key=lambda part: abs(part[1]))
    # Of a fall that a rise makes smaller, and of three parts alike, the largest is not most of it.
    is_most = points * shown.total > 0 and abs(points) >= abs(shown.total) / 2
    words = page.text(
        "changes.lead" if is_most else "changes.lead_mixed" if shown.total else "changes.lead_still",
        name=fmt.unmarked(name),
        before=fmt.score_in_tenths(page.language, shown.before),
        after=fmt.score_in_tenths(page.language, shown.after),
        part=page.text(f"explain.part_{part}").lower(),
        points=fmt.signed(page.language, points),
        since=fmt.long_date(page.language, rows[0].from_on),
    )
    show(lead(words))


def _parts(page: Page, rows: Sequence[Change]) -> None:
    """What the mean change is made of: bars on one axis from zero, which add up."""
    table = change_table(page, shown_change(rows), page.text("changes.waterfall"))
    title = heading(page.text("changes.waterfall"), page.text("changes.waterfall_note"))
    meaning = pairs((page.text(f"explain.part_{part}"), page.text(f"changes.means_{part}")) for part in PARTS)
    show(join(title, table_html(page, table, kind="parts"), folded(page.text("changes.meaning"), meaning)))


def _moves(page: Page, team_id: str) -> None:
    """What is better and weaker than at the last month end, with cause, and what speaks against it."""
    found = board.read_board(page.snapshot, page.period)
    moves, since = board.find_moves(found), board.since(found, page.language)
    mine = sorted(
        (row for row in (*moves.worse, *moves.better, *moves.withheld) if team_id in {EVERY, row.team_id}),
        key=lambda row: (-abs(row.change or 0), row.team_id, row.area_id),
    )
    side = side_of(page, len(mine), MOST_ROWS)
    rows = mine[side.start : side.stop]
    note = page.text("changes.moves_note", points=fmt.number(page.language, board.MATERIAL_POINTS))
    title = heading(page.text("changes.moves", since=since), note)
    if not rows:
        is_known = found.before is not None and found.found()
        show(join(title, hint(page.text("changes.moves_none" if is_known else "overview.moved_unknown"))))
        return
    items = board.say_moves(found, page.language, rows)
    year = board.a_year_ago(found, page.language)
    columns = (
        Column(page.text("changes.what"), "link"),
        Column(page.text("explain.before"), "number"),
        Column(page.now, "number"),
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
    show(join(title, table_html(page, table), side_links(page, side)))


def _move_row(page: Page, row: ScoreMove, item: Item, *, has_year: bool) -> tuple[Cell, ...]:
    cells = page.cells
    return (
        Cell(item.title, detail=_levels(page, row), address=item.address),
        cells.score_in_tenths(row.score_before),
        cells.score_in_tenths(row.score, is_strong=True),
        cells.signed(row.change),
        *([cells.signed(row.year_change)] if has_year else []),
        Cell(item.detail.split(". ", 1)[-1]),
    )


def _levels(page: Page, row: ScoreMove) -> str:
    """From which level to which, where it is another."""
    if not row.levels:
        return ""
    return " → ".join(page.text(f"level.{level}") for level in (row.level_before, row.level))


def _signals(page: Page, teams: Mapping[str, Team], team_id: str) -> None:
    signals = [row for row in movement.signals(page.snapshot, page.period) if team_id in {EVERY, row.team_id}]
    rows = tuple(_signal_row(page, row, teams[row.team_id]) for row in signals[:MOST_ROWS])
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("word.team"), "link"),
        Column(page.text("word.change")),
        Column(page.text("explain.before"), "number"),
        Column(page.text("changes.period_value"), "number"),
        Column(page.now, "number"),
        Column(page.text("metric.centre"), "number"),
        Column(page.text("metric.signal")),
    )
    table = Table("signals", page.text("changes.signals_caption"), columns, rows, source=source("signals"))
    shown = table_html(page, table) if rows else hint(page.text("changes.signals_none"))
    note = _note(page.text("changes.signals_note"), cut(page, MOST_ROWS, len(signals)))
    show(join(heading(page.text("changes.signals"), note), shown))


def _note(*sentences: str) -> str:
    return ". ".join(filter(None, sentences))


def _signal_row(page: Page, row: Signal, team: Team) -> tuple[Cell, ...]:
    up, down = Tag("good", "▲"), Tag("warn", "▼")
    return (
        Cell(page.say(row.title), address=METRIC.at(team=row.team_id, metric=row.metric_id)),
        Cell(page.say(team.name), address=TEAM.at(team=row.team_id)),
        Cell(page.text("changes.up" if row.is_better else "changes.down"), tag=up if row.is_better else down),
        *page.cells.measures(row.unit, row.value_before, row.value, row.value_now, row.centre),
        Cell(page.text(f"metric.signal_{row.signal}")),
    )

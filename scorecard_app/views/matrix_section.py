"""Teams against areas, as the overview shows them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import AREA, EXEMPTIONS, HEALTH, TEAM
from opsmetrics.reports.board import Board
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import scores
from opsmetrics.snapshots.queries.catalogue import Area, Team
from opsmetrics.snapshots.queries.comparison import ScoreMove
from scorecard_app.files import offer_table
from scorecard_app.markup import Node, choices, element, heading, hint, join, link, mark, small
from scorecard_app.matrix import legend, tile_html
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.views.matrix_tiles import SHOWN_MONTHS, Matrix, is_withheld, read_matrix, shown_change, tile
from scorecard_app.views.parts import source
from scorecard_app.views.sides import MOST_ROWS, Side, side_links, side_of

TEAM_KINDS = ("product", "platform")
PAPER_ROWS = 18  # of those who have more teams than one list: as many as one sheet of paper holds
SHOWN_SOURCES = 3  # of those whose last known values stand in: the page of data quality has all


def matrix(page: Page, found: Board) -> None:
    """Show teams against areas."""
    order = "lowest" if st.query_params.get("sort") == "lowest" else "group"
    teams = sorted(found.teams, key=lambda team: _total(found, team)) if order == "lowest" else found.teams
    side = side_of(page, len(teams), MOST_ROWS if len(teams) <= MOST_ROWS else PAPER_ROWS)
    shown = teams[side.start : side.stop]
    matrix = read_matrix(page, found, shown)
    table = element(
        "table",
        element("caption", page.text("overview.matrix_caption")),
        element("thead", element("tr", _head(matrix), role="row"), role="rowgroup"),
        element("tbody", _body(matrix, shown, is_grouped=order == "group"), role="rowgroup"),
        role="table",
        class_="matrix",
    )
    offer_table(page, source("area-scores"))
    show(
        join(
            heading(page.text("overview.matrix")),
            _stale_sources(page, found),
            element("div", hint(page.text("overview.matrix_hint")), _choices(page, order, side), class_="row"),
            table,
            legend(page.language, found.edges, _arrows(page, found)),
        )
    )


def _stale_sources(page: Page, found: Board) -> list[Markup]:
    """A source that fails is said once, not in every tile that rests on it."""
    said = board.carried(found, page.language)
    if len(said) > SHOWN_SOURCES + 1:  # a line that says "one more" would be as long as the one it stands for
        said[SHOWN_SOURCES:] = [page.text("brief.carried_more", count=len(said) - SHOWN_SOURCES)]
    return [hint(page.link(HEALTH.at(), words)) for words in said]


def _arrows(page: Page, found: Board) -> str:
    """What an arrow says; nothing where there is nothing to compare with."""
    then = board.since(found, page.language)
    points = fmt.number(page.language, board.MATERIAL_POINTS)
    return page.text("overview.legend_change", since=then, points=points) if then else ""


def _total(found: Board, team: Team) -> tuple[bool, float]:
    """Sorts the lowest score first, and teams without one last."""
    row = found.scores.get(team.team_id)
    score = row.score if row else None
    return (score is None, score if score is not None else 0.0)


def _choices(page: Page, order: str, side: Side) -> Markup:
    """Return the choice of order, and of page where there are more teams than fit."""
    orders = (
        element(
            "li",
            link(
                page.here(sort=None if name == "group" else name, side=None),
                page.text(f"overview.sort_{name}"),
                aria_current="true" if name == order else None,
            ),
        )
        for name in ("group", "lowest")
    )
    return join(choices(page.text("overview.sort"), orders), side_links(page, side))


def _columns(matrix: Matrix) -> list[str]:
    """The columns after the areas: total, changes as far as there is something to compare with, coverage, the year."""
    page, found = matrix.page, matrix.board
    then, year = board.since(found, page.language), board.a_year_ago(found, page.language)
    return [
        page.text("word.total"),
        *([page.text("overview.since", since=then)] if then else []),
        *([page.text("overview.since", since=year)] if year else []),
        page.text("word.coverage"),
        page.text("overview.year"),
    ]


def _head(matrix: Matrix) -> list[Markup]:
    page = matrix.page
    names: list[tuple[Node, str | None]] = [
        (page.text("word.team"), "name"),
        *((page.link(AREA.at(area=area.area_id), page.say(area.name)), None) for area in matrix.board.areas),
        *((name, "plain") for name in _columns(matrix)[:-1]),
        (_columns(matrix)[-1], "line"),
    ]
    return [element("th", name, scope="col", role="columnheader", class_=kind) for name, kind in names]


def _body(matrix: Matrix, shown: Sequence[Team], *, is_grouped: bool) -> Markup:
    """The rows of the teams, by kind of team where nothing else was asked for, and the median."""
    groups = [(kind, [team for team in shown if team.type == kind]) for kind in TEAM_KINDS]
    rows = [
        (_group_row(matrix, kind) if is_grouped else None, (_team_row(matrix, team) for team in members))
        for kind, members in (groups if is_grouped else [("", shown)])
        if members
    ]
    # The median of one team is that team once more.
    return join(rows, _median_row(matrix) if len(matrix.board.teams) > 1 else None)


def _group_row(matrix: Matrix, kind: str) -> Markup:
    width = len(matrix.board.areas) + 1 + len(_columns(matrix))
    name = element("th", matrix.page.text(f"word.{kind}"), role="rowheader", class_="group", colspan=width)
    return element("tr", name, role="row")


def _team_row(matrix: Matrix, team: Team) -> Markup:
    page, own = matrix.page, matrix.board.moves.get((team.team_id, ""))
    asked = page.link(EXEMPTIONS.at(), page.text("overview.mark_signs")) if own and own.signs else None
    signs = small(asked)
    address = TEAM.at(team=team.team_id)
    name = element("th", page.link(address, page.say(team.name)), signs, scope="row", role="rowheader")
    tiles = (_area_cell(page, area, tile_html(page.language, tile(matrix, team, area))) for area in matrix.board.areas)
    return element("tr", name, tiles, _team_cells(matrix, team), role="row")


def _area_cell(page: Page, area: Area, shown: Markup) -> Markup:
    return element("td", shown, role="cell", data_l=page.say(area.short))


def _plain_cells(matrix: Matrix, shown: Sequence[Node]) -> list[Markup]:
    return [
        element("td", node, role="cell", class_="plain", data_l=label)
        for label, node in zip(_columns(matrix), shown, strict=True)
    ]


def _team_cells(matrix: Matrix, team: Team) -> list[Markup]:
    """Total with its level, how it moved, coverage and the year of a team."""
    page, language, score = matrix.page, matrix.page.language, matrix.board.scores.get(team.team_id)
    move, against = matrix.board.moves.get((team.team_id, "")), matrix.board.against
    level = page.text(f"level.{score.level}" if score and score.level is not None else "level.none")
    total = join(
        element("strong", fmt.score(language, score.score if score else None)),
        small(level),
        small(page.text("status.provisional")) if score and score.status == "provisional" else None,
    )
    changes: list[Node] = []
    if against.before is not None:
        changes.append(since_points(page, move))
    if against.year is not None:
        changes.append(fmt.signed(language, move.year_change if move else None))
    history = matrix.history.get(team.team_id, ())
    coverage = fmt.percent(language, score.coverage if score else None)
    return _plain_cells(matrix, [total, *changes, coverage, year_line(page, page.say(team.name), history)])


def since_points(page: Page, move: ScoreMove | None) -> Markup:
    """Points since the last month end, with an arrow where they are worth one and certain."""
    points = fmt.signed(page.language, move.change if move else None)
    change = shown_change(move)
    kind, sign = ("up", "▲") if (change or 0) > 0 else ("down", "▼")
    return join(
        element("span", mark(sign), " ", points, class_=f"since {kind}") if change is not None else points,
        small(page.text("overview.mark_uncertain")) if is_withheld(move) else None,
    )


def year_line(page: Page, name: str, history: Sequence[float | None]) -> Markup:
    """Return the sparkline of a team's or an area's scores at month-ends and now."""
    seen = [value for value in history if value is not None]
    first, last = fmt.scores(page.language, *(seen[place] if seen else None for place in (0, -1)))
    # A line that ends before the others do says so: its last point is no score of now.
    key = "overview.trend_alt_ended" if seen and history[-1] is None else "overview.trend_alt"
    return sparkline(history, page.text(key, team=name, first=first, last=last), slots=SHOWN_MONTHS)


def _median_row(matrix: Matrix) -> Markup:
    page, found, medians = matrix.page, matrix.board, matrix.board.medians()
    name = element("th", page.text("overview.median_row"), scope="row", role="rowheader")
    cells = (_area_cell(page, area, _median(matrix, medians.get(area.area_id))) for area in found.areas)
    total = element("strong", fmt.score(page.language, found.median()))
    changes = [
        fmt.signed(page.language, found.median_change(then))
        for then, period in ((found.before, found.against.before), (found.year, found.against.year))
        if period is not None
    ]
    months = [row.score for row in scores.months(page.snapshot, page.period, MET_LEVEL, SHOWN_MONTHS)]
    line = year_line(page, page.text("overview.median_row"), months)
    plain = _plain_cells(matrix, [total, *changes, fmt.percent(page.language, found.coverage()), line])
    return element("tr", name, cells, plain, role="row", class_="median")


def _median(matrix: Matrix, value: float | None) -> Markup:
    kind = f"cell l{board.band(value, matrix.board.edges)}" if value is not None else "na"
    return element("span", element("span", fmt.score(matrix.page.language, value), class_="figure"), class_=kind)

"""Teams against areas, as the overview and the report show them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import AREA, TEAM
from opsmetrics.reports.board import Board
from opsmetrics.snapshots.queries.catalogue import Area, Team
from scorecard_app.choices import chosen_number
from scorecard_app.files import table_files
from scorecard_app.markup import Node, choices, element, heading, hint, join, link, small
from scorecard_app.matrix import change_mark, legend, tile_html
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.views.matrix_tiles import Matrix, read_matrix, tile
from scorecard_app.views.parts import source

SHOWN_TEAMS = 40  # rows of the matrix at once: more is a wall, and slow
TEAM_KINDS = ("product", "platform")


def matrix(page: Page, found: Board, *, is_paper: bool = False) -> None:
    """Show teams against areas."""
    order = "lowest" if st.query_params.get("sort") == "lowest" and not is_paper else "group"
    teams = sorted(found.teams, key=lambda team: _total(found, team)) if order == "lowest" else found.teams
    count = max(1, -(-len(teams) // SHOWN_TEAMS))
    number = chosen_number("side", count)
    shown = teams if is_paper else teams[(number - 1) * SHOWN_TEAMS : number * SHOWN_TEAMS]
    table = element(
        "table",
        element("caption", page.text("overview.matrix_caption")),
        element("thead", element("tr", _head(page, found), role="row"), role="rowgroup"),
        element("tbody", _body(read_matrix(page, found), shown, is_grouped=order == "group"), role="rowgroup"),
        role="table",
        class_="matrix",
    )
    choice = None if is_paper else _choices(page, order, number, count)
    show(
        join(
            heading(page.text("overview.matrix")),
            element("div", hint(page.text("overview.matrix_hint")), choice, class_="row"),
            table,
            legend(page.language, found.edges),
            table_files(page, source("area-scores")),
        )
    )


def _total(found: Board, team: Team) -> tuple[bool, float]:
    """Sorts the lowest score first, and teams without one last."""
    row = found.scores.get(team.team_id)
    score = row.score if row else None
    return (score is None, score if score is not None else 0.0)


def _choices(page: Page, order: str, number: int, count: int) -> Markup:
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
    found = choices(page.text("overview.sort"), orders)
    if count == 1:
        return found
    pages = (
        element("li", link(page.here(side=str(each)), each, aria_current="page" if each == number else None))
        for each in range(1, count + 1)
    )
    return join(found, choices(page.text("app.sides"), pages))


def _head(page: Page, found: Board) -> list[Markup]:
    keys = ("word.total", "word.coverage", "word.level", "overview.year")
    names: list[Node] = [
        page.text("word.team"),
        *(page.link(AREA.at(area=area.area_id), page.say(area.name)) for area in found.areas),
        *(page.text(key) for key in keys),
    ]
    return [element("th", name, scope="col", role="columnheader") for name in names]


def _body(matrix: Matrix, shown: Sequence[Team], *, is_grouped: bool) -> Markup:
    """The rows of the teams, by kind of team where nothing else was asked for, and the median."""
    groups = [(kind, [team for team in shown if team.type == kind]) for kind in TEAM_KINDS]
    rows = [
        (_group_row(matrix, kind) if is_grouped else None, (_team_row(matrix, team) for team in members))
        for kind, members in (groups if is_grouped else [("", shown)])
        if members
    ]
    return join(rows, _median_row(matrix))


def _group_row(matrix: Matrix, kind: str) -> Markup:
    width = len(matrix.board.areas) + 5
    name = element("th", matrix.page.text(f"word.{kind}"), role="rowheader", class_="group", colspan=width)
    return element("tr", name, role="row")


def _team_row(matrix: Matrix, team: Team) -> Markup:
    page = matrix.page
    name = element("th", page.link(TEAM.at(team=team.team_id), page.say(team.name)), scope="row", role="rowheader")
    tiles = (_area_cell(page, area, tile_html(page.language, tile(matrix, team, area))) for area in matrix.board.areas)
    return element("tr", name, tiles, _team_cells(matrix, team), role="row")


def _area_cell(page: Page, area: Area, shown: Markup) -> Markup:
    return element("td", shown, role="cell", data_l=page.say(area.short))


def _plain_cell(label: str, shown: Node) -> Markup:
    return element("td", shown, role="cell", class_="plain", data_l=label)


def _team_cells(matrix: Matrix, team: Team) -> list[Markup]:
    """Total, coverage, level and the year of a team."""
    page, language, score = matrix.page, matrix.page.language, matrix.board.scores.get(team.team_id)
    figure = join(
        element("strong", fmt.number(language, score.score if score else None)),
        change_mark(language, matrix.moves.get((team.team_id, ""))),
        small(page.text("status.provisional")) if score and score.status == "provisional" else None,
    )
    level = page.text(f"level.{score.level}" if score and score.level is not None else "level.none")
    history = matrix.history.get(team.team_id, ())
    cells = (
        ("word.total", figure),
        ("word.coverage", fmt.percent(language, score.coverage if score else None)),
        ("word.level", level),
        ("overview.year", year_line(page, page.say(team.name), history)),
    )
    return [_plain_cell(page.text(key), shown) for key, shown in cells]


def year_line(page: Page, name: str, history: Sequence[float | None]) -> Markup:
    """Return the sparkline of a team's or an area's monthly scores."""
    seen = [value for value in history if value is not None]
    first, last = (fmt.number(page.language, seen[place] if seen else None) for place in (0, -1))
    return sparkline(history, page.text("overview.trend_alt", team=name, first=first, last=last))


def _median_row(matrix: Matrix) -> Markup:
    page, medians = matrix.page, matrix.board.medians()
    name = element("th", page.text("overview.median_row"), scope="row", role="rowheader")
    cells = (_area_cell(page, area, _median(matrix, medians.get(area.area_id))) for area in matrix.board.areas)
    total = element("strong", fmt.number(page.language, matrix.board.median()))
    empty = [element("td", role="cell")] * 3
    return element("tr", name, cells, _plain_cell(page.text("word.total"), total), empty, role="row", class_="median")


def _median(matrix: Matrix, value: float | None) -> Markup:
    kind = f"cell l{board.band(value, matrix.board.edges)}" if value is not None else "na"
    return element("span", element("span", fmt.number(matrix.page.language, value), class_="figure"), class_=kind)

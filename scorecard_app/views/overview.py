"""How are we doing, what really changed, what must be settled, where are the gaps, can the numbers be trusted?"""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from opsmetrics import fmt
from opsmetrics.reading import board, catalogue, facts, scores
from opsmetrics.reading.board import Board
from scorecard_app.marks import sparkline
from scorecard_app.markup import heading, link, rich, small, strip
from scorecard_app.matrix import Cell, cell_html, change_mark, legend
from scorecard_app.page import Page, by, choose_period, head, show, view
from scorecard_app.views.parts import item_list

SHOWN_ITEMS = 3
SHOWN_TEAMS = 40  # rows of the matrix at once: more is a wall, and slow

Row = dict[str, Any]


@view("overview")
def render(page: Page) -> None:
    """Show the overview."""
    found = board.read_board(page.snapshot, page.period)
    metrics = catalogue.metrics(page.snapshot)
    meta = page.text("overview.meta", teams=len(found.teams), areas=len(found.areas), metrics=metrics.height)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        head(page, page.text("overview.title"), escape(meta))
    with right:
        choose_period(page)
    lead(page, found)
    changed(page, found)
    matrix(page, found)
    _facts(page)


def lead(page: Page, found: Board) -> None:
    """Show the answer in two sentences and four numbers."""
    language = page.language
    months = [
        row for row in scores.months(page.snapshot, board.MET_LEVEL).to_dicts() if row["as_of"] <= page.period["as_of"]
    ][-13:]
    line = sparkline([row["score"] for row in months], page.text("overview.months_alt"))
    teams_line = sparkline([float(row["met"]) for row in months], page.text("overview.met_alt"), span=6)
    history = facts.major_incidents(page.snapshot, page.period)
    majors_line = sparkline([float(count) for count in history], page.text("overview.majors_alt"), span=6)
    majors, usual = board.usual(found, language)
    sources = link(page.url("datakvalitet"), board.delivering(found, language))
    show(
        f'<p class="lead">{rich(board.lead(found, language))}</p>'
        + strip(
            [
                (
                    page.text("overview.strip_median"),
                    fmt.number(language, found.median()),
                    f"{escape(page.text('word.out_of_100'))} {line}",
                ),
                (
                    page.text("overview.strip_met"),
                    str(found.met()),
                    f"{escape(page.text('overview.of', all=len(found.scores)))} {teams_line}",
                ),
                (page.text("overview.strip_majors"), str(majors), f"{escape(usual)} {majors_line}"),
                (page.text("overview.strip_coverage"), fmt.percent(language, found.coverage()), sources),
            ]
        )
    )


def changed(page: Page, found: Board, shown: int = SHOWN_ITEMS) -> None:
    """Show what left its natural variation, for better and for worse, and what must be settled."""
    moves = board.moves(found, page.language)
    columns = (
        ("better", "▲", moves[True]),
        ("worse", "▼", moves[False]),
        ("settle", "?", board.matters(found, page.language)),
    )
    body = "".join(_column(page, name, mark, items, shown) for name, mark, items in columns)
    title, note = page.text("overview.changed"), page.text("overview.changed_note")
    show(f'{heading(title, note)}<div class="three">{body}</div>')


def _column(page: Page, name: str, mark: str, items: list[board.Item], shown: int) -> str:
    rest = len(items) - shown
    more = ""
    if rest > 0:
        target = "endring" if name != "settle" else "unntak"
        more = f'<p class="hint">{page.link(target, page.text("overview.more", count=rest))}</p>'
    none = f'<p class="hint">{escape(page.text(f"overview.{name}_none"))}</p>'
    title = f'<h3 class="{name}"><span aria-hidden="true">{mark}</span> {escape(page.text(f"overview.{name}"))}</h3>'
    lines = item_list(page, items[:shown])
    return f"<section>{title}{lines or none}{more}</section>"


def matrix(page: Page, found: Board, *, is_paper: bool = False) -> None:
    """Show teams against areas."""
    order = "lowest" if st.query_params.get("sort") == "lowest" and not is_paper else "group"
    number = st.query_params.get("side", "1")
    side = int(number) if number.isdigit() else 1
    teams = found.teams
    if order == "lowest":
        teams = sorted(teams, key=lambda team: _total(found, team))
    pages = max(1, -(-len(teams) // SHOWN_TEAMS))
    side = min(max(1, side), pages)
    shown = teams if is_paper else teams[(side - 1) * SHOWN_TEAMS : side * SHOWN_TEAMS]
    groups = [("", shown)]
    if order == "group":
        groups = [(kind, [team for team in shown if team["type"] == kind]) for kind in ("product", "platform")]
    marks = by(scores.marks(page.snapshot, page.period), "team_id", "area_id")
    moves = {}
    if page.period["grain"] == "latest":
        moves = {key: row["change"] for key, row in by(scores.verdicts(page.snapshot), "team_id", "area_id").items()}
    history: dict[str, list[float | None]] = {}
    for row in scores.team_months(page.snapshot).select("team_id", "as_of", "score").iter_rows():
        if row[1] <= page.period["as_of"]:
            history.setdefault(row[0], []).append(row[2])
    body = ""
    for kind, members in groups:
        if kind and members:
            label = escape(page.text(f"word.{kind}"))
            body += (
                f'<tr role="row"><th role="rowheader" class="group" colspan="{len(found.areas) + 5}">{label}</th></tr>'
            )
        for team in members:
            body += _team_row(page, found, team, marks, moves, history.get(team["team_id"], [])[-12:])
    body += _median_row(page, found)
    keys = ("word.total", "word.coverage", "word.level", "overview.year")
    names = [escape(page.text("word.team"))]
    names += [page.link("omrade", page.label(area), area=area["area_id"]) for area in found.areas]
    names += [escape(page.text(key)) for key in keys]
    head_row = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in names)
    choices = "" if is_paper else _choices(page, order, side, pages)
    show(
        f"{heading(page.text('overview.matrix'))}"
        f'<div class="row"><p class="hint">{escape(page.text("overview.matrix_hint"))}</p>{choices}</div>'
        f'<table role="table" class="matrix"><caption>{escape(page.text("overview.matrix_caption"))}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head_row}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
        f"{legend(page.language, found.edges)}{page.downloads('area-scores')}"
    )


def _total(found: Board, team: Row) -> tuple[bool, float]:
    row = found.scores.get(team["team_id"])
    return (row is None or row["score"] is None, row["score"] if row and row["score"] is not None else 0.0)


def _choices(page: Page, order: str, side: int, pages: int) -> str:
    """Return the choice of order, and of page where there are more teams than fit."""
    orders = "".join(
        f'<li><a href="{escape(page.here(sort=None if name == "group" else name, side=None))}" target="_self"'
        f"{' aria-current=true' if name == order else ''}>{escape(page.text(f'overview.sort_{name}'))}</a></li>"
        for name in ("group", "lowest")
    )
    found = f'<nav aria-label="{escape(page.text("overview.sort"))}"><ul class="choice">{orders}</ul></nav>'
    if pages > 1:
        sides = "".join(
            f'<li><a href="{escape(page.here(side=str(number)))}" target="_self"'
            f"{' aria-current=page' if number == side else ''}>{number}</a></li>"
            for number in range(1, pages + 1)
        )
        found += f'<nav aria-label="{escape(page.text("app.sides"))}"><ul class="choice">{sides}</ul></nav>'
    return found


def _team_row(
    page: Page, found: Board, team: Row, marks: dict[Any, Row], moves: dict[Any, float], history: list[float | None]
) -> str:
    language, name, team_id = page.language, page.label(team), team["team_id"]
    row = f'<tr role="row"><th scope="row" role="rowheader">{page.link("team", name, team=team_id)}</th>'
    for area in found.areas:
        key = (team_id, area["area_id"])
        cell = cell_html(language, _cell(page, found, team, area, marks.get(key, {}), moves.get(key)))
        row += f'<td role="cell" data-l="{escape(page.label(area, "short"))}">{cell}</td>'
    score = found.scores.get(team_id)
    total = score["score"] if score else None
    provisional = score is not None and score["status"] == "provisional"
    figure = f"<strong>{fmt.number(language, total)}</strong>" + change_mark(language, moves.get((team_id, "")))
    if provisional:
        figure += small(page.text("status.provisional"))
    level = page.text(f"level.{score['level']}") if score and score["level"] is not None else page.text("level.none")
    seen = [value for value in history if value is not None]
    first, last = (fmt.number(language, seen[i] if seen else None) for i in (0, -1))
    spark = sparkline(history, page.text("overview.trend_alt", team=name, first=first, last=last))
    coverage = fmt.percent(language, score["coverage"] if score else None)
    cells = (
        ("word.total", figure),
        ("word.coverage", coverage),
        ("word.level", escape(level)),
        ("overview.year", spark),
    )
    return (
        row
        + "".join(f'<td role="cell" class="plain" data-l="{escape(page.text(k))}">{v}</td>' for k, v in cells)
        + "</tr>"
    )


def _median_row(page: Page, found: Board) -> str:
    medians = found.medians()
    name = escape(page.text("overview.median_row"))
    row = f'<tr role="row" class="median"><th scope="row" role="rowheader">{name}</th>'
    for area in found.areas:
        value = medians.get(area["area_id"])
        kind = f"cell l{board.band(value, found.edges)}" if value is not None else "na"
        figure = f'<span class="{kind}"><span class="figure">{fmt.number(page.language, value)}</span></span>'
        row += f'<td role="cell" data-l="{escape(page.label(area, "short"))}">{figure}</td>'
    total = fmt.number(page.language, found.median())
    label = escape(page.text("word.total"))
    return (
        row
        + f'<td role="cell" class="plain" data-l="{label}"><strong>{total}</strong></td>'
        + "<td role=cell></td>" * 3
    )


def _cell(page: Page, found: Board, team: Row, area: Row, marks: Row, change: float | None) -> Cell:
    row = found.cells.get((team["team_id"], area["area_id"]))
    names = {"team": page.label(team), "area": page.label(area)}
    if row is None or row["status"] == "not_applicable":
        return Cell("", page.text("overview.cell_na", **names), None, None, "not_applicable")
    language, href = page.language, page.url("team", team=team["team_id"], area=area["area_id"])
    low, high = (fmt.number(language, row[key]) for key in ("low", "high"))
    coverage = fmt.percent(language, row["coverage"])
    bounds = page.text("overview.cell_bounds", coverage=coverage, low=low, high=high)
    if row["score"] is None:
        label = f"{page.text('overview.cell_no_score', **names)}. {bounds}"
        return Cell(href, label, None, row["coverage"], row["status"])
    held = board.holds_down(row, found.edges)
    label = page.text(
        "overview.cell",
        **names,
        score=fmt.number(language, row["score"]),
        level=page.text(f"level.{board.band(row['score'], found.edges)}").lower(),
    )
    extra = [bounds]
    if row["status"] == "provisional":
        extra.append(page.text("status.provisional").lower())
    if change is not None:
        key = "overview.cell_up" if change > 0 else "overview.cell_down"
        extra.append(page.text(key, points=fmt.number(language, abs(change))))
    if held:
        extra.append(page.text("overview.cell_gate", level=page.text(f"level.{row['level']}").lower()))
    stale, waived = marks.get("stale", 0), marks.get("waived", 0)
    extra += [page.text("overview.cell_stale", count=stale)] if stale else []
    extra += [page.text("overview.cell_waived", count=waived)] if waived else []
    return Cell(
        href,
        f"{label}. {'; '.join(extra)}",
        row["score"],
        row["coverage"],
        row["status"],
        level=board.band(row["score"], found.edges),
        change=change,
        gate=row["gate"] if held else None,
        stale=stale,
        waived=waived,
    )


def _facts(page: Page) -> None:
    """What no single team answers for."""
    items = [
        (
            page.label(row, "title"),
            fmt.percent(page.language, row["value"]),
            escape(
                page.text(
                    "overview.fact",
                    numerator=fmt.number(page.language, row["numerator"]),
                    denominator=fmt.number(page.language, row["denominator"]),
                )
            ),
        )
        for row in scores.organisation_facts(page.snapshot, page.period).to_dicts()
    ]
    if items:
        show(heading(page.text("overview.facts")) + strip(items))

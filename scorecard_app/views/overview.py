"""How are we doing, what really changed, what must be settled, where are the gaps, can the numbers be trusted?"""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import CHANGES, CONNECT, EXEMPTIONS, HEALTH, OVERVIEW
from opsmetrics.reports.board import Board, Item
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import catalogue, evidence, facts, reach, scores
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, heading, hint, join, mark, paragraph, strip
from scorecard_app.markup import lead as lead_paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.views.matrix_section import matrix
from scorecard_app.views.parts import item_list

SHOWN_ITEMS = 3
SHOWN_MONTHS = 13


@view(OVERVIEW)
def render(page: Page) -> None:
    """Show the overview."""
    found = board.read_board(page.snapshot, page.period)
    metrics = catalogue.metrics(page.snapshot)
    meta = page.text("overview.meta", teams=len(found.teams), areas=len(found.areas), metrics=len(metrics))
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        head(page, page.text("overview.title"), meta)
    with right:
        choose_period(page)
    _empty(page)
    lead(page, found)
    changed(page, found)
    matrix(page, found)
    _facts(page)


def lead(page: Page, found: Board) -> None:
    """Show the answer in two sentences and four numbers."""
    language = page.language
    months = [row for row in scores.months(page.snapshot, MET_LEVEL) if row.as_of <= page.period.as_of]
    months = months[-SHOWN_MONTHS:]
    scores_line = sparkline([row.score for row in months], page.text("overview.months_alt"))
    teams_line = sparkline([float(row.met) for row in months], page.text("overview.met_alt"), span=6)
    history = facts.major_incidents(page.snapshot, page.period)
    majors_line = sparkline([float(count) for count in history], page.text("overview.majors_alt"), span=6)
    majors, usual = board.usual(found, language)
    teams = page.text("overview.of", all=len(found.scores))
    sources = page.link(HEALTH.at(), board.delivering(found, language))
    numbers = strip(
        (
            (
                page.text("overview.strip_median"),
                fmt.score(language, found.median()),
                (page.text("word.out_of_100"), " ", scores_line),
            ),
            (page.text("overview.strip_met"), fmt.number(language, found.met()), (teams, " ", teams_line)),
            (
                page.text("overview.strip_majors"),
                fmt.number(language, majors),
                usual if majors is None else (usual, " ", majors_line),
            ),
            (page.text("overview.strip_coverage"), fmt.percent(language, found.coverage()), sources),
        )
    )
    show(join(lead_paragraph(board.lead(found, language)), numbers))


def changed(page: Page, found: Board, shown: int = SHOWN_ITEMS) -> None:
    """Show what left its natural variation, for better and for worse, and what must be settled."""
    moves = board.moves(found, page.language)
    columns = (
        ("better", "▲", moves[True]),
        ("worse", "▼", moves[False]),
        ("settle", "?", board.matters(found, page.language)),
    )
    body = (_column(page, name, sign, items, shown) for name, sign, items in columns)
    title, note = page.text("overview.changed"), page.text("overview.changed_note")
    show(join(heading(title, note), element("div", body, class_="three")))


def _column(page: Page, name: str, sign: str, items: list[Item], shown: int) -> Markup:
    rest = len(items) - shown
    target = EXEMPTIONS if name == "settle" else CHANGES
    more = hint(page.link(target.at(), page.text("overview.more", count=rest))) if rest > 0 else None
    title = element("h3", mark(sign), " ", page.text(f"overview.{name}"), class_=name)
    lines = item_list(page, items[:shown]) or hint(page.text(f"overview.{name}_none"))
    return element("section", title, lines, more)


def _empty(page: Page) -> None:
    """Where nothing is measured of anybody, lead to what gives something."""
    if all(cell.lacks for cell in reach.reach_cells(page.snapshot)):
        show(paragraph(page.link(CONNECT.at(), page.text("connect.empty"))))


def _facts(page: Page) -> None:
    """What no single team answers for."""
    language = page.language
    items = [
        (
            page.say(row.title),
            fmt.percent(language, row.value),
            page.text("overview.not_connected")
            if row.value is None
            else page.text(
                "overview.fact",
                numerator=fmt.number(language, row.numerator),
                denominator=fmt.number(language, row.denominator),
            ),
        )
        for row in evidence.organisation_facts(page.snapshot, page.period)
    ]
    if items:
        show(join(heading(page.text("overview.facts")), strip(items)))

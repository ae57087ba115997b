"""How are we doing, what really changed, what must be settled, where are the gaps, can the numbers be trusted?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.addresses import CHANGES, CONNECT, HEALTH, OVERVIEW, Address
from opsmetrics.reports.board import Board
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import catalogue, evidence, facts, quality, reach, scores
from opsmetrics.snapshots.queries.comparison import ScoreMove
from opsmetrics.snapshots.queries.evidence import OrganisationFact
from opsmetrics.snapshots.queries.rows import Rows
from scorecard_app.choices import choose_period
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import NOTHING, element, folded, heading, hint, join, mark, paragraph, small, strip
from scorecard_app.markup import lead as lead_paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.views.matrix_section import matrix
from scorecard_app.views.outcomes import outcomes
from scorecard_app.views.parts import item_list
from scorecard_app.views.shared_gaps import shared_gaps

SHOWN_MOVES = 4
SOURCES_FACT = "org_source_health"  # the strip says how many sources deliver, counted by source
SHOWN_MONTHS = 13


@view(OVERVIEW)
def render(page: Page) -> None:
    """Show the overview."""
    found = board.read_board(page.snapshot, page.period)
    metrics = catalogue.metrics(page.snapshot)
    meta = page.text("overview.meta", teams=len(found.scores), areas=len(found.areas), metrics=len(metrics))
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        head(page, page.text("overview.title"), meta)
    with right:
        choose_period(page)
    _empty(page, found)
    lead(page, found)
    changed(page, found)
    matrix(page, found)
    shared_gaps(page, found)
    outcomes(page, found)
    _facts(page)


def lead(page: Page, found: Board) -> None:
    """Show the answer in a few sentences and four numbers, each against the last month end and a year ago."""
    language = page.language
    months = scores.months(page.snapshot, page.period, MET_LEVEL, SHOWN_MONTHS)
    scores_line = sparkline([row.score for row in months], page.text("overview.months_alt"), slots=SHOWN_MONTHS)
    met = [float(row.met) if row.scored else None for row in months]
    teams_line = sparkline(met, page.text("overview.met_alt"), span=6, slots=SHOWN_MONTHS)
    history = facts.major_incidents(page.snapshot, page.period)
    majors_line = sparkline(history, page.text("overview.majors_alt"), span=6, slots=SHOWN_MONTHS)
    majors, usual = board.usual(found, language)
    teams = page.text("overview.of", all=len(found.scores))
    sources = page.link(HEALTH.at(), board.delivering(found, language))
    numbers = strip(
        (
            (
                page.text("overview.strip_median"),
                fmt.score(language, found.median()),
                (
                    page.text("word.out_of_100"),
                    " ",
                    scores_line,
                    small(" · ".join(board.median_changes(found, language))),
                ),
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


def changed(page: Page, found: Board, shown: int = board.MOST_LINES) -> None:
    """Show what must be decided, the most dangerous first, and what fell and rose since the last month end."""
    moves, since = board.find_moves(found), board.since(found, page.language)
    points = fmt.number(page.language, board.MATERIAL_POINTS)
    note = (
        page.text("overview.changed_note", since=since, points=points) if since else page.text("overview.changed_alone")
    )
    withheld = page.text("overview.withheld", count=len(moves.withheld)) if moves.withheld else ""
    body = (
        element("section", _decide(page, found, shown)),
        element(
            "section",
            _moved(page, found, "worse", moves.worse),
            _moved(page, found, "better", moves.better),
            hint(page.link(CHANGES.at(), withheld)) if withheld else None,
        ),
    )
    show(join(heading(page.text("overview.changed"), note), element("div", body, class_="two")))


def _decide(page: Page, found: Board, shown: int) -> Markup:
    items = board.for_decision(found, page.language)
    lines = item_list(page, items[:shown]) or hint(board.nothing_to_decide(found, page.language))
    title = element("h3", page.text("overview.settle"), class_="settle")
    rest = item_list(page, items[shown:])
    more = folded(page.text("overview.show_more", count=len(items) - shown), rest) if rest else None
    return join(title, lines, more)


def _moved(page: Page, found: Board, name: str, rows: Sequence[ScoreMove]) -> Markup:
    sign = {"better": "▲", "worse": "▼"}[name]
    title = element("h3", mark(sign), " ", page.text(f"overview.{name}"), class_=name)
    items = board.say_moves(found, page.language, rows[:SHOWN_MOVES])
    lines = item_list(page, items) or hint(board.none_moved(found, page.language, name))
    return join(title, lines, _more(page, CHANGES.at(), len(rows) - SHOWN_MOVES))


def _more(page: Page, address: Address, rest: int) -> Markup:
    return hint(page.link(address, page.text("overview.show_more", count=rest))) if rest > 0 else NOTHING


def _empty(page: Page, found: Board) -> None:
    """Where nothing is measured, or too little for a single score, lead to what gives more."""
    if found.median() is None:
        is_connected = bool(quality.systems(page.snapshot))
        nothing = "connect.reaches_none" if is_connected else "connect.empty"
        key = "connect.little" if reach.is_anything_reached(page.snapshot) else nothing
        show(paragraph(page.link(CONNECT.at(), page.text(key))))


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
        for row in _told_facts(page)
    ]
    if items:
        show(join(heading(page.text("overview.facts")), strip(items)))


def _told_facts(page: Page) -> Rows[OrganisationFact]:
    rows = evidence.organisation_facts(page.snapshot, page.period)
    return Rows(OrganisationFact, rows.frame.filter(pl.col("table_id") != SOURCES_FACT))

"""The pages of a long list: which rows are shown, and links to the others."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from markupsafe import Markup

from scorecard_app.choices import page_number
from scorecard_app.markup import NOTHING, choices, element, link
from scorecard_app.page import Page

MOST_ROWS = 25
"""Rows of one list of teams, or of what teams have: more is a wall, and slow; a file holds them all."""
_NEAR = 2  # pages before and after the one that is open that have a link


@dataclass(frozen=True, slots=True)
class Side:
    """One page of a list.

    Attributes:
        number: From 1.
        count: Pages in all.
        start: Index of its first row.
        stop: Index after its last row.
    """

    number: int
    count: int
    start: int
    stop: int


def side_of(page: Page, rows: int, size: int) -> Side:
    """Return the page of a list that the address names; beyond the list it is the last, and ``asked`` says so."""
    count = max(1, -(-rows // size))
    page.sides.append(count)
    number = min(page_number(st.query_params.get("side", "1")) or 1, count)
    return Side(number, count, (number - 1) * size, min(rows, number * size))


def side_links(page: Page, side: Side) -> Markup:
    """Return links to the other pages of a list: the first, the last, and those around this one."""
    if side.count == 1:
        return NOTHING
    ends = {1, side.count}
    near = [each for each in range(1, side.count + 1) if each in ends or abs(each - side.number) <= _NEAR]
    items: list[Markup] = []
    for before, each in zip([0, *near], near, strict=False):
        if each > before + 1:
            items.append(element("li", "…", aria_hidden="true"))
        here = "page" if each == side.number else None
        items.append(element("li", link(page.here(side=str(each)), each, aria_current=here)))
    return choices(page.text("app.sides"), items)

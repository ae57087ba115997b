"""What opens on demand: it is read, made and sent only when the address asks for it.

A browser cleans and lays out every element that a page brings, also what it folds away, and so does whoever reads
another page. What is open stands in the address: it stays open in a link, and on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st
from markupsafe import Markup

from opsmetrics.reports.table import Source, Table
from scorecard_app.files import offer_table
from scorecard_app.known import EVERYTHING, PARTS
from scorecard_app.markup import Node, element, hint, link
from scorecard_app.page import Page
from scorecard_app.table_html import table_html

SEPARATOR = "."


def parts_of(values: Iterable[str]) -> dict[str, None]:
    """Return the names that the address asks for, each once and in order."""
    return dict.fromkeys(name for value in values for name in value.split(SEPARATOR) if name)


def is_open(name: str) -> bool:
    """Whether the address asks for a part of the page."""
    return not {name, EVERYTHING}.isdisjoint(parts_of(st.query_params.get_all("open")))


def later(page: Page, name: str, summary: str, make: Callable[[], Node]) -> Markup:
    """Return a part that opens on demand: a link that opens it, or what it holds.

    Args:
        page: The page.
        name: Of the part, in the address (``known.PARTS``).
        summary: What the reader sees of it while it is closed.
        make: Makes what it holds; called only where it is open.

    Raises:
        ValueError: No address of the page can ask for it.
    """
    if name not in PARTS or "open" not in page.place.parameters:
        raise ValueError(f"page {page.place.name} has no address for its part {name}")
    anchor = f"open-{name}"
    if is_open(name):
        return element("details", element("summary", summary), make(), id=anchor, class_="later", open=True)
    page.closed.append(name)
    return element("p", opener(page, name, summary), id=anchor, class_="later")


def later_table(page: Page, name: str, summary: str, make: Callable[[], Table], file: Source | None = None) -> Markup:
    """Return a table that opens on demand; its file is in the page's menu whether it is open or not."""
    if file is not None:
        offer_table(page, file)
    return later(page, name, summary, lambda: table_html(page, make()))


def opener(page: Page, name: str, words: str) -> Markup:
    """Return the link that opens a part beside those that are open."""
    names = SEPARATOR.join((*parts_of(st.query_params.get_all("open")), name))
    return link(page.here(open=names), words, aria_expanded="false", data_open=name)


def open_all(page: Page) -> Markup | None:
    """Return the way to all parts at once, for paper and for searching the page; nothing where nothing is closed."""
    if not page.closed:
        return None
    return hint(link(page.here(open=EVERYTHING), page.text("app.open_all")))

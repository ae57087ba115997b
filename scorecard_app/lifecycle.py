"""What makes a page of a function: the snapshot is opened once, the menu stands above it and the foot below."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable
from functools import cache

import streamlit as st

from opsmetrics.core.errors import SnapshotError
from opsmetrics.language.texts import text
from opsmetrics.reports.addresses import AppPage
from opsmetrics.snapshots.queries import catalogue
from scorecard_app import access, asked, layout, shell
from scorecard_app.beginning import begin
from scorecard_app.choices import chosen_language, chosen_period
from scorecard_app.current import current_snapshot
from scorecard_app.markup import element, join, lead
from scorecard_app.page import Page
from scorecard_app.raw_html import show, show_style

WATCH_SECONDS = 30


def view(place: AppPage) -> Callable[[Callable[[Page], None]], Callable[[], None]]:
    """Make a page of a function: it runs only with a snapshot, below the menu and above the foot."""

    def wrap(body: Callable[[Page], None]) -> Callable[[], None]:
        def render() -> None:
            page = _begin(place)
            if page is None:
                return
            if asked.answers(page):
                _draw(page, body)
            _end(page)

        render.__doc__ = body.__doc__
        return render

    return wrap


def _begin(place: AppPage) -> Page | None:
    """Open the current snapshot and read language and period; None where nothing was published yet."""
    show_style()
    language = chosen_language()
    shell.mount(language)
    try:
        snapshot = current_snapshot()
    except SnapshotError:
        show(join(element("h1", text(language, "app.name")), lead(text(language, "app.no_snapshot")), begin(language)))
        return None
    try:
        organisation, chosen = catalogue.organisation(snapshot), chosen_period(snapshot)
    except SnapshotError:
        show(join(element("h1", text(language, "app.name")), lead(text(language, "app.other_snapshot"))))
        return None
    shown = chosen if place.travels else catalogue.periods(snapshot)[0]
    page = Page(place, snapshot, language, organisation, shown, access.permissions(), chosen)
    layout.menu(page)
    return page


def _draw(page: Page, body: Callable[[Page], None]) -> None:
    """Draw what the page is about; how many pages its lists have is known then, and said above them."""
    notice = st.empty() if "side" in st.query_params else None
    body(page)
    if notice is not None:
        with notice:
            asked.say_beyond(page)


def _end(page: Page) -> None:
    layout.file_menu(page)
    layout.foot(page)
    access.sign_out(page.language)
    _watch(page.snapshot.build_id)
    _leave_alone()


@cache
def _leave_alone() -> None:
    """Keep what the first page has loaded out of every later collection of garbage: it stays as long as the server.

    A whole collection looks at each object of all libraries, which takes longer than to make most pages, and whoever
    reads another page waits for it too.
    """
    gc.collect()
    gc.freeze()
    # At the end of the process it is collected after all: libraries write about what is left over then.
    atexit.register(gc.unfreeze)


@st.fragment(run_every=WATCH_SECONDS)
def _watch(shown: str) -> None:
    """Show a new snapshot in a page that stays open. The whole page runs again, so nobody sees half of two."""
    try:
        newest = current_snapshot().build_id
    except SnapshotError:
        return
    if newest != shown:
        st.rerun()

"""What is chosen in the address: language, period, and the rows that a page is about; and the boxes that choose."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import streamlit as st

from opsmetrics.language.texts import LANGUAGES
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.current import default_language
from scorecard_app.page import Page

_MOST_DIGITS = 9  # of the number of a page in the address


def chosen_language() -> str:
    """Return the language of the address, else of the session, else of the organisation."""
    wanted = st.query_params.get("lang") or st.session_state.get("lang")
    chosen = wanted if wanted in LANGUAGES else default_language()
    st.session_state["lang"] = chosen
    return chosen


def chosen_period(snapshot: Snapshot) -> Period:
    """Return the period of the address, else the latest day."""
    periods = catalogue.periods(snapshot)
    wanted = st.query_params.get("period")
    return next((period for period in periods if period.label == wanted), periods[0])


def page_number(wanted: str) -> int | None:
    """Return the page of a list that a word of the address names, from 1; None where it names none.

    Only plain digits count, and few of them: ``²`` is a digit to Python that no number can be made of, and of a number
    of thousands of digits Python makes none either.
    """
    is_number = wanted.isascii() and wanted.isdecimal() and len(wanted) <= _MOST_DIGITS
    return (int(wanted) or None) if is_number else None


def selected_id(key: str, ids: Collection[str], first: str | None = None) -> str:
    """Return the id that the address names, else the first; what is not there never comes so far (``asked``)."""
    wanted = st.query_params.get(key)
    if wanted is not None and wanted in ids:
        return wanted
    return first if first is not None and first in ids else next(iter(ids))


def choose(label: str, key: str, options: Sequence[str], names: Mapping[str, str], current: str | None) -> str:
    """Show a select box bound to a parameter of the address by value (not by label: links survive renaming)."""

    def write() -> None:
        st.query_params[key] = st.session_state[f"choose-{key}"]
        # Another choice is another list, and begins at its first page.
        st.query_params.pop("side", None)

    st.session_state[f"choose-{key}"] = current if current in options else options[0]
    return st.selectbox(
        label,
        options,
        key=f"choose-{key}",
        format_func=lambda value: names[value],
        on_change=write,
        filter_mode="contains",
    )


def day_format(language: str) -> Literal["DD.MM.YYYY", "DD/MM/YYYY"]:
    """Return how a box of a day writes it."""
    return "DD.MM.YYYY" if language == "nb" else "DD/MM/YYYY"


def choose_period(page: Page) -> None:
    """Show the choice of period."""
    names = {period.label: page.period_label(period) for period in catalogue.periods(page.snapshot)}
    choose(page.text("word.period"), "period", list(names), names, page.period.label)

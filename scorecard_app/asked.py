"""What the address asks for that is not there: it is said, and never answered with something else.

An address that names no team, area or metric of ours gets a page with those that there are. What merely filters or
sorts is left out, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from opsmetrics.reports.addresses import SHARED
from scorecard_app.choices import page_number
from scorecard_app.known import ALL, THINGS, WORDS
from scorecard_app.later import parts_of
from scorecard_app.layout import head
from scorecard_app.markup import element, join, lead, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show

SHOWN_LETTERS = 40  # of what somebody wrote into the address


def answers(page: Page) -> bool:
    """Say what the address asks for in vain; whether the page can answer the rest."""
    lost = next((key for key in THINGS if key in page.place.parameters and _is_lost(page, key)), None)
    if lost is not None:
        _not_found(page, lost)
        return False
    said = [sentence for key in st.query_params if (sentence := _sentence(page, key))]
    if said:
        _say(said)
    return True


def say_beyond(page: Page) -> None:
    """Say that the page of a list that the address names lies beyond its lists; after they were drawn."""
    values = {value for value in st.query_params.get_all("side") if value}
    number = page_number(next(iter(values))) if len(values) == 1 else None
    most = max(page.sides, default=1)
    if "side" in page.place.parameters and number is not None and number > most:
        _say([page.text("asked.beyond", name=number, most=most)])


def _say(sentences: Iterable[str]) -> None:
    show(join(element("div", sentence, class_="banner", role="alert") for sentence in sentences))


def _is_lost(page: Page, key: str) -> bool:
    """Whether a parameter names nothing of ours, or two things at once."""
    wanted = set(st.query_params.get_all(key))
    return len(wanted) > 1 or not wanted <= {"", *THINGS[key](page.snapshot)}


def _not_found(page: Page, key: str) -> None:
    """A page that says what is not there, and leads to what is."""
    wanted = list(dict.fromkeys(st.query_params.get_all(key)))
    if len(wanted) > 1:
        title = page.text(f"asked.several_{key}")
    else:
        title = page.text(f"asked.no_{key}", name=_short(wanted[0]))
    head(page, title)
    names = THINGS[key](page.snapshot).items()
    links = (page.link_here(page.say(name), **{key: thing}) for thing, name in names)
    show(join(lead(page.text(f"asked.choose_{key}")), points(links, "plain columns")))


def _sentence(page: Page, key: str) -> str:
    """What is wrong with one parameter of the address, or nothing."""
    values = [value for value in st.query_params.get_all(key) if value]
    if key not in {*page.place.parameters, *SHARED}:
        # Whoever shares links may add words of their own; only what another page of ours knows can mislead.
        return page.text("asked.not_here", name=_short(f"{key}={values[-1]}")) if key in ALL and values else ""
    if key in WORDS:
        return _of_words(page, key, values)
    if key == "side" and (wrong := [value for value in values if page_number(value) is None]):
        return page.text("asked.no_side", name=_short(wrong[0]))
    return page.text("asked.several", name=key) if len(set(values)) > 1 else ""


def _of_words(page: Page, key: str, values: list[str]) -> str:
    known = WORDS[key](page.snapshot)
    if key == "open":
        unknown = [value for value in values if not parts_of([value]) or not parts_of([value]).keys() <= {*known}]
    else:
        unknown = [value for value in values if value not in known]
    if unknown:
        shown = {"period": page.period_within()}.get(key, "")
        return page.text(
            f"asked.no_{key}" if key in SHARED else "asked.no_choice", name=_short(unknown[0]), shown=shown
        )
    return page.text("asked.several", name=key) if len(set(values)) > 1 and key != "open" else ""


def _short(words: str) -> str:
    return words if len(words) <= SHOWN_LETTERS else f"{words[:SHOWN_LETTERS]}…"

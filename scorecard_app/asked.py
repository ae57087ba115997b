"""What the address asks for that is not there: it is said, and never answered with something else.

An address that names no team, area or metric of ours gets a page with those that there are. What merely filters or
sorts is left out, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import streamlit as st

from opsmetrics.language.bilingual import Text
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports.addresses import PAGES, SHARED
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.choices import page_number
from scorecard_app.layout import head
from scorecard_app.markup import element, join, lead, points
from scorecard_app.page import Page
from scorecard_app.raw_html import show

SHOWN_LETTERS = 40  # of what somebody wrote into the address
ROLES = ("team_lead", "tech_lead", "ops_lead", "product_owner", "security_lead")
EFFORTS = ("S", "M", "L")
ORDERS = ("group", "lowest")


def _team_names(snapshot: Snapshot) -> dict[str, Text]:
    return {row.team_id: row.name for row in catalogue.teams(snapshot)}


def _area_names(snapshot: Snapshot) -> dict[str, Text]:
    return {row.area_id: row.name for row in catalogue.areas(snapshot)}


def _metric_names(snapshot: Snapshot) -> dict[str, Text]:
    return {row.metric_id: row.title for row in catalogue.metrics(snapshot)}


THINGS: Mapping[str, Callable[[Snapshot], Mapping[str, Text]]] = {
    "team": _team_names,
    "area": _area_names,
    "metric": _metric_names,
}
"""Parameters that name a thing of the organisation, and the things that there are."""
WORDS: Mapping[str, Callable[[Snapshot], Collection[str]]] = {
    "period": lambda snapshot: [period.label for period in catalogue.periods(snapshot)],
    "lang": lambda _snapshot: LANGUAGES,
    "role": lambda _snapshot: ROLES,
    "effort": lambda _snapshot: EFFORTS,
    "sort": lambda _snapshot: ORDERS,
    "other": lambda snapshot: [team.team_id for team in catalogue.teams(snapshot)],
    "before": lambda snapshot: [period.label for period in catalogue.periods(snapshot)],
}
"""Parameters that choose among words, and the words."""
_ALL = frozenset(name for page in PAGES for name in page.parameters)


def answers(page: Page) -> bool:
    """Say what the address asks for in vain; whether the page can answer the rest."""
    lost = next((key for key in THINGS if key in page.place.parameters and _is_lost(page, key)), None)
    if lost is not None:
        _not_found(page, lost)
        return False
    said = [sentence for key in st.query_params if (sentence := _sentence(page, key))]
    if said:
        show(join(element("div", sentence, class_="banner", role="alert") for sentence in said))
    return True


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
        return page.text("asked.not_here", name=_short(f"{key}={values[-1]}")) if key in _ALL and values else ""
    if key in WORDS:
        return _of_words(page, key, values)
    if key == "side" and (wrong := [value for value in values if page_number(value) is None]):
        return page.text("asked.no_side", name=_short(wrong[0]))
    return page.text("asked.several", name=key) if len(set(values)) > 1 else ""


def _of_words(page: Page, key: str, values: list[str]) -> str:
    unknown = [value for value in values if value not in WORDS[key](page.snapshot)]
    if unknown:
        shown = {"period": page.period_within()}.get(key, "")
        return page.text(
            f"asked.no_{key}" if key in SHARED else "asked.no_choice", name=_short(unknown[0]), shown=shown
        )
    return page.text("asked.several", name=key) if len(set(values)) > 1 else ""


def _short(words: str) -> str:
    return words if len(words) <= SHOWN_LETTERS else f"{words[:SHOWN_LETTERS]}…"

"""What stands around every page: the menu, the head with its title, and the foot."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.texts import LANGUAGES
from opsmetrics.reports.addresses import OVERVIEW, PAGES, AppPage
from opsmetrics.snapshots.queries import catalogue
from scorecard_app import files
from scorecard_app.later import open_all
from scorecard_app.markup import Node, element, hint, join, link, navigation
from scorecard_app.page import Page
from scorecard_app.raw_html import show

_LANGUAGE_NAMES = {"nb": "Norsk", "en": "English"}


def menu(page: Page) -> None:
    """Show the name of the app, the pages of the menu and the choice of language."""
    languages = (
        element(
            "li",
            link(page.here(lang=code), _LANGUAGE_NAMES[code], lang=code, aria_current=_current(code == page.language)),
        )
        for code in LANGUAGES
    )
    show(
        element(
            "header",
            _brand(page),
            navigation(page.text("nav.label"), _items(page, is_in_menu=True)),
            navigation(page.text("app.language"), languages),
            class_="menu",
        )
    )


def _brand(page: Page) -> Markup:
    """The app's name, which leads to the overview from everywhere else."""
    home, name = OVERVIEW.at(), page.text("app.name")
    return element("span", name, class_="brand") if page.is_here(home) else link(page.href(home), name, class_="brand")


def _items(page: Page, *, is_in_menu: bool) -> list[Markup]:
    return [_item(page, place) for place in PAGES if place.is_in_menu == is_in_menu and not place.below]


def _item(page: Page, place: AppPage) -> Markup:
    # One team stands below the list of teams: the menu says so, and the item leads back to the list.
    here = "page" if place == page.place else "true" if place.name == page.place.below else None
    return element("li", link(page.href(place.at()), page.text(f"nav.{place.name}"), aria_current=here))


def _current(is_current: bool) -> str | None:  # noqa: FBT001 - private, one caller
    return "true" if is_current else None


def head(page: Page, title: str, meta: Node = None, *, crumbs: tuple[Markup, ...] = ()) -> None:
    """Show the banner of sample data, the way here, the title and the meta line, and name the browser's tab.

    Args:
        page: The page.
        title: Its heading.
        meta: The meta line after organisation and period.
        crumbs: Links between the overview, or the list that the page is one of, and here.
    """
    st.set_page_config(page_title=" – ".join((*_tab(page, title), page.text("app.name"))))
    banner = pill = way = None
    if page.organisation.is_fictional:
        # Said once: in words where readers come in, as a mark beside the title on the other pages.
        if page.place == OVERVIEW:
            words = page.text("app.sample_banner", organisation=page.say(page.organisation.name))
            banner = element("div", words, class_="banner", role="note")
        else:
            pill = element("span", page.text("app.sample_data"), class_="pill")
    if page.place != OVERVIEW:
        steps = (page.link(OVERVIEW.at(), page.text("nav.overview")), *_above(page), *crumbs, title)
        way = element("nav", join(*steps, by=" / "), class_="crumbs", aria_label=page.text("nav.crumbs"))
    line = [page.say(page.organisation.name), page.period_label(), *([meta] if meta else [])]
    show(
        join(
            banner,
            way,
            element("div", element("h1", title, tabindex="-1"), pill, class_="title"),
            element("p", join(*line, by=" · "), class_="meta"),
            None
            if page.chosen == page.period
            else hint(page.text("when.page_now", period=page.period_within(page.chosen))),
        )
    )

    # The way to the page's files is filled in when they are known.
    page.slots.append(st.empty())


def file_menu(page: Page) -> None:
    """Show the menu of all that the page offers as files, last on the page, and below the head the way to it."""
    way = open_all(page)
    if way is not None:
        show(way)
    if not page.files:
        return
    show(files.menu(page))
    for slot in page.slots:
        with slot:
            show(link(f"#{files.ANCHOR}", page.text("app.download"), class_="to-files"))


def _above(page: Page) -> list[Markup]:
    """The list that the page is one of."""
    return [page.link(place.at(), page.text(f"nav.{place.name}")) for place in PAGES if place.name == page.place.below]


def _tab(page: Page, title: str) -> tuple[str, ...]:
    """What the browser's tab says: the title, and the team that the page is of."""
    chosen = st.query_params.get("team") if "team" in page.place.parameters else None
    teams = (page.say(row.name) for row in catalogue.teams(page.snapshot) if row.team_id == chosen)
    return (title, *(name for name in teams if name != title))


def foot(page: Page) -> None:
    """Show the quieter pages, when the numbers were made and by which rules."""
    when = fmt.instant(page.language, page.organisation.built_at, page.organisation.timezone)
    facts = [
        page.text("app.updated", when=when),
        page.text("app.ruleset", version=page.organisation.ruleset_version),
        page.text("app.snapshot", id=page.snapshot.build_id[:12]),
    ]
    show(
        element(
            "footer",
            navigation(page.text("nav.more"), _items(page, is_in_menu=False)),
            element("p", join(*facts, by=" · ")),
        )
    )

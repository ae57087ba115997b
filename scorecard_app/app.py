"""The script that Streamlit runs for every page: who may enter, and the pages of the table of addresses."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from opsmetrics.language.texts import text
from opsmetrics.reports.addresses import OVERVIEW, PAGES
from scorecard_app import access, views
from scorecard_app.choices import chosen_language

_ICON = Path(__file__).parent / "static" / "icon.png"


def main() -> None:
    """Show the page that the address names."""
    language = chosen_language()
    st.set_page_config(page_title=text(language, "app.name"), page_icon=str(_ICON), layout="wide")
    pages = [
        st.Page(
            views.render(place),
            title=text(language, f"nav.{place.name}"),
            url_path=place.path or None,
            default=place == OVERVIEW,
        )
        for place in PAGES
    ]
    # The menu is ours (layout.py): its links keep period and language, and it is the same on a phone.
    found = st.navigation(pages, position="hidden")
    if access.is_welcome(language):
        found.run()


main()

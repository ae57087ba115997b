"""Entry point of the app: page settings and the one list of pages."""

from __future__ import annotations

import streamlit as st

from scorecard_app.page import language
from scorecard_app.texts import text
from scorecard_app.views import about, facts, health, metric, overview, restore_form, team

PAGES = (
    (overview.render, "overview", ""),
    (team.render, "team", "team"),
    (metric.render, "metric", "maling"),
    (facts.render, "facts", "fakta"),
    (health.render, "health", "datakvalitet"),
    (restore_form.render, "restore", "gjenoppretting"),
    (about.render, "about", "om"),
)


def main() -> None:
    """Show the page that the address names."""
    chosen = language()
    st.set_page_config(page_title=text(chosen, "app.name"), page_icon="📊", layout="wide")
    pages = [
        st.Page(render, title=text(chosen, f"nav.{name}"), url_path=path or None, default=path == "")
        for render, name, path in PAGES
    ]
    st.navigation(pages, position="top").run()


main()

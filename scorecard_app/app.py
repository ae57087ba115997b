"""The script that Streamlit runs for every page: who may enter, and the one list of pages."""

from __future__ import annotations

import streamlit as st

from opsmetrics.texts import text
from scorecard_app import access
from scorecard_app.page import ICON, MENU, MORE, language
from scorecard_app.views import (
    about,
    accessibility,
    analysts,
    area,
    changes,
    configure,
    decisions,
    exemptions,
    facts,
    gaps,
    health,
    metric,
    overview,
    report,
    restore_form,
    team,
)

VIEWS = {
    "overview": overview.render,
    "team": team.render,
    "area": area.render,
    "gaps": gaps.render,
    "metric": metric.render,
    "changes": changes.render,
    "health": health.render,
    "about": about.render,
    "report": report.render,
    "decisions": decisions.render,
    "exemptions": exemptions.render,
    "facts": facts.render,
    "analysts": analysts.render,
    "restore": restore_form.render,
    "configure": configure.render,
    "accessibility": accessibility.render,
}


def main() -> None:
    """Show the page that the address names."""
    chosen = language()
    st.set_page_config(page_title=text(chosen, "app.name"), page_icon=str(ICON), layout="wide")
    pages = [
        st.Page(VIEWS[name], title=text(chosen, f"nav.{name}"), url_path=path or None, default=path == "")
        for name, path in (*MENU, *MORE)
    ]
    # The menu is ours (page.py): its links keep period and language, and it is the same on a phone.
    found = st.navigation(pages, position="hidden")
    if access.is_welcome(chosen):
        found.run()


main()

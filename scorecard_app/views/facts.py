"""What the sources say in plain numbers, scored or not: updates, patch lag, uptime, restore times, reports."""

from __future__ import annotations

from html import escape

import polars as pl
import streamlit as st

from scorecard_app import data
from scorecard_app.page import Page, begin, foot, head, show

TABLES = {
    "updates": "select * exclude (service_id) from marts.repository_months order by month desc, repository limit 2000",
    "lag": """select * exclude (service_id) from marts.patch_lag_months
        order by period = 'ALL' desc, period desc, repository, update_type limit 2000""",
    "uptime": """select * exclude (monitor_key, service_id) from marts.monitor_months
        order by month desc, down_minutes desc, provider, monitor_id limit 2000""",
    "reports": "select * from marts.incident_report_years order by period = 'ALL' desc, period desc, kind, severity",
}


def render() -> None:
    """Show the facts."""
    page = begin()
    if page is None:
        return
    head(page, page.text("facts.title"), "")
    show(f'<p class="lead">{escape(page.text("facts.lead"))}</p>')
    for name, sql in TABLES.items():
        _table(page, name, data.query(page.snapshot, sql))
    foot(page)


def _table(page: Page, name: str, rows: pl.DataFrame) -> None:
    show(f"<h2>{escape(page.text(f'facts.{name}'))}</h2>")
    if rows.is_empty():
        show(f'<p class="hint">{escape(page.text("facts.empty"))}</p>')
        return
    st.dataframe(rows, hide_index=True, key=f"facts-{name}")

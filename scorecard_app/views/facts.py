"""What the sources say in plain numbers, scored or not: updates, patch lag, uptime, restore times, reports."""

from __future__ import annotations

from html import escape

import polars as pl
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from scorecard_app import data
from scorecard_app.exports import csv_bytes
from scorecard_app.page import Page, begin, foot, head, show


def render() -> None:
    """Show the facts."""
    page = begin()
    if page is None:
        return
    head(page, page.text("facts.title"), "")
    show(f'<p class="lead">{escape(page.text("facts.lead"))}</p>')
    for name in data.FACTS:
        _table(page, name, data.facts(page.snapshot, name))
    foot(page)


def _table(page: Page, name: str, rows: pl.DataFrame) -> None:
    show(f"<h2>{escape(page.text(f'facts.{name}'))}</h2>")
    if rows.is_empty():
        show(f'<p class="hint">{escape(page.text("facts.empty"))}</p>')
        return
    labels = {column: page.text(f"column.{column}") for column in rows.columns}
    configuration = {labels[column]: _format(column) for column in rows.columns if _format(column)}
    st.dataframe(rows.rename(labels), hide_index=True, key=f"facts-{name}", column_config=configuration)
    st.download_button(
        page.text("app.download_csv"),
        csv_bytes(rows.rename(labels), page.language),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"download-{name}",
    )


def _format(column: str) -> ColumnConfig | None:
    """How a column is shown: months without day, shares as percent, numbers in the reader's format."""
    if column == "month":
        return st.column_config.DateColumn(format="YYYY-MM")
    if column.endswith(("_share", "_ratio")):
        return st.column_config.NumberColumn(format="percent")
    if column.endswith(("_p50", "_p90", "_max", "_minutes")):
        return st.column_config.NumberColumn(format="localized")
    return None

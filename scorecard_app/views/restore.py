"""A form for a restore test: it writes the line of the register, which goes in by pull request like every other."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import streamlit as st

from opsmetrics.proposals import register_line
from opsmetrics.reports.addresses import RESTORE
from opsmetrics.snapshots.queries import catalogue
from scorecard_app.choices import day_format
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import element, join, lead, paragraph
from scorecard_app.page import Page
from scorecard_app.raw_html import show


@view(RESTORE)
def render(page: Page) -> None:
    """Show the form and, once filled in, the line."""
    head(page, page.text("restore.title"))
    show(lead(page.text("restore.lead")))
    stores = [
        row.datastore_id for row in catalogue.datastores(page.snapshot) if page.permissions.may_write(row.team_id)
    ]
    if not page.permissions.may_write():
        show(paragraph(page.text("restore.members_only")))
    elif not stores:
        show(paragraph(page.text("restore.no_stores")))
    else:
        _form(page, stores)


def _form(page: Page, stores: list[str]) -> None:
    zone = ZoneInfo(page.organisation.timezone)
    today = page.organisation.built_at.astimezone(zone).date()

    def moment(column: str) -> datetime | None:
        day, clock = st.columns(2)
        label = page.text(f"restore.{column}")
        with day:
            on = st.date_input(label, value=today, key=f"{column}-day", format=day_format(page.language))
        with clock:
            at = st.time_input(page.text("restore.clock", of=label), value=None, key=f"{column}-time", step=60)
        return datetime.combine(on, at, zone) if isinstance(at, time) and not isinstance(on, tuple) else None

    store = st.selectbox(page.text("restore.datastore"), stores, key="restore-store")
    requested, restored, verified = (moment(c) for c in ("requested_at", "restored_at", "verified_at"))
    successful = st.checkbox(page.text("restore.successful"), key="restore-ok")
    size = st.number_input(page.text("restore.size"), min_value=0.0, value=None, key="restore-size")
    if requested is None:
        show(paragraph(page.text("restore.fill_in")))
        return
    values = {
        "test_id": f"{store}-{requested:%Y%m%d%H%M}",
        "datastore_id": store,
        "requested_at": requested,
        "restored_at": restored,
        "verified_at": verified if successful else None,
        "is_successful": successful,
        "data_gb": size,
    }
    text, wrong = register_line.line("restore_tests", values, page.organisation.timezone)
    wrong += _order(page, requested, restored, verified)
    if wrong:
        reasons = element("ul", (element("li", reason) for reason in wrong))
        show(join(paragraph(page.text("restore.wrong")), reasons))
        return
    show(paragraph(page.text("restore.line_hint")))
    st.code(f"{register_line.header('restore_tests')}\n{text}", language="text")
    st.download_button(page.text("restore.download"), f"{text}\n", f"{values['test_id']}.csv", "text/csv")


def _order(page: Page, requested: datetime, restored: datetime | None, verified: datetime | None) -> list[str]:
    """Say what cannot have happened in this order; a register line that no check would stop must not be made here."""
    instants = [at for at in (requested, restored, verified) if at is not None]
    return [] if instants == sorted(instants) else [page.text("restore.order")]

"""A form for a restore test: it writes the line of the register, which goes in by pull request like every other."""

from __future__ import annotations

from datetime import datetime, time
from html import escape
from zoneinfo import ZoneInfo

import streamlit as st

from opsmetrics import registers
from opsmetrics.reading import catalogue
from scorecard_app.page import Page, head, show, view


@view("restore")
def render(page: Page) -> None:
    """Show the form and, once filled in, the line."""
    head(page, page.text("restore.title"))
    show(f'<p class="lead">{escape(page.text("restore.lead"))}</p>')
    stores = [
        row["datastore_id"] for row in catalogue.datastores(page.snapshot) if page.reader.may_write(row["team_id"])
    ]
    if not page.reader.may_write():
        show(f"<p>{escape(page.text('restore.members_only'))}</p>")
    elif not stores:
        show(f"<p>{escape(page.text('restore.no_stores'))}</p>")
    else:
        _form(page, stores)


def _form(page: Page, stores: list[str]) -> None:
    zone = ZoneInfo(str(page.organisation["timezone"]))
    today = page.organisation["built_at"].astimezone(zone).date()

    def moment(column: str) -> datetime | None:
        day, clock = st.columns(2)
        label = page.text(f"restore.{column}")
        with day:
            on = st.date_input(label, value=today, key=f"{column}-day", format="YYYY-MM-DD")
        with clock:
            at = st.time_input(page.text("restore.clock", of=label), value=None, key=f"{column}-time", step=60)
        return datetime.combine(on, at, zone) if isinstance(at, time) and not isinstance(on, tuple) else None

    store = st.selectbox(page.text("restore.datastore"), stores, key="restore-store")
    requested, restored, verified = (moment(c) for c in ("requested_at", "restored_at", "verified_at"))
    successful = st.checkbox(page.text("restore.successful"), key="restore-ok")
    size = st.number_input(page.text("restore.size"), min_value=0.0, value=None, key="restore-size")
    if requested is None:
        show(f"<p>{escape(page.text('restore.fill_in'))}</p>")
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
    text, wrong = registers.line("restore_tests", values, str(page.organisation["timezone"]))
    wrong += _order(page, requested, restored, verified)
    if wrong:
        items = "".join(f"<li>{escape(reason)}</li>" for reason in wrong)
        show(f"<p>{escape(page.text('restore.wrong'))}</p><ul>{items}</ul>")
        return
    show(f"<p>{escape(page.text('restore.line_hint'))}</p>")
    st.code(f"{registers.header('restore_tests')}\n{text}", language="text")
    st.download_button(page.text("restore.download"), f"{text}\n", f"{values['test_id']}.csv", "text/csv")


def _order(page: Page, requested: datetime, restored: datetime | None, verified: datetime | None) -> list[str]:
    """Say what cannot have happened in this order; a register line that no check would stop must not be made here."""
    instants = [at for at in (requested, restored, verified) if at is not None]
    return [] if instants == sorted(instants) else [page.text("restore.order")]

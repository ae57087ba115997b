"""The addresses of the app: what Streamlit's pages need, our files, signing in and out. Nothing else leads anywhere.

Streamlit also offers uploads, figures of its own memory and a door for programs; they are not listed, and so not there.
"""

from __future__ import annotations

import re

from door.rules import READING, Opening
from opsmetrics.reports.addresses import FILES, PAGES

SIGN_IN, CALLBACK, SIGN_OUT = "/logg-inn", "/oauth2callback", "/logg-ut"
DAGSTER = "/dagster"
OPERATOR = "admin"
"""Role that the Dagster page takes."""
HEALTH = "/_stcore/health"


def _at(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def openings() -> tuple[Opening, ...]:
    """Return where the app can be asked."""
    # Paths are letters and hyphens (opsmetrics/reports/addresses.py): they mean themselves.
    pages = "|".join(page.path for page in PAGES)
    return (
        Opening(_at(HEALTH), is_open=True),
        Opening(_at(r"/static/.+|/app/static/[\w.-]+"), is_open=True, is_kept=True),
        Opening(_at(r"/favicon\.png"), is_open=True),
        Opening(_at(f"{SIGN_IN}|{CALLBACK}"), frozenset({"GET"}), is_open=True),
        Opening(_at(SIGN_OUT), READING | {"POST"}, is_open=True),
        # Signed for one table and one session: /ned asks for the signature itself, so that curl can come too.
        Opening(_at(rf"{FILES}/[\w-]+\.\w+"), is_open=True),
        Opening(_at(rf"{DAGSTER}(?:/.*)?"), READING | {"POST"}, role=OPERATOR),
        Opening(_at(rf"{DAGSTER}/graphql"), frozenset({"GET"}), is_socket=True, role=OPERATOR),
        Opening(_at(r"/_stcore/stream"), frozenset({"GET"}), is_socket=True),
        Opening(_at(r"/_stcore/host-config|/_stcore/bidi-components/.+|/media/.+")),
        Opening(_at(f"/(?:{pages})/?")),
    )

"""The addresses of the app: what Streamlit's pages need, our files, signing in and out. Nothing else leads anywhere.

Streamlit also offers uploads, figures of its own memory and a door for programs; they are not listed, and so not there.
"""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from door.rules import READING, Opening
from opsmetrics.reports.addresses import FILES, PAGES

SIGN_IN, CALLBACK, SIGN_OUT = "/logg-inn", "/oauth2callback", "/logg-ut"
DAGSTER = "/dagster"
OPERATOR = "admin"
"""Role that the Dagster page takes."""
HEALTH = "/_stcore/health"


def _at(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _files() -> frozenset[str]:
    """Paths of Streamlit's files and of ours; for any other it would send its page, to be kept for a year."""
    folders = (
        ("/static", Path(st.__file__).parent / "static" / "static"),
        ("/app/static", Path(__file__).with_name("static")),
    )
    return frozenset(
        f"{path}/{found.relative_to(folder).as_posix()}"
        for path, folder in folders
        for found in folder.rglob("*")
        if found.is_file()
    )


def openings(*, has_sign_in: bool = True, has_dagster: bool = False) -> tuple[Opening, ...]:
    """Return where the app can be asked.

    Args:
        has_sign_in: Whether people sign in; where nobody does, Streamlit would answer there in its own way.
        has_dagster: Whether it shows the Dagster page to operators.
    """
    dagster = (
        Opening(_at(rf"{DAGSTER}(?:/.*)?"), READING | {"POST"}, role=OPERATOR),
        Opening(_at(rf"{DAGSTER}/graphql"), frozenset({"GET"}), is_socket=True, takes_text=True, role=OPERATOR),
    )
    sign_in = (
        Opening(_at(f"{SIGN_IN}|{CALLBACK}"), frozenset({"GET"}), is_open=True),
        Opening(_at(SIGN_OUT), READING | {"POST"}, is_open=True),
    )
    # Paths are letters and hyphens (opsmetrics/reports/addresses.py): they mean themselves.
    pages = "|".join(page.path for page in PAGES)
    return (
        Opening(_at(HEALTH), is_open=True),
        Opening(_at(r"/static/.+|/app/static/.+"), is_open=True, is_kept=True, is_there=_files().__contains__),
        Opening(_at(r"/favicon\.png"), is_open=True),
        *(sign_in if has_sign_in else ()),
        # Signed for one table and one session: /ned asks for the signature itself, so that curl can come too.
        Opening(_at(rf"{FILES}/[\w-]+\.\w+"), is_open=True),
        *(dagster if has_dagster else ()),
        Opening(_at(r"/_stcore/stream"), frozenset({"GET"}), is_socket=True),
        Opening(_at(r"/_stcore/host-config|/_stcore/bidi-components/.+|/media/.+")),
        Opening(_at(f"/(?:{pages})/?")),
    )

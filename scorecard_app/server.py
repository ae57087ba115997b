"""The server: Streamlit as an ASGI app with what it lacks. Run by ``streamlit run`` (``opsmetrics app``).

That is: compression, the page's language, security headers, downloads, and a refusal to serve strangers.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from scorecard_app import access, downloads, listen_policy
from scorecard_app.headers import PageHeaders

sign_in = listen_policy.checked()
# Streamlit looks for this very assignment.
app = st.App(
    Path(__file__).with_name("app.py"),
    secrets=access.secrets(sign_in) if sign_in else None,
    routes=downloads.ROUTES,
    middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=4), Middleware(PageHeaders)],
)

"""The server: Streamlit as an ASGI app with what it lacks. Run by ``streamlit run`` (``opsmetrics app``).

That is: compression, the page's language, security headers, downloads, and a refusal to serve strangers.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from opsmetrics.errors import ConfigurationError
from opsmetrics.settings import SignIn
from scorecard_app import access, downloads
from scorecard_app.texts import LANGUAGES, text

# Streamlit writes styles and starts its workers from blobs; nothing is ever fetched from another host.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss: data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_DROPPED = (b"if-none-match", b"if-modified-since", b"accept-encoding")


class PageHeaders:
    """ASGI middleware: security headers on every answer; the page's language and name in the HTML shell.

    Streamlit always says ``lang="en"`` (WCAG 3.1.1), and names every page alike until its script has run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] == "HEAD":
            await self.app(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [LANGUAGES[0]])[0]
        language = asked if asked in LANGUAGES else LANGUAGES[0]
        start: Message | None = None
        body = b""

        async def pass_on(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "text/html" in headers.get("content-type", ""):
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                shown = _translated(body, language)
                MutableHeaders(scope=start)["content-length"] = str(len(shown))
                await send(start)
                message = {"type": "http.response.body", "body": shown}
            await send(message)

        if "text/html" in Headers(scope=scope).get("accept", ""):
            # A cached copy would be in another language, and a compressed one (Streamlit does that) cannot be changed.
            scope["headers"] = [item for item in scope["headers"] if item[0] not in _DROPPED]
        await self.app(scope, receive, pass_on)


def _translated(body: bytes, language: str) -> bytes:
    name = text(language, "app.name")
    html = body.decode("utf-8").replace('<html lang="en"', f'<html lang="{language}"', 1)
    return re.sub(r"<title>.*?</title>", f"<title>{name}</title>", html, count=1).encode()


def is_loopback(address: str | None) -> bool:
    """Whether only this machine can reach an address; no address means every interface."""
    if address in {None, ""}:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(address)).is_loopback
    except ValueError:
        return False


def refusal(address: str | None, *, has_sign_in: bool) -> str | None:
    """Return why the app must not listen there, or None."""
    if has_sign_in or is_loopback(address):
        return None
    return (
        f"The app will not listen on {address or 'every interface'} without sign-in: anyone who reaches the port could "
        "read everything. Set OPSMETRICS_OIDC_..., OPSMETRICS_COOKIE_SECRET and OPSMETRICS_PUBLIC_URL (docs/app.md), "
        "or listen on 127.0.0.1."
    )


def checked() -> SignIn | None:
    """Return the settings of sign-in for the address that the server was told to listen on.

    Exits with a sentence where the settings are wrong, or where the app must not listen.
    """
    try:
        settings = access.sign_in()
        if settings is not None:
            access.rules()
    except ConfigurationError as error:
        sys.exit(str(error))
    why_not = refusal(config.get_option("server.address"), has_sign_in=settings is not None)
    if why_not:
        sys.exit(why_not)
    return settings


sign_in = checked()
# Streamlit looks for this very assignment.
app = st.App(
    Path(__file__).with_name("app.py"),
    secrets=access.secrets(sign_in) if sign_in else None,
    routes=downloads.ROUTES,
    middleware=[Middleware(GZipMiddleware, minimum_size=1024, compresslevel=4), Middleware(PageHeaders)],
)

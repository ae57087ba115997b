"""What the answers of the server carry: security headers, and the page's language and name."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsmetrics.language.texts import LANGUAGES, text
from scorecard_app.current import default_language
from scorecard_app.markup import attribute_list, element

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
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        start: Message | None = None
        body = b""

        async def pass_on(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                # A brief is a file of its own, maybe compressed, not the shell.
                if "text/html" in headers.get("content-type", "") and "content-disposition" not in headers:
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                shown = _translated(body, asked if asked in LANGUAGES else default_language())
                MutableHeaders(scope=start)["content-length"] = str(len(shown))
                await send(start)
                message = {"type": "http.response.body", "body": shown}
            await send(message)

        if "text/html" in Headers(scope=scope).get("accept", ""):
            # A cached copy would be in another language, and a compressed one (Streamlit does that) cannot be changed.
            scope["headers"] = [item for item in scope["headers"] if item[0] not in _DROPPED]
        await self.app(scope, receive, pass_on)


def _translated(body: bytes, language: str) -> bytes:
    title = element("title", text(language, "app.name"))
    html = body.decode("utf-8")
    html = html.replace(f"html{attribute_list(lang='en')}", f"html{attribute_list(lang=language)}", 1)
    return re.sub(r"<title>.*?</title>", lambda _: title, html, count=1).encode()

"""What the app's page carries: its content security policy, its language and its name."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opsmetrics.language.texts import LANGUAGES, text
from scorecard_app.current import default_language
from scorecard_app.markup import attribute_list, element
from scorecard_app.raw_html import style

# What Streamlit needs beside its own files: the one script in its page and styles, by their digests; scripts of
# components as blobs; WebAssembly, for long numbers; styles of single elements. What that leaves open stands in
# docs/threat-model.md.
# Styles that the pinned Streamlit writes into the page: empty ones that scripts fill, React Aria's, Plotly's for maps.
STREAMLIT_STYLES = (
    "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o=",
    "sha256-2GF9hCGTDj/GGFNlQA54jDdMGl2fvoeZmZjAvBSiAtM=",
)
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def _policy() -> str:
    shell = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    digests = " ".join(f"'{digest(script)}'" for script in INLINE_SCRIPT.findall(shell))
    # Read once for both: a file that is exchanged under a running app would be refused by its own policy.
    ours = digest(style())
    styles = " ".join(f"'{name}'" for name in (ours, *STREAMLIT_STYLES))
    return (
        f"default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval' {digests}; "
        f"style-src 'self'; style-src-elem 'self' {styles}; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; "
        "media-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    )


def digest(content: str) -> str:
    """Return how a policy names a script or style by its content."""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


POLICY = _policy()
_DROPPED = (b"if-none-match", b"if-modified-since", b"accept-encoding")


class PageLanguage:
    """ASGI middleware: the page's language and name in the HTML shell.

    Streamlit always says ``lang="en"`` (WCAG 3.1.1), and names every page alike until its script has run.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] == "HEAD":
            await self.app(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[-1]
        start: Message | None = None
        body = b""

        async def pass_on(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # A brief is a file of its own, and a page with a policy is one of ours or Dagster's: not the shell.
                of_others = "content-disposition" in headers or "content-security-policy" in headers
                if "text/html" in headers.get("content-type", "") and not of_others:
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

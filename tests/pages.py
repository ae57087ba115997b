"""Pages of the app without a browser: one run of one page, and what it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from tests.patience import LIMIT_SECONDS


def script(view: str) -> None:
    import importlib  # noqa: PLC0415 - AppTest runs this function's source alone

    importlib.import_module(f"scorecard_app.views.{view}").render()


def open_page(view: str, home: Path, monkeypatch: pytest.MonkeyPatch, **query: str | list[str]) -> tuple[AppTest, str]:
    """Run one page and return it with all the HTML it shows.

    Raises:
        AssertionError: The page ended with an exception.
    """
    monkeypatch.setenv("OPSMETRICS_HOME", str(home))
    app = AppTest.from_function(script, kwargs={"view": view}, default_timeout=LIMIT_SECONDS)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, (view, query, app.exception)
    return app, html_of(app)


def html_of(app: AppTest) -> str:
    """Return the HTML that a page shows now."""
    return "\n".join(element.proto.body for element in app.main if element.type == "html")


def flat(html: str) -> str:
    """Return the words of some HTML."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page: its address apart, its words, and whether it says that the reader is there already."""

    path: str
    query: tuple[tuple[str, str], ...]
    fragment: str
    words: str
    is_current: bool


def links_of(html: str) -> list[Link]:
    """Return the links of some HTML, in order."""
    found = []
    for attributes, words in re.findall(r"<a ([^>]*)>(.*?)</a>", html, flags=re.DOTALL):
        href = re.search(r'href="([^"]*)"', attributes)
        assert href, attributes
        parts = urlsplit(unescape(href[1]))
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        # Of a link out of the app the path is the whole address up to there.
        path = f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path
        found.append(Link(path, query, parts.fragment, flat(words).strip(), "aria-current" in attributes))
    return found

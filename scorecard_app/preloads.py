"""What the app's page asks the browser to fetch at once, beside what Streamlit's own page names.

Streamlit loads the code of an element when the first of its kind arrives, and that code loads what it needs in turn:
two or three rounds in which the reader waits. The browser has nothing to do while the session begins.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import streamlit as st
from markupsafe import Markup

from scorecard_app.markup import element, join

# Kinds of elements that every page holds.
_KINDS = ("Html", "Selectbox", "BidiComponent")
_CONFIGURATION = Path(__file__).parent / ".streamlit" / "config.toml"
_IMPORTS = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')
_NAMED = re.compile(r'"\./static/js/([\w.-]+\.js)"')


@cache
def preloads() -> Markup:
    """Return what stands in the page's head: the font of our words, and the code of our elements."""
    folder = Path(st.__file__).parent / "static"
    named = set(_NAMED.findall((folder / "index.html").read_text(encoding="utf-8")))
    code = dict.fromkeys(name for kind in _KINDS for name in _needed(folder / "static" / "js", kind, named))
    # The first of the fonts holds the letters of nearly all text.
    first, *_ = tomllib.loads(_CONFIGURATION.read_text(encoding="utf-8"))["theme"]["fontFaces"]
    font = element("link", rel="preload", href=first["url"], as_="font", type="font/woff2", crossorigin=True)
    links = (element("link", rel="modulepreload", href=f"./static/js/{name}", crossorigin=True) for name in code)
    return join(font, links)


def _needed(folder: Path, kind: str, named: set[str]) -> Iterator[str]:
    """Yield the file of a kind of element and those that it imports, but for those that the page names already."""
    todo = [path.name for path in folder.glob(f"{kind}.*.js")]
    while todo:
        name = todo.pop()
        if name in named:
            continue
        named.add(name)
        yield name
        todo += _IMPORTS.findall((folder / name).read_text(encoding="utf-8"))

"""The only door to Streamlit's raw HTML; it takes :class:`Markup` alone, so nothing unescaped can pass."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from markupsafe import Markup

from opsmetrics.language.texts import LANGUAGES
from scorecard_app.markup import element

_STYLE = Path(__file__).parent / "style.css"


def show(content: Markup) -> None:
    """Show HTML under the app's styles, marked with its language (the page itself may still say English).

    Raises:
        TypeError: It is a text, not Markup.
    """
    if not isinstance(content, Markup):  # for those who do not check types
        raise TypeError(f"markup is shown, not text: {content!r}")
    language = str(st.session_state.get("lang", LANGUAGES[0]))
    _write(element("div", content, class_="ops", lang=language))


def show_style() -> None:
    """Put the app's style sheet on the page."""
    _write(element("style", style()))


def _write(content: Markup) -> None:
    st.html(content)


@cache
def style() -> Markup:
    """Return the app's style sheet, as it was when it was first read."""
    return Markup(_STYLE.read_text(encoding="utf-8"))  # noqa: S704 - a file of our own

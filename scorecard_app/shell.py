"""The one component of our own: ``shell.js``, mounted on every page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from streamlit.components import v2

_SCRIPT = Path(__file__).with_name("shell.js")


@cache
def _component() -> Any:
    return v2.component("ops-shell", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False)


def mount(language: str) -> None:
    """Put the shell on the page; it holds no data but the page's language."""
    _component()(key="ops-shell", data={"language": language}, height=1)

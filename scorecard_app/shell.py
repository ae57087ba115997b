"""The one component of our own: ``shell.js``, mounted on every page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from streamlit.components import v2

from opsmetrics.language.texts import text

_SCRIPT = Path(__file__).with_name("shell.js")
_ENGLISH = "en"
# What Streamlit and React Aria write in English whatever the page's language, and how we say it. A pattern is all of a
# text or of an attribute; what its groups find is written into the text at $1, $2 ..., months by their names.
PATTERNS = {
    "skip": r"Skip to main content",
    "open": r"Open",
    "dismiss": r"Dismiss",
    "choose": r"Choose an option",
    "no_results": r"No results",
    "options_none": r"0 options available\.",
    "options_one": r"1 option available\.",
    "options": r"(\d+) options available\.",
    "choose_date": r"Choose date",
    "choose_date_of": r"Choose date, (.+)",
    "date": r"Selected Date: (\w+) (\d+), (\d+)",
    "month_value": r"(\d+) – (\w+)",
    "day": r"day, (.+)",
    "month": r"month, (.+)",
    "year": r"year, (.+)",
    "hour": r"hour, (.+)",
    "minute": r"minute, (.+)",
    "previous_month": r"Previous month",
    "next_month": r"Next month",
    "decrement": r"Decrement",
    "increment": r"Increment",
    "calendar": r"Use arrow keys to navigate dates\. Enter to select\. Escape to close\.?",
}
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def words(language: str) -> dict[str, Any]:
    """Return the framework's words as the page says them: patterns with their texts, and months; nothing in English."""
    if language == _ENGLISH:
        return {"patterns": [], "months": {}}
    return {
        "patterns": [[pattern, text(language, f"shell.{name}")] for name, pattern in PATTERNS.items()],
        "months": {name: text(language, f"shell.{name.lower()}") for name in MONTHS},
    }


@cache
def _component() -> Any:
    return v2.component("ops-shell", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False)


def mount(language: str) -> None:
    """Put the shell on the page; it holds no data but the page's language, and the framework's words in it."""
    _component()(key="ops-shell", data={"language": language, "words": words(language)}, height=1)

"""Opaque codes in texts of people: a number, a key, a reference; a sentence is none and is left where it stands."""

from __future__ import annotations

import re

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_REFERENCE = re.compile(r"[\w.-]+/[\w.-]+[#@]\d+|#\d+")


def code_of(text: str) -> str | None:
    """Return a text that is one code as a whole, else None."""
    return text if _CODE.fullmatch(text) else None


def reference_of(text: str) -> str | None:
    """Return a text that is a code or a reference such as ``owner/repository#12`` as a whole, else None."""
    return text if _REFERENCE.fullmatch(text) else code_of(text)

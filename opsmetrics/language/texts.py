"""Texts of the app in Norwegian bokmål and English: one TOML file per language, equal keys (a test says so)."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from opsmetrics.language.grammar import inflected

LANGUAGES = ("nb", "en")


@cache
def texts(language: str) -> dict[str, str]:
    """Return all texts of a language, keys as ``section.name``.

    Raises:
        KeyError: The language is unknown.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    raw = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{section}.{key}": text for section, items in raw.items() for key, text in items.items()}


def text(language: str, key: str, **values: Any) -> str:
    """Return one text with its placeholders filled, in the forms that its numbers ask for (``grammar``).

    Raises:
        KeyError: There is no such text; nothing is ever shown untranslated in silence.
    """
    return inflected(texts(language)[key], values).format(**values)

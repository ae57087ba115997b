"""The grammar of numbers: a text holds its forms, and the number chooses among them.

``[count:åpen sårbarhet|åpne sårbarheter]`` is the first of one and the second of any other number; of three forms the
first is of none: ``[count:Ingen beslutninger|Én beslutning|{count} beslutninger]``. Which number is *one* is the
language's own rule (CLDR).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from babel import Locale

from opsmetrics.language.fmt import LOCALES

FORMS = re.compile(r"\[(\w+):([^\[\]]*)\]")
_PLURAL = {language: Locale.parse(locale).plural_form for language, locale in LOCALES.items()}


def inflected(language: str, words: str, values: Mapping[str, Any]) -> str:
    """Return a text with the forms that its numbers ask for.

    Args:
        language: nb or en.
        words: The text, with forms.
        values: The numbers by name; one that is written already (``1 204``) counts by what it says.

    Raises:
        KeyError: A form names no value.
    """
    return (
        FORMS.sub(lambda found: _form(language, values[found[1]], found[2].split("|")), words)
        if "[" in words
        else words
    )


def _form(language: str, value: Any, forms: list[str]) -> str:
    is_none, is_one = str(value) == "0", _is_one(language, value)
    if len(forms) > 2:
        return forms[0] if is_none else forms[1] if is_one else forms[2]
    return forms[0] if is_one else forms[1]


def _is_one(language: str, value: Any) -> bool:
    """Whether a number is *one*; what is written with decimals or in thousands is not."""
    written = str(value)
    return written.isdecimal() and _PLURAL[language](int(written)) == "one"

"""The grammar of numbers: a text holds its forms, and the number chooses among them.

``[count:åpen sårbarhet|åpne sårbarheter]`` is the first of one and the second of any other number; of three forms the
first is of none: ``[count:Ingen beslutninger|Én beslutning|{count} beslutninger]``. Both languages
have the same *one*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FORMS = re.compile(r"\[(\w+):([^\[\]]*)\]")


def inflected(words: str, values: Mapping[str, Any]) -> str:
    """Return a text with the forms that its numbers ask for.

    Args:
        words: The text, with forms.
        values: The numbers by name; one that is written already (``1 204``) counts by what it says.

    Raises:
        KeyError: A form names no value.
    """
    return FORMS.sub(lambda found: _form(values[found[1]], found[2].split("|")), words) if "[" in words else words


def _form(value: Any, forms: list[str]) -> str:
    is_none, is_one = str(value) == "0", _is_one(value)
    if len(forms) > 2:
        return forms[0] if is_none else forms[1] if is_one else forms[2]
    return forms[0] if is_one else forms[1]


def _is_one(value: Any) -> bool:
    """Whether a number is *one*, the same in both languages; what is written with decimals or in thousands is not."""
    written = str(value)
    return written.isdecimal() and int(written) == 1

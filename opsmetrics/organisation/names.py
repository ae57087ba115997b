"""Names of the configuration against names of the sources: which of them are the same.

A monitor and a repository are names, whatever signs they hold; ``glob:`` before one makes it a pattern (ADR 0029).
Names of services, teams, datastores and repositories are compared without regard to case, since exports, people and
GitHub write them as they like; monitors are compared as written, because their systems tell ``API`` from ``api``.
"""

from __future__ import annotations

import re
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated, Any, cast
from unicodedata import normalize

from pydantic import BeforeValidator, Field, model_validator

from opsmetrics.core.model import Model
from opsmetrics.language.bilingual import Text

PATTERN = "glob:"
_SIGNS = re.compile(r"[*?\[]")


class Alias(Model):
    """A name that something had before, or has elsewhere; without days it always means the same thing.

    Attributes:
        name: As the source writes it.
        valid_from: First day on which the name meant it.
        valid_to: Day from which it no longer does.
    """

    name: str = Field(min_length=1, pattern=r"\S")
    valid_from: date | None = Field(default=None, alias="from")
    valid_to: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ends_after_start(self) -> Alias:
        if self.valid_from and self.valid_to and self.valid_to <= self.valid_from:
            raise ValueError("'to' must be later than 'from' (the range is half-open)")
        return self


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


AnyAlias = Annotated[Alias, BeforeValidator(_named)]


def _in_both(value: Any) -> Any:
    """What exists in one language is said in the other too, so that every table and page has a name to show."""
    if isinstance(value, str):
        if not value.strip():
            raise ValueError('it is empty; write name = "..."')
        return {"nb": value, "en": value}
    if isinstance(value, dict):
        written = cast("dict[str, Any]", value)
        if not written.keys() & {"nb", "en"}:
            raise ValueError('it is in neither language; write name = "...", or { nb = "...", en = "..." }')
        one = written.get("nb", written.get("en"))
        return {"nb": one, "en": one, **written}
    return value


Name = Annotated[Text, BeforeValidator(_in_both)]


# Kept, because the names of services.toml are compared with those of every row that a source tells.
@lru_cache(maxsize=1 << 16)
def folded(name: str) -> str:
    """Return a name as it is compared where case says nothing: sign by sign, as SQL's ``lower`` does."""
    return "".join(sign.lower()[0] for sign in composed(name.strip()))


def composed(text: str) -> str:
    """Return a text with each letter as one sign, as rows are landed: some systems write å as a and a ring."""
    return normalize("NFC", text)


def is_pattern(text: str) -> bool:
    """Whether a monitor or a repository of services.toml is marked as a pattern."""
    return text.startswith(PATTERN)


def pattern_of(text: str) -> str:
    """Return what is compared: the text after ``glob:``, or the name itself."""
    return text.removeprefix(PATTERN)


def has_pattern_signs(text: str) -> bool:
    """Whether a text that is not marked as a pattern holds ``*``, ``?`` or ``[``."""
    return not is_pattern(text) and _SIGNS.search(text) is not None


def fits(text: str, name: str, *, keeps_case: bool = False) -> bool:
    """Whether a name of a source is the one that a text of services.toml means.

    Args:
        text: A name, or a pattern after ``glob:`` (``*`` any signs, ``?`` one, ``[ab]`` one of them).
        name: As the source writes it.
        keeps_case: Whether ``API`` and ``api`` are two.
    """
    wanted, found = pattern_of(text), name
    if not keeps_case:
        wanted, found = folded(wanted), folded(found)
    return fnmatchcase(found, wanted) if is_pattern(text) else found == wanted

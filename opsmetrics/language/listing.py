"""Names in a row, as a sentence says them: ``A, B og C``, and of too many ``A, B, C og 4 til``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.language.texts import text


@dataclass(frozen=True, slots=True)
class Listing:
    """How some names are put together.

    Attributes:
        before: What stands before each name that is shown.
        more: What stands behind them: ``og 4 til``; empty where all are shown.
    """

    before: tuple[str, ...]
    more: str


def listing(language: str, names: Sequence[str], most: int) -> Listing:
    """Return how names are put together.

    Args:
        language: nb or en.
        names: All of them; one with a comma in it makes semicolons of the commas between them.
        most: How many are shown; one more alone is shown too, since saying that there is one is no shorter.
    """
    shown = len(names) if len(names) <= most + 1 else most
    rest = len(names) - shown
    comma = "; " if any(", " in name for name in names[:shown]) else ", "
    last = comma if rest or shown < 2 else f" {text(language, 'list.and')} "
    before = ("", *(comma,) * (shown - 2), *((last,) if shown > 1 else ()))[:shown]
    return Listing(before, text(language, "list.more", count=rest) if rest else "")


def listed(language: str, names: Sequence[str], most: int | None = None) -> str:
    """Return names in a row; of more than ``most`` the first ones and how many there are besides."""
    found = listing(language, names, len(names) if most is None else most)
    said = "".join(part for pair in zip(found.before, names, strict=False) for part in pair)
    return f"{said} {found.more}" if found.more else said

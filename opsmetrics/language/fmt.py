"""Numbers, dates and percent as each language writes them.

Signs and names are those of CLDR, held by the tests against Babel, which has them for every language there is (ADR 47).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

NBSP = "\u00a0"
MINUS = "\u2212"
DECIMAL_SIGNS = {"nb": ",", "en": "."}
_GROUP_SIGNS = {"nb": NBSP, "en": ","}
_SIGNS = {
    language: str.maketrans({",": _GROUP_SIGNS[language], ".": sign, "-": MINUS})
    for language, sign in DECIMAL_SIGNS.items()
}
_MONTHS = {
    "nb": (
        *("januar", "februar", "mars", "april", "mai", "juni"),
        *("juli", "august", "september", "oktober", "november", "desember"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_SHORT_MONTHS = {
    "nb": ("jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"),
}
# Edges of levels are multiples of it (method 3.6).
LEVEL_STEP = 20
MISSING = "–"
_EXACT = 6  # decimals of a number that somebody wrote
_DAY = re.compile(r"(?<![\w.-])\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\w-])")
_STAR = "\u2217"
IN_PERCENT = {"share", "utilisation", "budgets"}


def unmarked(name: str) -> str:
    """Return a name for a text in which ``*this*`` is strong: its own stars are signs like others."""
    return name.replace("*", _STAR)


def number(language: str, value: float | None, decimals: int = 0) -> str:
    """Return a number with fixed decimals and a real minus sign; missing values are a dash."""
    if value is None:
        return MISSING
    # Nought has no sign.
    rounded = round(value, decimals) + 0.0
    return f"{rounded:,.{decimals}f}".translate(_SIGNS[language])


def exact(language: str, value: float | None) -> str:
    """Return a number of the rules with the decimals that it has: a weight of 1.5 is never said to be 2."""
    if value is None:
        return MISSING
    return number(language, value, len(f"{value:.{_EXACT}f}".rstrip("0").partition(".")[2]))


def score(language: str, value: float | None) -> str:
    """Return a score in whole points; 59.9 is never said to be 60: just under a level its first decimal stands too."""
    if value is None:
        return MISSING
    whole = round(value)
    # A weighted mean of hundreds can miss 100 by the last bit, and no level begins there.
    if whole > value and whole % LEVEL_STEP == 0 and not math.isclose(value, 100):
        return number(language, math.floor(value * 10) / 10, 1)
    return number(language, value)


def scores(language: str, *values: float | None) -> list[str]:
    """Return scores that are compared, with the same decimals: 59.9 → 70.0; none of them is rounded to a level."""
    said = [score(language, value) for value in values]
    if not any(DECIMAL_SIGNS[language] in words for words in said):
        return said
    return [
        words if DECIMAL_SIGNS[language] in words else score_in_tenths(language, value)
        for words, value in zip(said, values, strict=True)
    ]


def score_in_tenths(language: str, value: float | None) -> str:
    """Return a score as it stands beside how far it moved (:func:`moved`); none is rounded up to a level."""
    return MISSING if value is None else number(language, tenths(value), 1)


def tenths(score: float) -> float:
    """Return a score in the tenths that are shown of it: 59.96 is 59.9, and not the 60.0 of the next level."""
    edge = round(score, 1)
    is_lifted = edge > score and edge % LEVEL_STEP == 0 and not math.isclose(score, 100)
    return math.floor(score * 10) / 10 if is_lifted else edge


def moved(before: float | None, after: float | None) -> float | None:
    """Return how far a score moved, in tenths of what is shown of it: before, difference and after add up as written.

    None where one of the two is missing.
    """
    if before is None or after is None:
        return None
    # Nought has no sign.
    return round(tenths(after) - tenths(before), 1) + 0.0


def points(language: str, *values: float | None) -> list[str]:
    """Return points of metrics as scores are written; what misses a whole number by the last bit is that number."""
    whole = (None if value is None else round(value) for value in values)
    pairs = zip(values, whole, strict=True)
    return scores(
        language, *(near if near is not None and math.isclose(value or 0, near) else value for value, near in pairs)
    )


def signed(language: str, value: float | None) -> str:
    """Return a number with one decimal and its sign."""
    if value is None:
        return MISSING
    rounded = round(value, 1) + 0.0
    return ("+" if rounded > 0 else "") + number(language, rounded, 1)


def percent(language: str, ratio: float | None, decimals: int = 0) -> str:
    """Return a ratio 0..1 as percent; 99.6 is never said to be all, nor 59.7 the 60 that a sure score needs."""
    if ratio is None:
        return MISSING
    share = ratio * 100
    edge = round(share, decimals)
    if edge > share and edge % LEVEL_STEP == 0 and not math.isclose(edge, share, abs_tol=1e-9):
        share = math.floor(share * 10**decimals) / 10**decimals
    return _percent(language, share, decimals)


def _percent(language: str, share: float | None, decimals: int) -> str:
    return MISSING if share is None else number(language, share, decimals) + (f"{NBSP}%" if language == "nb" else "%")


def span(low: str, high: str) -> str:
    """Return a range of what is written already; of ends that are written alike the one."""
    return low if low == high else f"{low}–{high}"


def chance(language: str, probability: float | None) -> str:
    """Return a probability in whole percent; what was estimated is never said to be certain."""
    if probability is not None and not 0.01 <= probability <= 0.99:
        return f"<{percent(language, 0.01)}" if probability < 0.01 else f">{percent(language, 0.99)}"
    return percent(language, probability)


class Requirement(NamedTuple):
    """What a metric's value is held against where both are written, and which way is good."""

    value: float
    is_up_good: bool


def metric_value(language: str, unit: str, value: float | None, required: Requirement | None = None) -> str:
    """Return a metric's value in its unit."""
    if value is None:
        return MISSING
    return _measure(language, unit, value, _decimals(unit, value), required)


def metric_values(
    language: str,
    unit: str,
    *values: float | None,
    beside: Sequence[float | None] = (),
    required: Requirement | None = None,
) -> list[str]:
    """Return values of one metric that are compared, with the same decimals, none where all are whole: 100% → 50%.

    Args:
        language: nb or en.
        unit: The metric's.
        values: What is written.
        beside: Other values of the metric that are written in the same place: their decimals count too.
        required: What stands in the same place as the requirement: no value that falls short of it is written as if it
            did not.
    """
    if unit not in IN_PERCENT:
        return [metric_value(language, unit, value, required) for value in values]
    known = [value for value in (*values, *beside) if value is not None]
    is_whole = unit != "budgets" and all(map(_is_whole_percent, known))
    decimals = 0 if is_whole else max((_decimals(unit, value) for value in known), default=0)
    return [MISSING if value is None else _measure(language, unit, value, decimals, required) for value in values]


def deciding(unit: str, values: Iterable[float | None]) -> tuple[float, ...]:
    """Return the one or two of many values that decide how all of them are written: as ``beside``, they do it alone."""
    known = [value for value in values if value is not None] if unit in IN_PERCENT else []
    if not known:
        return ()
    broken = next((value for value in known if not _is_whole_percent(value)), None)
    finest = max(known, key=lambda value: _decimals(unit, value))
    return (finest,) if broken is None else (finest, broken)


def _is_whole_percent(value: float) -> bool:
    return math.isclose(value * 100, round(value * 100), abs_tol=1e-6)


def _measure(language: str, unit: str, value: float, decimals: int, required: Requirement | None) -> str:
    """Write a value; 99.496 % is never said to be the 99.5 % that it falls short of."""
    is_percent = unit in IN_PERCENT
    scale = 100 if is_percent else 1
    shown = round(value * scale, decimals)
    if required is not None and not math.isclose(value, required.value, abs_tol=1e-9):
        is_short = value < required.value if required.is_up_good else value > required.value
        if is_short and shown == round(required.value * scale, decimals):
            shown += (-1 if required.is_up_good else 1) * 10**-decimals
    return _percent(language, shown, decimals) if is_percent else number(language, shown, decimals)


def _decimals(unit: str, value: float) -> int:
    """A share has one decimal between none and all; a budget none, but where rounding would lift it to an edge.

    The middle of two counts, and a limit of the organisation's own, may lie between two whole ones.
    """
    if unit == "count":
        return 0 if math.isclose(value, round(value)) else 1
    if unit not in IN_PERCENT:
        return 2
    if unit != "budgets":
        return 1 if 0 < value < 1 else 0
    whole = round(value * 100)
    return 1 if whole % 10 == 0 and not math.isclose(whole, value * 100) else 0


def long_date(language: str, day: date) -> str:
    """Return 22. november 2026 / 22 November 2026."""
    dot = "." if language == "nb" else ""
    return f"{day.day}{dot}{NBSP}{month_name(language, day)}{NBSP}{day.year}"


def month(language: str, day: date) -> str:
    """Return oktober 2026 / October 2026."""
    return f"{month_name(language, day)} {day.year}"


def month_name(language: str, day: date) -> str:
    """Return oktober / October."""
    return _MONTHS[language][day.month - 1]


def short_date(language: str, day: date) -> str:
    """Return 22.11.2026 / 22 Nov 2026."""
    return f"{day:%d.%m}.{day.year}" if language == "nb" else f"{day.day} {short_month(language, day)} {day.year}"


def dates_in(language: str, words: str) -> str:
    """Return words with the days in them, such as ``2026-11-01``, as the language writes days."""
    return _DAY.sub(lambda found: short_date(language, date.fromisoformat(found[0])), words)


def instant(language: str, when: datetime | None, zone: str) -> str:
    """Return a local date and time; missing instants are a dash."""
    if when is None:
        return MISSING
    local = when.astimezone(ZoneInfo(zone))
    clock = f"{local:%H.%M}" if language == "nb" else f"{local:%H:%M}"
    joint = f"{NBSP}kl.{NBSP}" if language == "nb" else ", "
    return f"{long_date(language, local.date())}{joint}{clock}"


def short_month(language: str, day: date) -> str:
    """Return okt. / Oct."""
    return _SHORT_MONTHS[language][day.month - 1]


def duration(language: str, minutes: float) -> str:
    """Return 5 min, 12,4 t / 12.4 h or 3,2 døgn / 3.2 days."""
    day, hour = 24 * 60, 60
    if minutes < hour:
        return f"{number(language, minutes)}{NBSP}min"
    if minutes < 2 * day:
        return f"{number(language, minutes / hour, 1)}{NBSP}{'t' if language == 'nb' else 'h'}"
    return f"{number(language, minutes / day, 1)}{NBSP}{'døgn' if language == 'nb' else 'days'}"

"""Numbers, dates and percent as each language writes them. Formats come from CLDR."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_decimal

LOCALES = {"nb": "nb_NO", "en": "en_GB"}
NBSP = "\u00a0"
MINUS = "\u2212"
# Edges of levels are multiples of it (method 3.6).
LEVEL_STEP = 20
MISSING = "–"
_DAY = re.compile(r"(?<![\w.-])\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?![\w-])")
IN_PERCENT = {"share", "utilisation", "budgets"}


def number(language: str, value: float | None, decimals: int = 0) -> str:
    """Return a number with fixed decimals and a real minus sign; missing values are a dash."""
    if value is None:
        return MISSING
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    rounded = round(value, decimals) + 0.0
    return format_decimal(rounded, format=pattern, locale=LOCALES[language]).replace("-", MINUS)


def score(language: str, value: float | None) -> str:
    """Return a score in whole points; 59.9 is never said to be 60: just under a level its first decimal stands too."""
    if value is None:
        return MISSING
    whole = round(value)
    # A weighted mean of hundreds can miss 100 by the last bit, and no level begins there.
    if whole > value and whole % LEVEL_STEP == 0 and not math.isclose(value, 100):
        return number(language, math.floor(value * 10) / 10, 1)
    return number(language, value)


def signed(language: str, value: float | None) -> str:
    """Return a number with one decimal and its sign."""
    if value is None:
        return MISSING
    rounded = round(value, 1) + 0.0
    return ("+" if rounded > 0 else "") + number(language, rounded, 1)


def percent(language: str, ratio: float | None, decimals: int = 0) -> str:
    """Return a ratio 0..1 as percent."""
    if ratio is None:
        return MISSING
    return number(language, ratio * 100, decimals) + (f"{NBSP}%" if language == "nb" else "%")


def chance(language: str, probability: float | None) -> str:
    """Return a probability in whole percent; what was estimated is never said to be certain."""
    if probability is not None and not 0.01 <= probability <= 0.99:
        return f"<{percent(language, 0.01)}" if probability < 0.01 else f">{percent(language, 0.99)}"
    return percent(language, probability)


def metric_value(language: str, unit: str, value: float | None) -> str:
    """Return a metric's value in its unit."""
    if value is None:
        return MISSING
    if unit in IN_PERCENT:
        return percent(language, value, _decimals(unit, value))
    return number(language, value, 0 if unit == "count" else 2)


def _decimals(unit: str, value: float) -> int:
    """A share has one decimal between none and all; a budget none, but where rounding would lift it to an edge."""
    if unit != "budgets":
        return 1 if 0 < value < 1 else 0
    whole = round(value * 100)
    return 1 if whole % 10 == 0 and not math.isclose(whole, value * 100) else 0


def long_date(language: str, day: date) -> str:
    """Return 22. november 2026 / 22 November 2026."""
    pattern = "d. MMMM y" if language == "nb" else "d MMMM y"
    return format_date(day, pattern, locale=LOCALES[language]).replace(" ", NBSP)


def month(language: str, day: date) -> str:
    """Return oktober 2026 / October 2026."""
    return format_date(day, "LLLL y", locale=LOCALES[language])


def month_name(language: str, day: date) -> str:
    """Return oktober / October."""
    return format_date(day, "LLLL", locale=LOCALES[language])


def short_date(language: str, day: date) -> str:
    """Return 22.11.2026 / 22 Nov 2026."""
    return format_date(day, "dd.MM.y" if language == "nb" else "d MMM y", locale=LOCALES[language])


def dates_in(language: str, words: str) -> str:
    """Return words with the days in them, such as ``2026-11-01``, as the language writes days."""
    return _DAY.sub(lambda found: short_date(language, date.fromisoformat(found[0])), words)


def instant(language: str, when: datetime | None, zone: str) -> str:
    """Return a local date and time; missing instants are a dash."""
    if when is None:
        return MISSING
    local = when.astimezone(ZoneInfo(zone))
    clock = format_time(local, "HH.mm" if language == "nb" else "HH:mm", locale=LOCALES[language])
    joint = f"{NBSP}kl.{NBSP}" if language == "nb" else ", "
    return f"{long_date(language, local.date())}{joint}{clock}"


def short_month(language: str, day: date) -> str:
    """Return okt. / Oct."""
    return format_date(day, "MMM", locale=LOCALES[language])


def duration(language: str, minutes: float) -> str:
    """Return 5 min, 12,4 t / 12.4 h or 3,2 døgn / 3.2 days."""
    day, hour = 24 * 60, 60
    if minutes < hour:
        return f"{number(language, minutes)}{NBSP}min"
    if minutes < 2 * day:
        return f"{number(language, minutes / hour, 1)}{NBSP}{'t' if language == 'nb' else 'h'}"
    return f"{number(language, minutes / day, 1)}{NBSP}{'døgn' if language == 'nb' else 'days'}"

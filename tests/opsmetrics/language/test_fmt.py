"""Numbers and dates against Babel, which has every language's own."""

from __future__ import annotations

import math
from datetime import UTC, date
from decimal import Decimal

import pytest
from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from hypothesis import example, given
from hypothesis import strategies as st

from opsmetrics.language import fmt
from opsmetrics.language.grammar import inflected

LOCALES = {"nb": "nb_NO", "en": "en_GB"}
LANGUAGES = st.sampled_from(sorted(LOCALES))
DAYS = st.dates(date(1970, 1, 1), date(2100, 1, 1))


@example(language="nb", value=-0.04, decimals=1)
@example(language="nb", value=-1234.5, decimals=0)
@given(language=LANGUAGES, value=st.floats(-1e12, 1e12), decimals=st.integers(0, 3))
def test_numbers_are_written_as_babel_writes_them(language, value, decimals):
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    rounded = round(value, decimals) + 0.0
    expected = format_decimal(rounded, format=pattern, locale=LOCALES[language]).replace("-", fmt.MINUS)
    assert fmt.number(language, value, decimals) == expected


@example(before=59.96, after=60.04)
@example(before=55.44, after=58.76)
@given(before=st.floats(0, 100), after=st.floats(0, 100))
def test_what_a_score_moved_is_the_difference_of_what_is_shown(before, after):
    """55.4 to 58.8 is +3.4, and 59.96 stands as 59.9 there too: it is not on the next level yet."""

    def tenths(words):
        return Decimal(words.replace(fmt.MINUS, "-"))

    shown = [fmt.score_in_tenths("en", value) for value in (before, after)]
    assert tenths(shown[1]) - tenths(shown[0]) == tenths(fmt.signed("en", fmt.moved(before, after)))
    for value, words in zip((before, after), shown, strict=True):
        assert float(words) // fmt.LEVEL_STEP <= value // fmt.LEVEL_STEP or math.isclose(value, 100)
    assert fmt.moved(before, None) is None


@given(language=LANGUAGES, day=DAYS)
def test_days_and_months_are_written_as_babel_writes_them(language, day):
    locale, is_nb = LOCALES[language], language == "nb"
    long = format_date(day, "d. MMMM y" if is_nb else "d MMMM y", locale=locale)
    assert fmt.long_date(language, day) == long.replace(" ", fmt.NBSP)
    assert fmt.month(language, day) == format_date(day, "LLLL y", locale=locale)
    assert fmt.month_name(language, day) == format_date(day, "LLLL", locale=locale)
    assert fmt.short_month(language, day) == format_date(day, "MMM", locale=locale)
    assert fmt.short_date(language, day) == format_date(day, "dd.MM.y" if is_nb else "d MMM y", locale=locale)


@given(language=LANGUAGES, when=st.datetimes(timezones=st.just(UTC)))
def test_clocks_are_written_as_babel_writes_them(language, when):
    clock = format_time(when, "HH.mm" if language == "nb" else "HH:mm", locale=LOCALES[language])
    assert fmt.instant(language, when, "UTC").endswith(clock)


@pytest.mark.parametrize("language", sorted(LOCALES))
def test_one_is_what_the_language_calls_one(language):
    is_one = Locale.parse(LOCALES[language]).plural_form
    for count in range(1_200):
        assert (inflected("[n:one|other]", {"n": count}) == "one") == (is_one(count) == "one"), count

"""The grammar of numbers, and the words that the app uses for one thing each."""

from __future__ import annotations

import re

import pytest

from opsmetrics.language.grammar import FORMS, inflected
from opsmetrics.language.texts import LANGUAGES, text, texts

COUNTED = re.compile(
    r"\{(count|days|teams|steps|soon|silent|rows|quarters|areas|metrics|minutes|overdue|open|most)\}\*? (\w+s)\b"
)
NO_PLURALS = {"is", "was", "has", "this", "serious"}


@pytest.mark.parametrize(
    ("language", "key", "values", "expected"),
    [
        ("en", "overview.cell_waived", {"count": 1}, "one metric is exempt"),
        ("en", "overview.cell_waived", {"count": 3}, "3 metrics are exempt"),
        ("nb", "overview.cell_waived", {"count": 1}, "én måling har unntak"),
        ("nb", "health.age", {"days": 0}, "i dag"),
        ("nb", "health.age", {"days": 1}, "én dag siden"),
        ("nb", "health.age", {"days": 22}, "22 dager siden"),
        ("en", "configure.unmoved", {"count": 0}, "0 teams are not affected."),
        ("nb", "gaps.days", {"days": "1"}, "én teamdag"),
        ("nb", "gaps.days", {"days": "1,0"}, "1,0 teamdager"),
        ("nb", "gaps.days", {"days": "1\u00a0204"}, "1\u00a0204 teamdager"),
    ],
)
def test_a_text_takes_the_form_of_its_number(language, key, values, expected):
    assert text(language, key, **values) == expected


def test_a_form_without_a_number_is_an_error():
    with pytest.raises(KeyError):
        inflected("nb", "[count:én|flere]", {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_form_chooses_by_a_number_of_its_text_and_has_two_or_three(language):
    for key, words in texts(language).items():
        named = set(re.findall(r"\{(\w+)\}", words))
        for name, forms in FORMS.findall(words):
            assert name in named, key
            assert len(forms.split("|")) in {2, 3}, key
        assert "[" not in FORMS.sub("", words).replace("[[", "").replace("[...]", ""), key


def test_no_english_sentence_says_one_of_many():
    """A number before a plural has its singular beside it: no ``1 teams``."""
    wrong = {
        key: found[0]
        for key, words in texts("en").items()
        for found in [COUNTED.search(FORMS.sub("", words))]
        if found and found[2] not in NO_PLURALS
    }
    assert wrong == {}

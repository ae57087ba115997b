"""The weakest of what is known: several may be, and the only one is not."""

from __future__ import annotations

import pytest

from opsmetrics.language.texts import LANGUAGES, text
from opsmetrics.reports.weakest import weakest

NAMES = {"mon": "A", "mnt": "B", "inc": "C", "sca": "D", "sec": "E"}


@pytest.mark.parametrize(
    ("scores", "area", "count"),
    [
        ({"mon": 40.0, "mnt": 20.0}, "B", 1),
        ({"mon": 0.2, "mnt": 0.0, "inc": 50.0}, "B og A", 2),  # both are written 0
        ({"mon": 100.0, "mnt": 100.0}, "A og B", 0),
        ({"mon": 62.0}, "A", 0),
        (dict.fromkeys(("mon", "mnt", "inc", "sca"), 0.0) | {"sec": 1.0}, "A, B, C og D", 4),
    ],
)
def test_several_may_be_weakest_and_all_alike_or_the_only_one_are_not(scores, area, count):
    assert weakest("nb", scores, NAMES) == {"area": area, "weakest": count}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_team_whose_areas_are_all_alike_has_none_that_pulls_it_down(language):
    """Of a team with 100 in every area the page said that the first one pulls it down most."""
    said = [
        text(language, "team.lead", score="100", level="-", **weakest(language, dict.fromkeys(NAMES, value), NAMES))
        for value in (100.0, 0.0)
    ]
    assert all("A" not in words.replace("Alle", "").replace("All", "") for words in said)
    two = weakest(language, {"mon": 0.0, "mnt": 0.0, "inc": 9.0}, NAMES)
    verb = {"nb": "trekker mest ned", "en": "pull it down most"}[language]
    assert verb in text(language, "team.lead", score="5", level="-", **two)

"""The style sheet's own colours, light and dark: contrast (WCAG 1.4.3, 1.4.11), and levels told apart by everyone."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from coloraide import Color

from scorecard_app.palette import BLUE, GREY, ORANGE, TEAL

CSS = (Path(__file__).resolve().parents[2] / "scorecard_app" / "style.css").read_text(encoding="utf-8")
PAIR = r"light-dark\((#\w{6}), (#\w{6})\)"
TOKENS = {name: (light, dark) for name, light, dark in re.findall(rf"--(\w+): {PAIR}", CSS)}
# Text on the colour of its own rule: the five levels and the four tags.
RULES = {
    name: ((back, dark_back), (text, dark_text))
    for name, back, dark_back, text, dark_text in re.findall(rf"\.(l\d) {{ background: {PAIR}; color: {PAIR}", CSS)
} | {
    name: ((back, dark_back), (text, dark_text))
    for name, text, dark_text, back, dark_back in re.findall(rf"\.tag\.(\w+) {{ color: {PAIR}; background: {PAIR}", CSS)
}


def contrast(one: str, other: str) -> float:
    return Color(one).contrast(Color(other), method="wcag21")


def test_all_pairs_were_found():
    assert {"text", "muted", "link", "page", "tint", "control", "better", "worse"} <= TOKENS.keys()
    assert len(RULES) == 9


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_is_readable(scheme):
    for name in ("text", "muted", "link", "better", "worse"):
        for ground in ("page", "tint"):
            assert contrast(TOKENS[name][scheme], TOKENS[ground][scheme]) >= 4.5, (name, ground, scheme)
    for name, (back, text) in RULES.items():
        assert contrast(back[scheme], text[scheme]) >= 4.5, (name, scheme)


@pytest.mark.parametrize("scheme", [0, 1])
def test_borders_of_controls_and_marks_of_charts_can_be_seen(scheme):
    page = TOKENS["page"][scheme]
    for colour in (TOKENS["control"][scheme], BLUE, GREY, ORANGE, TEAL):
        assert contrast(colour, page) >= 3.0, (colour, scheme)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("sight", ["", "protan", "deutan", "tritan"])
def test_levels_are_told_apart_whatever_one_sees(scheme, sight):
    """CIEDE2000 of at least 10 between any two levels, for the common kinds of colour vision (Machado's model)."""
    colours = [Color(RULES[f"l{level}"][0][scheme]) for level in range(5)]
    seen = [colour.filter(sight) if sight else colour for colour in colours]
    for one, other in itertools.combinations(seen, 2):
        assert one.delta_e(other, method="2000") >= 10

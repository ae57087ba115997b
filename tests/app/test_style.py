"""Contrast of the style sheet's own pairs (WCAG 1.4.3 and 1.4.11), light and dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


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
    from scorecard_app.charts import BLUE, GREY, ORANGE, TEAL  # noqa: PLC0415 - plotly is heavy

    page = TOKENS["page"][scheme]
    for colour in (TOKENS["control"][scheme], BLUE, GREY, ORANGE, TEAL):
        assert contrast(colour, page) >= 3.0, (colour, scheme)

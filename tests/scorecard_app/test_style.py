"""The style sheet's own colours, light and dark: contrast (WCAG 1.4.3, 1.4.11), and levels told apart by everyone."""

from __future__ import annotations

import base64
import itertools
import re
from datetime import date
from pathlib import Path

import pytest
from coloraide import Color

from opsmetrics.reports.brief import drawings
from opsmetrics.reports.brief.document import Chart
from opsmetrics.reports.palette import BANDS, BLUE, GREY, KRAV_COLOUR, KRAV_WIDTH, ORANGE, TEAL, VIOLET
from scorecard_app.charts.base import KRAV
from scorecard_app.trend_lines import Frame, trend_line

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
    for colour in (TOKENS["control"][scheme], BLUE, GREY, ORANGE, TEAL, VIOLET):
        assert contrast(colour, page) >= 3.0, (colour, scheme)


@pytest.mark.parametrize("scheme", [0, 1])
@pytest.mark.parametrize("sight", ["", "protan", "deutan", "tritan"])
def test_levels_are_told_apart_whatever_one_sees(scheme, sight):
    """CIEDE2000 of at least 10 between any two levels, for the common kinds of colour vision (Machado's model)."""
    colours = [Color(RULES[f"l{level}"][0][scheme]) for level in range(5)]
    seen = [colour.filter(sight) if sight else colour for colour in colours]
    for one, other in itertools.combinations(seen, 2):
        assert one.delta_e(other, method="2000") >= 10


LINE = Chart("median", "", "", "line", ("a", "b"), (50.0, 70.0), ("50", "70"), 100, "", "", "", 60.0, "krav 60")


def image(html):
    return base64.b64decode(re.findall(r"base64,([^\"]+)", html)[0]).decode()


def test_the_requirement_is_the_same_line_in_every_picture():
    """Teal, solid and of one width: in the charts, in the lines of tables, on paper; and nothing else is teal."""
    assert KRAV == {"color": KRAV_COLOUR, "width": KRAV_WIDTH}
    paper = str(drawings.draw(LINE, 300, 130))
    row = image(
        trend_line([(date(2026, 1, 1), 50.0), (date(2026, 2, 1), 70.0)], Frame(date(2026, 2, 1), 0, 100, 60), ".")
    )
    for drawn in (paper, row):
        [line] = re.findall(rf'<[^>]*stroke="{KRAV_COLOUR}"[^>]*>', drawn)
        assert f'stroke-width="{KRAV_WIDTH}"' in line
        assert "dasharray" not in line
        assert ORANGE not in drawn
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", CSS)
    teal = [(name.strip(), body) for name, body in rules if KRAV_COLOUR in body]
    assert {name for name, _ in teal} == {".ops .rail b.krav", ".ops .bullet::after"}
    assert all(f"width: {KRAV_WIDTH}px" in body for _, body in teal)


def test_what_is_drawn_with_the_line_of_the_requirement_is_one():
    """Today and the limits of sources are lines of another kind."""
    root = Path(__file__).resolve().parents[2] / "scorecard_app"
    lines = [
        line
        for path in root.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r'Line\(.*"krav"\)', line)
    ]
    assert lines
    assert all("krav" in line.lower().replace('"krav")', "") for line in lines), lines


def test_levels_have_the_same_colours_on_paper_as_on_the_screen():
    assert tuple(RULES[f"l{level}"][0][0] for level in range(5)) == BANDS


def test_no_severity_of_an_incident_has_the_colour_of_a_requirement_that_is_met():
    """Major ones are told by shape: a square, beside the diamond of a critical one."""
    for level in range(1, 5):
        for body in re.findall(rf"\.s{level}\b[^{{}}]*\{{([^{{}}]*)\}}", CSS):
            assert BLUE not in body

"""The parts of a change as horizontal bars on one axis from zero: a table, each of whose rows draws its bar."""

from __future__ import annotations

import base64

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports.palette import BLUE, GREY, ORANGE
from opsmetrics.reports.parts_of_change import ShownChange
from opsmetrics.reports.table import Cell, Column, Table
from scorecard_app.markup import element
from scorecard_app.page import Page

WIDTH, HEIGHT, EDGE = 240, 20, 2
"""Of a bar's drawing, pixels."""
LEAST = 2.0
"""Points across a drawing at least."""


def change_table(page: Page, change: ShownChange, caption: str) -> Table:
    """Return the parts that are not nothing, the largest first, and the change that they add up to."""
    parts = sorted(change.parts, key=lambda part: -abs(part[1]))
    values = [value for _, value in parts] + [change.total]
    rows = [
        _row(page, page.text(f"explain.part_{part}"), page.text(f"changes.means_{part}"), value, values)
        for part, value in parts
    ]
    rows.append(_row(page, page.text("explain.in_all"), "", change.total, values, is_strong=True))
    columns = (
        Column(page.text("changes.part")),
        Column(page.text("explain.bar")),
        Column(page.text("word.points"), "number"),
    )
    return Table("change", caption, columns, tuple(rows))


def sentence(page: Page, change: ShownChange) -> str:
    """Return the change in words: how much, to what, and its parts."""
    parts = ", ".join(
        f"{page.text(f'explain.part_{part}').lower()} {fmt.signed(page.language, value)}"
        for part, value in sorted(change.parts, key=lambda part: -abs(part[1]))
    )
    before, after = (fmt.score_in_tenths(page.language, value) for value in (change.before, change.after))
    if not change.parts:
        return page.text("explain.change_none", before=before)
    way = "up" if change.total > 0 else "down" if change.total < 0 else "still"
    points = fmt.number(page.language, abs(change.total), 1)
    return page.text(f"explain.change_{way}", points=points, after=after, parts=parts)


def _row(
    page: Page, label: str, meaning: str, value: float, values: list[float], *, is_strong: bool = False
) -> tuple[Cell, ...]:
    words = fmt.signed(page.language, value)
    alt = f"{label}: {words}"
    return (
        Cell(label, detail=meaning, is_strong=is_strong),
        Cell(words, drawing=bar(value, values, alt)),
        Cell(words, value, is_strong=is_strong),
    )


def bar(value: float, values: list[float], alt: str) -> Markup:
    """Return one bar as an image; zero and the scale are those of all values, so that bars compare.

    Args:
        value: Its points.
        values: Those of every bar beside it.
        alt: What it says in words.
    """
    low, high = min(0.0, *values), max(0.0, *values)
    # What is next to nothing looks like it: a tenth of a point is no bar across the drawing.
    scale = (WIDTH - 2 * EDGE) / max(high - low, LEAST)
    zero = EDGE - low * scale
    start = zero + min(0.0, value) * scale
    drawn = element(
        "svg",
        element(
            "rect",
            x=f"{start:.1f}",
            y="4",
            width=f"{abs(value) * scale:.1f}",
            height=str(HEIGHT - 8),
            fill=BLUE if value >= 0 else ORANGE,
        ),
        element("rect", x=f"{zero - 0.75:.2f}", y="0", width="1.5", height=str(HEIGHT), fill=GREY),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=str(WIDTH),
        height=str(HEIGHT),
    )
    data = base64.b64encode(str(drawn).encode()).decode()
    return element("img", class_="part", src=f"data:image/svg+xml;base64,{data}", alt=alt)

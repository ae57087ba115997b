"""Small drawings beside numbers: sparklines, bullets, bars. Each has words for those who do not see it."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup

from opsmetrics.language.fmt import MISSING, number
from opsmetrics.reports.palette import BLUE
from opsmetrics.scoring.points import KRAV_POINTS
from scorecard_app.markup import element

_DAY_WIDTH = 5  # pixels, with the gap beside it (style.css)
_SPARK_SPAN = 24.0  # points of score over the height; all sparklines share it, so that slopes compare


def sparkline(values: Sequence[float | None], alt: str, span: float = _SPARK_SPAN, slots: int = 0) -> Markup:
    """Return a sparkline as an image; the newest value stands at its right end.

    Args:
        values: Oldest first, evenly spaced in time; the line goes on over what is None.
        alt: What it says in words.
        span: Values over the height.
        slots: Values that fill the width: fewer of them end at the right and leave the time before them empty.
    """
    empty = max(0, slots - len(values))
    spots = [(empty + i, v) for i, v in enumerate(values) if v is not None]
    if len(spots) < 2:
        return element("span", MISSING, class_="na")
    lowest, highest = min(v for _, v in spots), max(v for _, v in spots)
    middle, height = (lowest + highest) / 2, max(span, highest - lowest, 1e-9)
    step = 112 / max(1, empty + len(values) - 1)
    at = [(4 + i * step, 11 - (v - middle) / height * 18) for i, v in spots]
    data = base64.b64encode(_drawing(at).encode()).decode()
    return element("img", class_="spark", src=f"data:image/svg+xml;base64,{data}", alt=alt)


def _drawing(at: Sequence[tuple[float, float]]) -> Markup:
    """A line through points, with a dot at its end."""
    x, y = at[-1]
    line = element(
        "polyline",
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in at),
        fill="none",
        stroke=BLUE,
        stroke_width="1.5",
    )
    dot = element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.5", fill=BLUE)
    return element("svg", line, dot, xmlns="http://www.w3.org/2000/svg", viewBox="0 0 120 22", width="120", height="22")


def bullet(score: float | None) -> Markup:
    """Return a bullet bar 0..100 with a tick at the requirement; decoration beside the number."""
    if score is None:
        return element("div", class_="bullet nodata", aria_hidden="true")
    places = f"--score:{score:.1f}%;--krav:{KRAV_POINTS:.0f}%"
    return element("div", class_="bullet", style=places, aria_hidden="true")


def gain(language: str, value: float | None, largest: float) -> Markup:
    """Return points to gain with one decimal and a bar that compares within its table."""
    width = 100 * (value or 0) / largest if largest > 0 else 0
    return element("span", element("strong", number(language, value, 1)), class_="gain", style=f"--share:{width:.0f}%")


def runs(days: Collection[date], last: date, count: int, words: str) -> Markup:
    """Return one bar a day, oldest first: tall where the source delivered, low where it did not.

    Args:
        days: Days delivered.
        last: The newest day shown.
        count: How many days.
        words: What the bars say, for screen readers.
    """
    shown = [last - timedelta(days=age) in days for age in range(count - 1, -1, -1)]
    # Days alike beside each other are one stripe of a background: of elements, a list of sources had thousands.
    stripes: list[str] = []
    at = 0
    for is_there, alike in groupby(shown):
        until = at + len(list(alike)) * _DAY_WIDTH
        stripes.append(f"{'var(--blue)' if is_there else 'transparent'} {at}px {until}px")
        at = until
    drawn = f"width:{at}px;--there:linear-gradient(90deg,{','.join(stripes)})"
    return element("span", class_="runs", role="img", aria_label=words, style=drawn)

"""Small drawings beside numbers: sparklines, bullets, bars. Each has words for those who do not see it."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from html import escape

from opsmetrics.fmt import MISSING, number
from opsmetrics.scoring.points import KRAV_POINTS

BLUE = "#2a7cc5"
_SPARK_SPAN = 24.0  # points of score over the height; all sparklines share it, so that slopes compare


def sparkline(values: Sequence[float | None], alt: str, span: float = _SPARK_SPAN) -> str:
    """Return a sparkline as an image."""
    spots = [(i, v) for i, v in enumerate(values) if v is not None]
    if len(spots) < 2:
        return f'<span class="na">{MISSING}</span>'
    lowest, highest = min(v for _, v in spots), max(v for _, v in spots)
    middle, height = (lowest + highest) / 2, max(span, highest - lowest, 1e-9)
    step = 112 / max(1, len(values) - 1)
    at = [(4 + i * step, 11 - (v - middle) / height * 18) for i, v in spots]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    x, y = at[-1]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 22" width="120" height="22">'
        f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{BLUE}"/></svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return f'<img class="spark" src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}">'


def bullet(score: float | None) -> str:
    """Return a bullet bar 0..100 with a tick at the requirement; decoration beside the number."""
    if score is None:
        return '<div class="bullet nodata" aria-hidden="true"></div>'
    place = f"left:{KRAV_POINTS:.0f}%"
    return f'<div class="bullet" aria-hidden="true"><i style="width:{score:.1f}%"></i><b style="{place}"></b></div>'


def gain(language: str, value: float | None, largest: float) -> str:
    """Return points to gain with one decimal and a bar that compares within its table."""
    width = 100 * (value or 0) / largest if largest > 0 else 0
    bar = f'<span class="bar" aria-hidden="true"><i style="width:{width:.0f}%"></i></span>'
    return f'<span class="gain"><strong>{number(language, value, 1)}</strong>{bar}</span>'


def runs(days: Collection[date], last: date, count: int, words: str) -> str:
    """Return one bar a day, oldest first: tall where the source delivered, low where it did not.

    Args:
        days: Days delivered.
        last: The newest day shown.
        count: How many days.
        words: What the bars say, for screen readers.
    """
    shown = [last - timedelta(days=age) for age in range(count - 1, -1, -1)]
    bars = "".join('<i class="on"></i>' if day in days else '<i class="off"></i>' for day in shown)
    return f'<span class="runs" role="img" aria-label="{escape(words)}">{bars}</span>'

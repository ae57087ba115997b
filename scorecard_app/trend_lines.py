"""Small lines over a year, all of a table on one scale: days stand where the calendar has them, gaps stay gaps."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup

from opsmetrics.language.fmt import MISSING
from opsmetrics.reports.palette import BLUE, GREY, KRAV_COLOUR, KRAV_WIDTH
from scorecard_app.markup import element

WIDTH, HEIGHT = 160, 36
_SIDE, _EDGE = 5, 5  # pixels between the drawing and its frame: the newest point is whole
YEAR = timedelta(days=366)

Spot = tuple[date, float | None]


@dataclass(frozen=True, slots=True)
class Frame:
    """What all lines of a table share.

    Attributes:
        last: The newest day; the line begins a year before.
        low: Value at the bottom.
        high: Value at the top.
        krav: The requirement, drawn across; None for none.
    """

    last: date
    low: float
    high: float
    krav: float | None

    def x(self, on: date) -> float:
        """Return where a day stands, in pixels."""
        share = 1 - (self.last - on) / YEAR
        return _SIDE + min(1.0, max(0.0, share)) * (WIDTH - 2 * _SIDE)

    def y(self, value: float) -> float:
        """Return where a value stands, in pixels; what lies outside is drawn at the edge."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return HEIGHT - _EDGE - min(1.0, max(0.0, share)) * (HEIGHT - 2 * _EDGE)


def framed(last: date, values: Sequence[float | None], krav: float | None) -> Frame:
    """Return the frame that holds some values and the requirement."""
    there = [value for value in (*values, krav) if value is not None]
    return Frame(last, min(there, default=0.0), max(there, default=1.0), krav)


def trend_line(spots: Sequence[Spot], frame: Frame, alt: str) -> Markup:
    """Return a line with a dot at its newest point, as an image; a dash where nothing was measured.

    Args:
        spots: Days and values, oldest first.
        frame: Shared by the lines of a table.
        alt: What the line says, in a sentence.
    """
    there = [(on, value) for on, value in spots if value is not None]
    if not there:
        return element("span", MISSING, class_="na")
    drawn = element(
        "svg",
        _krav(frame),
        _lines(spots, frame),
        _dot(there[-1], frame, is_now=there[-1][0] == spots[-1][0]),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=str(WIDTH),
        height=str(HEIGHT),
    )
    data = base64.b64encode(drawn.encode()).decode()
    return element("img", class_="trend", src=f"data:image/svg+xml;base64,{data}", alt=alt)


def _krav(frame: Frame) -> Markup | None:
    if frame.krav is None:
        return None
    y = f"{frame.y(frame.krav):.1f}"
    across = f"0,{y} {WIDTH},{y}"
    return element("polyline", points=across, stroke=KRAV_COLOUR, stroke_width=str(KRAV_WIDTH), fill="none")


def _lines(spots: Sequence[Spot], frame: Frame) -> list[Markup]:
    """The runs of days that were measured; what lies between two runs is not drawn over."""
    runs = [list(run) for is_there, run in groupby(spots, lambda spot: spot[1] is not None) if is_there]
    return [
        element(
            "polyline",
            points=" ".join(f"{frame.x(on):.1f},{frame.y(value):.1f}" for on, value in run if value is not None),
            fill="none",
            stroke=BLUE,
            stroke_width="1.5",
        )
        for run in runs
        if len(run) > 1
    ]


def _dot(spot: tuple[date, float], frame: Frame, *, is_now: bool) -> Markup:
    """The newest point: filled where it is of now, else hollow."""
    x, y = f"{frame.x(spot[0]):.1f}", f"{frame.y(spot[1]):.1f}"
    if is_now:
        return element("circle", cx=x, cy=y, r="3", fill=BLUE)
    return element("circle", cx=x, cy=y, r="2.5", fill="none", stroke=GREY, stroke_width="1.5")

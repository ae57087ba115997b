"""Drawings on a line, as HTML: its text follows the theme, prints, and is read as text; places are in percent.

A track stands in a cell of a table, which is its table for whoever does not see it. The labels of its axis are drawn
in the first row on a wide screen and in every row on a phone (``style.css``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeVar

from markupsafe import Markup

from scorecard_app.markup import element, join
from scorecard_app.ticks import Tick

MarkKind = Literal["s1", "s2", "s3", "s4", "good", "bad", "plain", "hollow"]
_Instant = TypeVar("_Instant", date, datetime)
_EDGE = 8.0  # percent: a label nearer to an end than this is written inwards


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of a track.

    Attributes:
        at: Place, 0..1; what lies outside is drawn at the end.
        kind: Its shape and colour.
        words: What a pointer sees.
        size: Pixels; None for the usual size.
    """

    at: float
    kind: MarkKind
    words: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line across a track, such as the requirement.

    Attributes:
        at: Place, 0..1.
        words: Its label on the axis; empty for a line without one.
        kind: ``krav`` for the requirement alone, ``mark`` for another line that counts, such as today, ``tick`` for a
            line of the grid.
    """

    at: float
    words: str
    kind: Literal["krav", "mark", "tick"] = "tick"


def place(at: _Instant, first: _Instant, last: _Instant) -> float:
    """Return where an instant stands between two others, 0..1; all three of one type."""
    whole = (last - first).total_seconds()
    return min(1.0, max(0.0, (at - first).total_seconds() / whole)) if whole else 1.0


def day_lines(ticks: Sequence[Tick], first: date, last: date) -> list[Line]:
    """Return the lines of the calendar between two days."""
    return [Line(place(tick.on, first, last), tick.label) for tick in ticks]


def track(
    marks: Iterable[Mark], lines: Iterable[Line], alt: str, *, spans: Iterable[tuple[float, float]] = ()
) -> Markup:
    """Return a track: lines of the grid and the requirement, marks on them, and the labels of the lines.

    Args:
        marks: Drawn in their order, the last on top.
        lines: Drawn below them.
        alt: What the drawing says, in a sentence.
        spans: Bars between two places, 0..1, below the marks.
    """
    drawn = list(lines)
    labels = element("span", (_label(line) for line in drawn if line.words), class_="ticks", aria_hidden="true")
    body = element(
        "span",
        (element("b", class_=line.kind, style=f"left:{_percent(line.at)}") for line in drawn if line.kind != "tick"),
        (
            element("span", class_="reach", style=f"left:{_percent(low)};width:{_percent(high - low)}")
            for low, high in spans
        ),
        (_mark(mark) for mark in marks),
        class_="rail",
        style=_grid(line.at for line in drawn if line.kind == "tick"),
        role="img",
        aria_label=alt,
    )
    return element("div", labels, body, class_="track")


def month_bars(values: Sequence[float | None], alt: str, top: float) -> Markup:
    """Return a bar for each month from zero, oldest first; a month without a value stays empty.

    Args:
        values: Not below zero.
        alt: What the bars say, in a sentence.
        top: Value of a full bar: all rows of a table share it, so that bars compare.
    """
    bars = (
        element(
            "i", class_="none" if value is None else None, style=f"height:{_percent((value or 0) / top if top else 0)}"
        )
        for value in values
    )
    return element("span", bars, class_="bars", role="img", aria_label=alt)


def _grid(places: Iterable[float]) -> str | None:
    """Return the lines of the grid as a background: as elements they would be most of what a list of tracks holds."""
    lines = [f"linear-gradient(var(--line),var(--line)) {_percent(at)} 0/1px 100% no-repeat" for at in places]
    return f"background:{','.join(lines)}" if lines else None


def _mark(mark: Mark) -> Markup:
    size = f";width:{mark.size}px;height:{mark.size}px" if mark.size else ""
    return element("i", class_=mark.kind, style=f"left:{_percent(mark.at)}{size}", title=mark.words)


def _label(line: Line) -> Markup:
    at = line.at * 100
    side = "from" if at < _EDGE else "to" if at > 100 - _EDGE else None
    kind = " ".join(filter(None, (line.kind, side)))
    return element("span", join(line.words), class_=kind, style=f"left:{_percent(line.at)}")


def _percent(share: float) -> str:
    return f"{min(1.0, max(0.0, share)) * 100:.2f}%"

"""Drawings on a line, as HTML: its text follows the theme, prints, and is read as text; places are in percent.

A track stands in a cell of a table, which is its table for whoever does not see it. The first row holds the labels of
the axis; on a phone, where each row is a block, the others say two of them (``style.css``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeVar

from markupsafe import Markup

from opsmetrics.reports.table import Cell
from scorecard_app.markup import NOTHING, element, join
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


def track(marks: Iterable[Mark], lines: Iterable[Line], alt: str, *, spans: Iterable[tuple[float, float]] = ()) -> Cell:
    """Return a cell with a track: lines of the grid and the requirement, marks on them, and the labels of the lines.

    Args:
        marks: Drawn in their order, the last on top.
        lines: Drawn below them.
        alt: What the drawing says, in a sentence.
        spans: Bars between two places, 0..1, below the marks.
    """
    drawn = list(lines)
    labelled = sorted((line for line in drawn if line.words), key=lambda line: line.at)
    ends = _two_of(labelled)
    body = element(
        "span",
        (element("b", class_="krav", style=f"left:{_percent(line.at)}") for line in drawn if line.kind == "krav"),
        (_mark(mark) for mark in marks),
        class_="rail",
        style=";".join(filter(None, (_background(drawn, spans), *_places(ends)))) or None,
        data_from=ends[0].words if ends else None,
        data_to=ends[1].words if ends else None,
        role="img",
        aria_label=alt,
    )
    labels = element("span", map(_label, labelled), class_="ticks", aria_hidden="true") if labelled else NOTHING
    return Cell(drawing=body, axis=labels)


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


def _background(lines: Sequence[Line], spans: Iterable[tuple[float, float]]) -> str | None:
    """Lines and bars as a background: as elements they would be most of what a list of tracks holds."""
    drawn = [_stripe("control", line.at, "2px") for line in lines if line.kind == "mark"]
    drawn += [_bar(low, high) for low, high in spans if high > low]
    drawn += [_stripe("line", line.at, "1px") for line in lines if line.kind == "tick"]
    return f"background:{','.join(drawn)}" if drawn else None


def _stripe(colour: str, at: float, width: str) -> str:
    return f"linear-gradient(var(--{colour}),var(--{colour})) {_percent(at)} 0/{width} 100% no-repeat"


def _bar(low: float, high: float) -> str:
    low, high = (min(1.0, max(0.0, place)) for place in (low, high))
    # The place of a background is told as a share of the room beside it.
    beside = low / (1 - high + low) if high - low < 1 else 0.0
    return f"linear-gradient(var(--line),var(--line)) {_percent(beside)} 50%/{_percent(high - low)} 4px no-repeat"


def _two_of(labelled: Sequence[Line]) -> tuple[Line, ...]:
    """Return two lines that an axis can be read by: the one that counts, and that farthest from it."""
    if len(labelled) < 2:
        return ()
    counts = next((line for line in labelled if line.kind != "tick"), labelled[-1])
    other = max(labelled, key=lambda line: abs(line.at - counts.at))
    return (other, counts) if other.at < counts.at else (counts, other)


def _places(ends: Sequence[Line]) -> list[str]:
    return [f"--{name}:{_percent(line.at)}" for name, line in zip(("from", "to"), ends, strict=False)]


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

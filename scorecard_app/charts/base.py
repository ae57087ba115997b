"""What all figures share: layout, axes, and lines with a label at the right edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from opsmetrics.reports.palette import KRAV_COLOUR, KRAV_WIDTH
from scorecard_app.ticks import calendar_ticks, round_ticks, tick_words

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
GRID = "rgba(113,122,132,0.25)"
MARGIN = {"l": 50, "r": 110, "t": 16, "b": 40}
KRAV = {"color": KRAV_COLOUR, "width": KRAV_WIDTH}
"""The requirement, in every chart: the same line as in the tables' drawings (``style.css``)."""
_AXIS = {"fixedrange": True, "zeroline": False, "ticklabeloverflow": "allow"}
"""Of every axis. Labels have room by the margins: Plotly would measure each to hide those that have none, and the
browser lay the page out again each time."""
SCORES = _AXIS | {"gridcolor": GRID, "tickvals": [0, 20, 40, 60, 80, 100]}
"""An axis of scores; its range leaves room for the marks at 100."""
_NAME = 20  # letters of a line of a name beside an axis: a phone has room for no more
_LETTER = 7  # pixels of a letter at the size of labels
_STANDOFF = 8  # pixels between an axis and what is written beside it: a mark at its end does not touch the words
_LINE = 17  # pixels of a line at the size of labels
_EDGE = 0.02  # of the axis of days, beside its ends: the marks there are whole
_LABEL_ROOM = 0.07  # of the spread: labels nearer than this would lie on each other


def layout(language: str, height: int, **more: Any) -> dict[str, Any]:
    """Return the layout that figures share, with what is different in one."""
    shared: dict[str, Any] = {
        "height": height,
        "margin": MARGIN,
        "dragmode": False,
        "showlegend": False,
        "separators": ",\u00a0" if language == "nb" else ".,",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter, sans-serif", "size": 13},
        "hovermode": "closest",
    }
    return shared | more


def label_margin(labels: Iterable[str]) -> dict[str, int]:
    """Return the margins of a figure with labels at its right edge: the longest one fits."""
    longest = max((len(label) for label in labels), default=0)
    return MARGIN | {"r": _LETTER * longest + 12 + _STANDOFF}


def plain(words: str) -> str:
    """Return a text of a register or a source as Plotly shows it unchanged: it takes ``<a href>`` for a link."""
    return escape(words, quote=False)


def names_axis(names: Sequence[str], row: int) -> tuple[dict[str, Any], int, int]:
    """Return an axis of names from the top, a row each, the margin at its left that holds them, and its height.

    Long names take several lines. They are numbers to Plotly, so that two that are called alike stay two.

    Args:
        names: From the top.
        row: Pixels of a row; all are higher where a name takes more lines than it holds.
    """
    lines = [wrap(name, _NAME, break_long_words=True) or [""] for name in names]
    longest = max((len(line) for each in lines for line in each), default=0)
    axis = _AXIS | {
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "ticklabelstandoff": _STANDOFF,
        "tickvals": list(range(len(names))),
        "ticktext": ["<br>".join(plain(line) for line in each) for each in lines],
    }
    height = max(row, _LINE * max((len(each) for each in lines), default=1))
    return axis, _LETTER * longest + 12 + _STANDOFF, height * len(names)


def days_axis(language: str, days: Sequence[date]) -> dict[str, Any]:
    """Return a time axis with few ticks, on whole units of the calendar: the month, below it the year if it is new.

    The axis ends where the days end, so the newest is always in it.
    """
    first, last = min(days), max(days)
    ticks = calendar_ticks(language, first, last)
    edge = timedelta(days=max(1.0, (last - first).days * _EDGE))
    return _AXIS | {
        "type": "date",
        "range": [first - edge, last + edge],
        "tickvals": [tick.on for tick in ticks],
        "ticktext": [tick.words + (f"<br>{tick.year}" if tick.year else "") for tick in ticks],
        "tickangle": 0,
        "showgrid": False,
    }


def values_axis(language: str, unit: str, lowest: float, highest: float) -> dict[str, Any]:
    """Return a value axis with five or so round ticks, written as the language writes the unit."""
    ticks = round_ticks(lowest, highest)
    words = tick_words(language, unit, ticks)
    return _AXIS | {
        "gridcolor": GRID,
        "range": [lowest, highest],
        "tickvals": ticks,
        "ticktext": words,
    }


def label_right(figure: go.Figure, height: float, words: str, **more: Any) -> None:
    """Write something at the right edge, at a height of the value axis."""
    figure.add_annotation(
        x=1, xref="paper", y=height, text=words, showarrow=False, xanchor="left", xshift=_STANDOFF, **more
    )


def label_stack(figure: go.Figure, labels: Iterable[tuple[float, str]], spread: float) -> None:
    """Label heights at the right edge, from the top; a label that would lie on another gives way downwards."""
    room, taken = spread * _LABEL_ROOM, None
    for height, words in sorted(labels, key=lambda label: -label[0]):
        taken = height if taken is None else min(height, taken - room)
        label_right(figure, taken, words)

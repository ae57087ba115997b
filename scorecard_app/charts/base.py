"""What all figures share: layout, axes, and lines with a label at the right edge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from typing import Any

import plotly.graph_objects as go

from opsmetrics.language.fmt import number, percent, short_month

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
GRID = "rgba(113,122,132,0.25)"
MARGIN = {"l": 50, "r": 110, "t": 16, "b": 40}
_LETTER = 7  # pixels of a letter at the size of labels
_TICKS = 5  # more are turned on their side on a phone


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
    return MARGIN | {"r": max(MARGIN["r"], _LETTER * longest + 12)}


def plain(words: str) -> str:
    """Return a text of a register or a source as Plotly shows it unchanged: it takes ``<a href>`` for a link."""
    return escape(words, quote=False)


def days_axis(language: str, days: Sequence[date]) -> dict[str, Any]:
    """Return a time axis with few ticks: the month, and below it the year where a new one begins."""
    ticks = list(days[:: max(1, -(-len(days) // _TICKS))])
    years = [None, *(tick.year for tick in ticks)]
    words = [
        short_month(language, tick) + (f"<br>{tick.year}" if tick.year != before else "")
        for tick, before in zip(ticks, years, strict=False)
    ]
    return {
        "fixedrange": True,
        "tickvals": ticks,
        "ticktext": words,
        "tickangle": 0,
        "showgrid": False,
        "zeroline": False,
    }


def values_axis(language: str, unit: str, lowest: float, highest: float) -> dict[str, Any]:
    """Return a value axis with five or so round ticks, written as the language writes the unit."""
    rough = (highest - lowest) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough)
    ticks = [step * number for number in range(math.ceil(lowest / step), math.floor(highest / step) + 1)]
    decimals = max(0, -math.floor(math.log10(step)))
    if unit in {"share", "utilisation"}:
        words = [percent(language, tick, max(0, decimals - 2)) for tick in ticks]
    else:
        words = [number(language, tick, decimals) for tick in ticks]
    return {
        "fixedrange": True,
        "gridcolor": GRID,
        "zeroline": False,
        "range": [lowest, highest],
        "tickvals": ticks,
        "ticktext": words,
    }


def label_right(figure: go.Figure, height: float, words: str, **more: Any) -> None:
    """Write something at the right edge, at a height of the value axis."""
    figure.add_annotation(x=1, xref="paper", y=height, text=words, showarrow=False, xanchor="left", **more)

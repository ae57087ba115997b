"""Practice against outcome: a dot and its interval for each area, between teams and within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from opsmetrics.language.fmt import number
from opsmetrics.reports.palette import GREY, VIOLET
from scorecard_app.charts.base import GRID, layout, names_axis, plain

# Neither of them says that a requirement is met or not, as blue and orange do.
_MARKS = {"between": (VIOLET, "circle", -0.16), "within": (GREY, "diamond-open", 0.16)}
_TICKS = (-1.0, -0.5, 0.0, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class LinkMark:
    """One comparison that could be made.

    Attributes:
        name: Of the practice.
        kind: between or within.
        correlation: -1..1; above 0 better practice is followed by better outcomes.
        low: Lower end of its interval.
        high: Upper end.
    """

    name: str
    kind: str
    correlation: float
    low: float
    high: float


def links(language: str, marks: Sequence[LinkMark], worse: str, better: str) -> go.Figure:
    """Return the comparisons of one outcome on -1..1, with a line at 0.

    Args:
        language: Of numbers.
        marks: In the order of their names, from the top.
        worse: What the left end means.
        better: What the right end means.
    """
    names = list(dict.fromkeys(mark.name for mark in marks))
    figure = go.Figure()
    for kind, (colour, symbol, shift) in _MARKS.items():
        own = [mark for mark in marks if mark.kind == kind]
        figure.add_trace(
            go.Scatter(
                x=[mark.correlation for mark in own],
                y=[names.index(mark.name) + shift for mark in own],
                mode="markers",
                marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 2}},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [mark.high - mark.correlation for mark in own],
                    "arrayminus": [mark.correlation - mark.low for mark in own],
                    "color": colour,
                    "thickness": 1.5,
                    "width": 3,
                },
                hoverinfo="skip",
                cliponaxis=False,
            )
        )
    figure.add_vline(x=0, line={"color": GREY, "width": 1.5})
    for at, anchor, words in ((-1, "left", f"← {worse}"), (1, "right", f"{better} →")):
        figure.add_annotation(
            x=at, xanchor=anchor, y=1, yref="paper", yanchor="bottom", text=plain(words), showarrow=False
        )
    scale = {
        "range": [-1.02, 1.02],
        "fixedrange": True,
        "gridcolor": GRID,
        "zeroline": False,
        "tickvals": _TICKS,
        "ticktext": [number(language, tick, 1) for tick in _TICKS],
    }
    rows, left, height = names_axis(names, 34)
    margin = {"l": left, "r": 20, "t": 30, "b": 36}
    figure.update_layout(layout(language, 90 + height, margin=margin, xaxis=scale, yaxis=rows))
    return figure

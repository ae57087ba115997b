"""How a score came from one value to another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import plotly.graph_objects as go

from opsmetrics.language.fmt import number, signed
from scorecard_app.charts.base import GRID, layout, plain
from scorecard_app.palette import BLUE, GREY, ORANGE


def waterfall(
    language: str, before_word: str, before: float, parts: Sequence[tuple[str, float]], after_word: str, after: float
) -> go.Figure:
    """Return how a score came from one value to the other: up in blue, down in orange, with the figures."""
    values = [value for _, value in parts]
    figures = (number(language, before, 1), *(signed(language, value) for value in values), number(language, after, 1))
    figure = go.Figure(
        go.Waterfall(
            x=[plain(name) for name in (before_word, *(name for name, _ in parts), after_word)],
            y=[before, *values, after],
            measure=["absolute", *["relative"] * len(parts), "total"],
            text=list(figures),
            textposition="outside",
            connector={"line": {"color": GREY, "width": 1}},
            increasing={"marker": {"color": BLUE}},
            decreasing={"marker": {"color": ORANGE}},
            totals={"marker": {"color": GREY}},
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    running = list(accumulate(values, initial=before))
    lowest, highest = min(running), max(running)
    room = max(2.0, (highest - lowest) * 0.5)
    # Bars show differences, so the axis starts near them; a score axis from 0 would hide every part.
    scale = {
        "fixedrange": True,
        "range": [max(0.0, lowest - room), min(104.0, highest + room)],
        "gridcolor": GRID,
        "zeroline": False,
    }
    names = {"fixedrange": True, "tickangle": 0, "showgrid": False}
    figure.update_layout(layout(language, 340, margin={"l": 44, "r": 16, "t": 30, "b": 60}, xaxis=names, yaxis=scale))
    return figure

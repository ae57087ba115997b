"""An area across the teams: how the median moves."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from opsmetrics.language.fmt import score
from opsmetrics.reports.palette import BLUE
from opsmetrics.snapshots.queries.areas import AreaSpread
from scorecard_app.charts.base import GRID, KRAV, SCORES, days_axis, label_margin, label_stack, layout

_RANGE = [0, 103]  # the marks at 100 are whole


def area_trend(language: str, rows: Sequence[AreaSpread], target: float, word: str, median: str) -> go.Figure:
    """Return the median over time with the middle half of the teams as a band.

    Args:
        language: Of numbers and dates.
        rows: Month-ends, oldest first.
        target: Line to reach.
        word: What the line is called.
        median: What the median is called.
    """
    days = [row.on for row in rows]
    figure = go.Figure()
    _add_middle_half(figure, rows)
    figure.add_trace(
        go.Scatter(
            x=days,
            y=[row.median for row in rows],
            mode="lines+markers",
            line={"color": BLUE, "width": 2},
            marker={"color": BLUE, "size": [4] * (len(rows) - 1) + [10], "opacity": 1},
            text=[score(language, row.median) for row in rows],
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
        )
    )
    figure.add_hline(y=target, line=KRAV, layer="below")
    last = rows[-1].median
    labels = [(target, f"{word} {target:.0f}"), (last, f"{median} {score(language, last)}")]
    label_stack(figure, labels, 100)
    margin = label_margin(words for _, words in labels) | {"l": 40, "t": 30}
    scale = SCORES | {"range": _RANGE}
    figure.update_layout(layout(language, 400, margin=margin, xaxis=days_axis(language, days), yaxis=scale))
    return figure


def _add_middle_half(figure: go.Figure, rows: Sequence[AreaSpread]) -> None:
    days = [row.on for row in rows]
    edge = {"width": 0}
    low, high = [row.low for row in rows], [row.high for row in rows]
    figure.add_trace(go.Scatter(x=days, y=low, mode="lines", line=edge, hoverinfo="skip"))
    figure.add_trace(
        go.Scatter(x=days, y=high, mode="lines", line=edge, fill="tonexty", fillcolor=GRID, hoverinfo="skip")
    )

"""An area across the teams: how they spread, and how the median moves."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from opsmetrics.language.fmt import score
from opsmetrics.snapshots.queries.areas import AreaSpread
from scorecard_app.charts.base import GRID, days_axis, label_margin, label_stack, layout, plain
from scorecard_app.palette import BLUE, GREY, ORANGE


def spread(language: str, rows: Sequence[tuple[str, float, float | None, bool]], target: float, word: str) -> go.Figure:
    """Return teams as dots on 0..100, now (filled) and a year ago (hollow); where the requirement is not met a diamond.

    Args:
        language: Of numbers.
        rows: (team, score now, score a year ago, whether the level meets the requirement), best first.
        target: Line to reach.
        word: What the line is called.
    """
    rows = [(plain(name), now, before, is_met) for name, now, before, is_met in rows]
    figure = go.Figure()
    _add_year_ago(figure, [(name, now, before) for name, now, before, _ in rows if before is not None])
    _add_now(figure, rows)
    figure.add_vline(x=target, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_annotation(x=target, y=1, yref="paper", yanchor="bottom", text=f"{word} {target:.0f}", showarrow=False)
    for name, now, *_ in rows:
        figure.add_annotation(x=1.02, xref="paper", xanchor="left", y=name, text=score(language, now), showarrow=False)
    scale = {
        "range": [0, 103],
        "fixedrange": True,
        "gridcolor": GRID,
        "zeroline": False,
        "tickvals": [0, 20, 40, 60, 80, 100],
    }
    names = {
        "autorange": "reversed",
        "categoryorder": "array",
        "categoryarray": [name for name, *_ in rows],
        "fixedrange": True,
        "showgrid": False,
    }
    margin = {"l": 150, "r": 44, "t": 30, "b": 36}
    figure.update_layout(layout(language, 90 + 26 * len(rows), margin=margin, xaxis=scale, yaxis=names))
    return figure


def _add_year_ago(figure: go.Figure, rows: Sequence[tuple[str, float, float]]) -> None:
    """A line from then to now for each team, and a hollow dot at then."""
    line = {"color": GRID, "width": 3}
    for name, now, before in rows:
        figure.add_trace(go.Scatter(x=[before, now], y=[name, name], mode="lines", line=line, hoverinfo="skip"))
    hollow = {"symbol": "circle-open", "size": 9, "color": GREY, "line": {"width": 1.5}}
    days, names = [before for _, _, before in rows], [name for name, _, _ in rows]
    figure.add_trace(go.Scatter(x=days, y=names, mode="markers", marker=hollow, hoverinfo="skip"))


def _add_now(figure: go.Figure, rows: Sequence[tuple[str, float, float | None, bool]]) -> None:
    figure.add_trace(
        go.Scatter(
            x=[now for _, now, *_ in rows],
            y=[name for name, *_ in rows],
            mode="markers",
            marker={
                "symbol": ["circle" if is_met else "diamond" for *_, is_met in rows],
                "color": [BLUE if is_met else ORANGE for *_, is_met in rows],
                "size": 11,
            },
            hoverinfo="skip",
        )
    )


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
            marker={"color": BLUE, "size": 6},
            hovertemplate="%{y:.0f}<extra></extra>",
        )
    )
    figure.add_hline(y=target, line={"color": GREY, "width": 1, "dash": "dot"})
    last = rows[-1].median
    labels = [(target, f"{word} {target:.0f}"), (last, f"{median} {score(language, last)}")]
    label_stack(figure, labels, 100)
    margin = label_margin(words for _, words in labels) | {"l": 40, "t": 30}
    scale = {"range": [0, 100], "fixedrange": True, "gridcolor": GRID, "zeroline": False}
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

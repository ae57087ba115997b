"""Frames to Plotly figures; the only module that knows Plotly. Colours are fixed: one palette for both themes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import plotly.graph_objects as go

from scorecard_app.fmt import short_date

BLUE, ORANGE, GREY, TEAL = "#2a7cc5", "#b8690f", "#717a84", "#25876f"
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def metric_trend(
    language: str,
    days: Sequence[date],
    values: Sequence[float | None],
    *,
    is_share: bool,
    lines: Sequence[tuple[str, float | None]],
) -> go.Figure:
    """Return the values of a metric over time with labelled horizontal lines; gaps stay gaps."""
    figure = go.Figure(
        go.Scatter(
            x=list(days),
            y=list(values),
            mode="lines+markers",
            connectgaps=False,
            line={"color": GREY, "width": 1.5},
            marker={"color": BLUE, "size": 7},
            showlegend=False,
            hovertemplate="%{y}<extra></extra>",
        )
    )
    for (label, height), colour in zip(lines, (TEAL, ORANGE, GREY), strict=False):
        if height is not None:
            figure.add_hline(y=height, line={"color": colour, "width": 1.5, "dash": "dash"})
            figure.add_annotation(
                x=1, xref="paper", y=height, text=label, showarrow=False, xanchor="left", font={"size": 13}
            )
    ticks = list(days[:: max(1, len(days) // 5)])
    figure.update_layout(
        height=320,
        margin={"l": 50, "r": 110, "t": 10, "b": 40},
        dragmode=False,
        separators=",\u00a0" if language == "nb" else ".,",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis={
            "fixedrange": True,
            "tickvals": ticks,
            "ticktext": [short_date(language, day) for day in ticks],
            "tickangle": 0,
            "showgrid": False,
        },
        yaxis={
            "fixedrange": True,
            "tickformat": ".0%" if is_share else None,
            "gridcolor": "rgba(113,122,132,0.25)",
        },
    )
    return figure

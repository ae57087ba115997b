"""Incidents on a time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import plotly.graph_objects as go

from scorecard_app.charts.base import GRID, days_axis, layout
from scorecard_app.palette import BLUE, GREY, ORANGE

_SHAPES = ("diamond", "square", "circle", "circle-open")
_COLOURS = (ORANGE, BLUE, GREY, GREY)


@dataclass(frozen=True, slots=True)
class IncidentMark:
    """One incident.

    Attributes:
        at: When it was declared.
        severity: In words, one of the rows.
        minutes: Until it was resolved.
        words: The same, as people read it.
    """

    at: datetime
    severity: str
    minutes: float
    words: str


def incidents(language: str, marks: Sequence[IncidentMark], severities: Sequence[str]) -> go.Figure:
    """Return incidents on a time line, a row for each severity; the size of a mark shows how long it lasted.

    Args:
        language: Of dates.
        marks: Incidents, in any order.
        severities: The rows, gravest first.
    """
    figure = go.Figure()
    for severity, shape, colour in zip(severities, _SHAPES, _COLOURS, strict=True):
        mine = [mark for mark in marks if mark.severity == severity]
        sizes = [min(26.0, 8 + (mark.minutes / 30) ** 0.5 * 2) for mark in mine]
        figure.add_trace(
            go.Scatter(
                x=[mark.at for mark in mine],
                y=[severity] * len(mine),
                mode="markers",
                marker={"symbol": shape, "color": colour, "size": sizes},
                text=[mark.words for mark in mine],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    days = sorted(mark.at.date() for mark in marks)
    rows = {
        "fixedrange": True,
        "gridcolor": GRID,
        "categoryorder": "array",
        "categoryarray": list(reversed(severities)),
    }
    axis = days_axis(language, days) | {"showgrid": True, "gridcolor": GRID}
    margin = {"l": 90, "r": 16, "t": 10, "b": 36}
    figure.update_layout(layout(language, 210, margin=margin, xaxis=axis, yaxis=rows))
    return figure

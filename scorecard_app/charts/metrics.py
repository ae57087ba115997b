"""A metric over time: as a control chart where it has periods of its own, else as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import plotly.graph_objects as go

from opsmetrics.language.fmt import metric_value
from scorecard_app.charts.base import days_axis, label_margin, label_right, layout, values_axis
from scorecard_app.palette import BLUE, GREY, ORANGE, TEAL

# Signals on a control chart: shape and colour by direction.
_MARKS = {"normal": (GREY, "circle", 7), "better": (BLUE, "triangle-up", 11), "worse": (ORANGE, "diamond", 10)}
_LABEL_ROOM = 0.06  # of the spread: labels nearer than this would lie on each other


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """One period of a control chart.

    Attributes:
        on: Last day of the period.
        value: The metric's, in its unit.
        low: Lower limit; None where no value can lie below it, or the chart has none.
        centre: Mean or median; None where the chart has none.
        high: Upper limit, as ``low``.
        signal: Rule that the point breaks, or empty.
        is_better: Whether the signal is in the good direction.
    """

    on: date
    value: float
    low: float | None
    centre: float | None
    high: float | None
    signal: str
    is_better: bool

    @property
    def mark(self) -> tuple[str, str, int]:
        """Colour, shape and size."""
        return _MARKS["normal" if not self.signal else "better" if self.is_better else "worse"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What the values are held against.

    Attributes:
        target: Line to reach.
        krav: The requirement; None where the target is the requirement.
        today: The value of today over the metric's own window; None where it is not measured, or not asked for.
        is_up_good: Whether more is better.
    """

    target: float
    krav: float | None
    today: float | None
    is_up_good: bool


def control_chart(
    language: str, unit: str, points: Sequence[ControlPoint], reference: Reference, words: Mapping[str, str]
) -> go.Figure:
    """Return a control chart: values, limits, requirement, target with its good side shaded, today's value.

    Signals differ by shape and colour, lines by dash, and each line has its label.

    Args:
        language: Of numbers and dates.
        unit: The metric's.
        points: Periods, oldest first.
        reference: What they are held against.
        words: ``today, krav, target, mean, high, low`` for the labels at the right edge.
    """
    newest, target = points[-1], reference.target
    limits = (limit for point in points for limit in (point.low, point.high))
    lines = (*limits, newest.centre, target, reference.krav, reference.today)
    heights = [*(point.value for point in points), *(height for height in lines if height is not None)]
    spread = (max(heights) - min(heights)) or 1.0
    lowest, highest = min(heights) - spread * 0.08, max(heights) + spread * 0.08
    figure = go.Figure()
    better = highest if reference.is_up_good else lowest
    figure.add_hrect(y0=target, y1=better, line_width=0, fillcolor=BLUE, opacity=0.12, layer="below")
    _add_limits(figure, points)
    _add_values(figure, language, unit, points)
    _add_lines(figure, newest, reference, words, spread)
    days = days_axis(language, [point.on for point in points])
    scale = values_axis(language, unit, lowest, highest)
    figure.update_layout(layout(language, 340, margin=label_margin(words.values()), xaxis=days, yaxis=scale))
    return figure


def _add_values(figure: go.Figure, language: str, unit: str, points: Sequence[ControlPoint]) -> None:
    days, values = [point.on for point in points], [point.value for point in points]
    figure.add_trace(go.Scatter(x=days, y=values, mode="lines", line={"color": GREY, "width": 1.5}, hoverinfo="skip"))
    colours, shapes, sizes = zip(*(point.mark for point in points), strict=True)
    figure.add_trace(
        go.Scatter(
            x=days,
            y=values,
            mode="markers",
            marker={"color": list(colours), "symbol": list(shapes), "size": list(sizes)},
            text=[metric_value(language, unit, value) for value in values],
            hovertemplate="%{text}<extra></extra>",
        )
    )


def _add_limits(figure: go.Figure, points: Sequence[ControlPoint]) -> None:
    """Draw the limits of each period: with few items they lie further apart."""
    days = [point.on for point in points]
    for limits in ([point.low for point in points], [point.high for point in points]):
        if any(limit is not None for limit in limits):
            line = {"color": GREY, "width": 1, "dash": "dash", "shape": "hvh"}
            figure.add_trace(go.Scatter(x=days, y=limits, mode="lines", line=line, hoverinfo="skip"))


def _add_lines(
    figure: go.Figure, newest: ControlPoint, reference: Reference, words: Mapping[str, str], spread: float
) -> None:
    """Draw today, requirement, target and mean; label them, and mean and limits where there is room."""
    room = spread * _LABEL_ROOM
    drawn: tuple[tuple[float | None, dict[str, Any], str], ...] = (
        (reference.target, {"color": BLUE, "width": 1.5}, "target"),
        (reference.krav, {"color": TEAL, "width": 1.5, "dash": "dashdot"}, "krav"),
        (reference.today, {"color": GREY, "width": 1.5, "dash": "dot"}, "today"),
    )
    taken: list[float] = []
    # From the top, so that a label that must give way stays within the drawing.
    there = [(height, line, name) for height, line, name in drawn if height is not None]
    for height, line, name in sorted(there, key=lambda row: -row[0]):
        figure.add_hline(y=height, line=line)
        taken.append(min(height, taken[-1] - room) if taken else height)
        label_right(figure, taken[-1], words[name])
    if newest.centre is not None:
        figure.add_hline(y=newest.centre, line={"color": GREY, "width": 1.5})
    for height, name in ((newest.centre, "mean"), (newest.high, "high"), (newest.low, "low")):
        if height is not None and all(abs(height - other) > room for other in taken):
            taken.append(height)
            label_right(figure, height, words[name])


def metric_trend(
    language: str, unit: str, days: Sequence[date], values: Sequence[float | None], lines: Sequence[tuple[str, float]]
) -> go.Figure:
    """Return the values of a metric over time with labelled horizontal lines; gaps stay gaps."""
    figure = go.Figure(
        go.Scatter(
            x=list(days),
            y=list(values),
            mode="lines+markers",
            connectgaps=False,
            line={"color": GREY, "width": 1.5},
            marker={"color": BLUE, "size": 6},
            text=[metric_value(language, unit, value) for value in values],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    for (label, height), colour in zip(lines, (TEAL, ORANGE), strict=False):
        figure.add_hline(y=height, line={"color": colour, "width": 1.5, "dash": "dash"})
        label_right(figure, height, label)
    seen = [*(value for value in values if value is not None), *(height for _, height in lines)]
    room = (max(seen) - min(seen) or 1.0) * 0.08
    axis = values_axis(language, unit, min(seen) - room, max(seen) + room)
    margin = label_margin(label for label, _ in lines)
    figure.update_layout(layout(language, 300, margin=margin, xaxis=days_axis(language, days), yaxis=axis))
    return figure

"""A metric over time: its weekly values up to now against the requirement, and the control chart of its periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import plotly.graph_objects as go

from opsmetrics.language.fmt import metric_value, number
from opsmetrics.reports.palette import BLUE, GREY, ORANGE
from scorecard_app.charts.base import KRAV, days_axis, label_margin, label_stack, layout, values_axis

# Signals on a control chart: shape and colour by direction.
_MARKS = {"normal": (GREY, "circle", 7), "better": (BLUE, "triangle-up", 11), "worse": (ORANGE, "diamond", 10)}
_ROOM = 0.08  # of the spread, above and below what is drawn
_RATIOS = frozenset({"share"})


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


def metric_trend(
    language: str,
    unit: str,
    days: Sequence[date],
    values: Sequence[float | None],
    lines: Mapping[str, tuple[float, str]],
    *,
    is_met: bool,
) -> go.Figure:
    """Return the weekly values of a metric, the newest one marked and labelled; gaps stay gaps.

    Args:
        language: Of numbers and dates.
        unit: The metric's.
        days: Oldest first; the axis ends at the last of them, measured or not.
        values: One for each day, None where it was not measured; at least one is there.
        lines: ``krav`` and perhaps ``target``: height and label at the right edge; ``now``: the newest value's.
        is_met: Whether the newest value meets the requirement: its mark says so by shape and colour.
    """
    seen = [*(value for value in values if value is not None), *(height for height, _ in lines.values())]
    low, high = _range(unit, seen)
    figure = go.Figure(
        go.Scatter(
            x=list(days),
            y=list(values),
            mode="lines+markers",
            connectgaps=False,
            line={"color": GREY, "width": 1.5},
            marker={"color": GREY, "size": 4},
            text=[metric_value(language, unit, value) for value in values],
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
        )
    )
    newest = next(place for place in range(len(values) - 1, -1, -1) if values[place] is not None)
    colour, shape = (BLUE, "circle") if is_met else (ORANGE, "diamond")
    dot = {"color": colour, "size": 10, "symbol": shape if newest == len(values) - 1 else f"{shape}-open"}
    figure.add_trace(
        go.Scatter(x=[days[newest]], y=[values[newest]], mode="markers", marker=dot, hoverinfo="skip", cliponaxis=False)
    )
    _draw_lines(figure, lines, high - low)
    days_shown = days_axis(language, days)
    margin = label_margin(words for _, words in lines.values())
    scale = values_axis(language, unit, low, high)
    figure.update_layout(layout(language, 300, margin=margin, xaxis=days_shown, yaxis=scale))
    return figure


def control_chart(
    language: str, unit: str, points: Sequence[ControlPoint], lines: Mapping[str, tuple[float, str]]
) -> go.Figure:
    """Return a control chart: values, natural limits, mean and requirement.

    Signals differ by shape and colour, lines by dash, and each line has its label.

    Args:
        language: Of numbers and dates.
        unit: The metric's.
        points: Periods, oldest first.
        lines: ``krav`` and where there are such ``mean, high, low``: height and label at the right edge.
    """
    limits = [limit for point in points for limit in (point.low, point.high) if limit is not None]
    seen = [*(point.value for point in points), *limits, *(height for height, _ in lines.values())]
    low, high = _range(unit, seen)
    figure = go.Figure()
    _add_limits(figure, points)
    days, values = [point.on for point in points], [point.value for point in points]
    figure.add_trace(go.Scatter(x=days, y=values, mode="lines", line={"color": GREY, "width": 1.5}, hoverinfo="skip"))
    colours, shapes, sizes = zip(*(point.mark for point in points), strict=True)
    figure.add_trace(
        go.Scatter(
            x=days,
            y=values,
            mode="markers",
            marker={"color": list(colours), "symbol": list(shapes), "size": list(sizes), "opacity": 1},
            text=[metric_value(language, unit, value) for value in values],
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
        )
    )
    _draw_lines(figure, lines, high - low)
    scale = values_axis(language, unit, low, high)
    margin = label_margin(words for _, words in lines.values())
    figure.update_layout(layout(language, 320, margin=margin, xaxis=days_axis(language, days), yaxis=scale))
    return figure


def without_miss_chart(
    language: str, days: Sequence[date], counts: Sequence[float | None], limit: tuple[float, str]
) -> go.Figure:
    """Return how long it went without a miss, from zero, against the length that chance does not explain.

    Args:
        language: Of numbers and dates.
        days: Ends of periods, oldest first.
        counts: Days or items since the last miss, at each of them.
        limit: Height and label of the line.
    """
    height, words = limit
    top = max((count for count in counts if count is not None), default=0.0)
    colours = [BLUE if count is not None and count > height else GREY for count in counts]
    bars = go.Bar(
        x=list(days),
        y=list(counts),
        marker={"color": colours},
        text=[number(language, count) for count in counts],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    highest = max(top, height) * (1 + _ROOM)
    _draw_lines(figure, {"since": limit}, highest)
    scale = values_axis(language, "count", 0.0, highest)
    axis = days_axis(language, days)
    figure.update_layout(layout(language, 300, margin=label_margin([words]), xaxis=axis, yaxis=scale, bargap=0.3))
    return figure


def _range(unit: str, seen: Sequence[float]) -> tuple[float, float]:
    """The value axis: room around all that is drawn, but nothing below zero or above what a share can be."""
    low, high = min(seen), max(seen)
    room = (high - low or abs(high) or 1.0) * _ROOM
    lowest = max(0.0, low - room) if low >= 0 else low - room
    highest = min(1.0, high + room) if unit in _RATIOS and high <= 1 else high + room
    return (lowest, highest) if highest > lowest else (lowest - room, highest)


def _add_limits(figure: go.Figure, points: Sequence[ControlPoint]) -> None:
    """Draw the limits of each period: with few items they lie further apart."""
    days = [point.on for point in points]
    for limits in ([point.low for point in points], [point.high for point in points]):
        if any(limit is not None for limit in limits):
            line = {"color": GREY, "width": 1, "dash": "dash", "shape": "hvh"}
            figure.add_trace(go.Scatter(x=days, y=limits, mode="lines", line=line, hoverinfo="skip"))


_LINES = {
    "krav": KRAV,
    "target": {"color": BLUE, "width": 1.5, "dash": "dot"},
    "mean": {"color": GREY, "width": 1.5},
    "since": {"color": GREY, "width": 1, "dash": "dash"},
}
_DRAWN_BY_POINTS = frozenset({"now", "low", "high"})


def _draw_lines(figure: go.Figure, lines: Mapping[str, tuple[float, str]], spread: float) -> None:
    """Draw lines across and label them at the right edge; of a control chart the limits are drawn already."""
    for name, (height, _) in lines.items():
        if name not in _DRAWN_BY_POINTS:
            figure.add_hline(y=height, line=_LINES[name])
    label_stack(figure, lines.values(), spread)

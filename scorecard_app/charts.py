"""Frames to Plotly figures; the only module that knows Plotly. Colours are fixed: one palette for both themes.

Text colour comes from the style sheet (it follows the theme); marks differ by shape or place, never by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import escape
from typing import Any

import plotly.graph_objects as go

from opsmetrics.fmt import metric_value, number, percent, short_month

BLUE, ORANGE, GREY, TEAL = "#2a7cc5", "#b8690f", "#717a84", "#25876f"
CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
_GRID = "rgba(113,122,132,0.25)"
_TICKS = 5  # more are turned on their side on a phone
# Signals on an XmR chart: shape and colour by direction.
_MARKS = {"normal": (GREY, "circle", 7), "better": (BLUE, "triangle-up", 11), "worse": (ORANGE, "diamond", 10)}


def _layout(language: str, height: int, **more: Any) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "height": height,
        "margin": {"l": 50, "r": 110, "t": 16, "b": 40},
        "dragmode": False,
        "showlegend": False,
        "separators": ",\u00a0" if language == "nb" else ".,",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter, sans-serif", "size": 13},
        "hovermode": "closest",
    }
    return shared | more


def _plain(words: str) -> str:
    """Return a text of a register or a source as Plotly shows it unchanged: it takes ``<a href>`` for a link."""
    return escape(words, quote=False)


def _days(language: str, days: Sequence[date]) -> dict[str, Any]:
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


def _values(language: str, unit: str, lowest: float, highest: float) -> dict[str, Any]:
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
        "gridcolor": _GRID,
        "zeroline": False,
        "range": [lowest, highest],
        "tickvals": ticks,
        "ticktext": words,
    }


def control_chart(
    language: str,
    unit: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    target: float,
    is_up_good: bool,
    words: Mapping[str, str],
) -> go.Figure:
    """Return an XmR chart: values, mean, limits, target with its good side shaded; signals by shape and colour.

    Args:
        language: Of numbers and dates.
        unit: The metric's.
        rows: ``on, value, centre, low, high, signal, is_better`` of each period, oldest first.
        target: Line to reach.
        is_up_good: Whether more is better.
        words: ``target, mean, high, low`` for the labels at the right edge.
    """
    days, values = [row["on"] for row in rows], [row["value"] for row in rows]
    newest = rows[-1]
    heights = [*values, newest["low"], newest["high"], target]
    spread = (max(heights) - min(heights)) or 1.0
    lowest, highest = min(heights) - spread * 0.08, max(heights) + spread * 0.08
    figure = go.Figure()
    figure.add_hrect(
        y0=target, y1=highest if is_up_good else lowest, line_width=0, fillcolor=BLUE, opacity=0.12, layer="below"
    )
    figure.add_trace(go.Scatter(x=days, y=values, mode="lines", line={"color": GREY, "width": 1.5}, hoverinfo="skip"))
    kinds = ["normal" if not row["signal"] else "better" if row["is_better"] else "worse" for row in rows]
    figure.add_trace(
        go.Scatter(
            x=days,
            y=values,
            mode="markers",
            marker={
                "color": [_MARKS[kind][0] for kind in kinds],
                "symbol": [_MARKS[kind][1] for kind in kinds],
                "size": [_MARKS[kind][2] for kind in kinds],
            },
            text=[metric_value(language, unit, value) for value in values],
            hovertemplate="%{text}<extra></extra>",
        )
    )
    lines = (
        (newest["centre"], {"color": GREY, "width": 1.5}, "mean"),
        (newest["high"], {"color": GREY, "width": 1, "dash": "dash"}, "high"),
        (newest["low"], {"color": GREY, "width": 1, "dash": "dash"}, "low"),
        (target, {"color": BLUE, "width": 1.5}, "target"),
    )
    taken: list[float] = []
    for height, line, name in sorted(lines, key=lambda item: item[2] != "target"):
        figure.add_hline(y=height, line=line)
        if all(abs(height - other) > spread * 0.06 for other in taken):  # labels never lie on each other
            taken.append(height)
            figure.add_annotation(x=1, xref="paper", y=height, text=words[name], showarrow=False, xanchor="left")
    figure.update_layout(
        _layout(
            language,
            340,
            xaxis=_days(language, days),
            yaxis=_values(language, unit, lowest, highest),
        )
    )
    return figure


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
        figure.add_annotation(x=1, xref="paper", y=height, text=label, showarrow=False, xanchor="left")
    seen = [*(value for value in values if value is not None), *(height for _, height in lines)]
    room = (max(seen) - min(seen) or 1.0) * 0.08
    figure.update_layout(
        _layout(
            language,
            300,
            xaxis=_days(language, days),
            yaxis=_values(language, unit, min(seen) - room, max(seen) + room),
        )
    )
    return figure


def spread(language: str, rows: Sequence[tuple[str, float, float | None]], target: float, word: str) -> go.Figure:
    """Return teams as dots on 0..100, now (filled) and a year ago (hollow); below the target a diamond.

    Args:
        language: Of numbers.
        rows: (team, score now, score a year ago), best first.
        target: Line to reach.
        word: What the line is called.
    """
    rows = [(_plain(name), now, before) for name, now, before in rows]
    names = [name for name, _, _ in rows]
    figure = go.Figure()
    for name, now, before in rows:
        if before is not None:
            figure.add_trace(
                go.Scatter(
                    x=[before, now], y=[name, name], mode="lines", line={"color": _GRID, "width": 3}, hoverinfo="skip"
                )
            )
    was = [(name, before) for name, _, before in rows if before is not None]
    hollow = {"symbol": "circle-open", "size": 9, "color": GREY, "line": {"width": 1.5}}
    figure.add_trace(
        go.Scatter(x=[x for _, x in was], y=[name for name, _ in was], mode="markers", marker=hollow, hoverinfo="skip")
    )
    figure.add_trace(
        go.Scatter(
            x=[now for _, now, _ in rows],
            y=names,
            mode="markers",
            marker={
                "symbol": ["circle" if now >= target else "diamond" for _, now, _ in rows],
                "color": [BLUE if now >= target else ORANGE for _, now, _ in rows],
                "size": 11,
            },
            hoverinfo="skip",
        )
    )
    figure.add_vline(x=target, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_annotation(x=target, y=1, yref="paper", yanchor="bottom", text=f"{word} {target:.0f}", showarrow=False)
    for name, now, _ in rows:
        figure.add_annotation(x=1.02, xref="paper", xanchor="left", y=name, text=number(language, now), showarrow=False)
    figure.update_layout(
        _layout(
            language,
            90 + 26 * len(rows),
            margin={"l": 150, "r": 44, "t": 30, "b": 36},
            xaxis={
                "range": [0, 103],
                "fixedrange": True,
                "gridcolor": _GRID,
                "zeroline": False,
                "tickvals": [0, 20, 40, 60, 80, 100],
            },
            yaxis={
                "autorange": "reversed",
                "categoryorder": "array",
                "categoryarray": names,
                "fixedrange": True,
                "showgrid": False,
            },
        )
    )
    return figure


def area_trend(language: str, rows: Sequence[Mapping[str, Any]], target: float, word: str, median: str) -> go.Figure:
    """Return the median over time with the middle half of the teams as a band.

    Args:
        language: Of numbers and dates.
        rows: ``on, median, low, high``, oldest first.
        target: Line to reach.
        word: What the line is called.
        median: What the median is called.
    """
    days = [row["on"] for row in rows]
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(x=days, y=[row["low"] for row in rows], mode="lines", line={"width": 0}, hoverinfo="skip")
    )
    figure.add_trace(
        go.Scatter(
            x=days,
            y=[row["high"] for row in rows],
            mode="lines",
            line={"width": 0},
            fill="tonexty",
            fillcolor=_GRID,
            hoverinfo="skip",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=days,
            y=[row["median"] for row in rows],
            mode="lines+markers",
            line={"color": BLUE, "width": 2},
            marker={"color": BLUE, "size": 6},
            hovertemplate="%{y:.0f}<extra></extra>",
        )
    )
    figure.add_hline(y=target, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.add_annotation(x=1, xref="paper", xanchor="left", y=target, text=f"{word} {target:.0f}", showarrow=False)
    last = rows[-1]["median"]
    label = f"{number(language, last)} {median}"
    shift = 14 if abs(last - target) < 6 else 0
    figure.add_annotation(
        x=1,
        xref="paper",
        xanchor="left",
        y=last,
        yshift=shift if last >= target else -shift,
        text=label,
        showarrow=False,
    )
    figure.update_layout(
        _layout(
            language,
            400,
            margin={"l": 40, "r": 90, "t": 30, "b": 40},
            xaxis=_days(language, days),
            yaxis={"range": [0, 100], "fixedrange": True, "gridcolor": _GRID, "zeroline": False},
        )
    )
    return figure


def waterfall(
    language: str, before_word: str, before: float, parts: Sequence[tuple[str, float]], after_word: str, after: float
) -> go.Figure:
    """Return how a score came from one value to the other: up in blue, down in orange, with the figures."""
    names = [_plain(name) for name in (before_word, *(name for name, _ in parts), after_word)]
    values = [before, *(value for _, value in parts), after]
    labels = [
        number(language, before, 1),
        *(_signed(language, value) for _, value in parts),
        number(language, after, 1),
    ]
    figure = go.Figure(
        go.Waterfall(
            x=names,
            y=values,
            measure=["absolute", *["relative"] * len(parts), "total"],
            text=labels,
            textposition="outside",
            connector={"line": {"color": GREY, "width": 1}},
            increasing={"marker": {"color": BLUE}},
            decreasing={"marker": {"color": ORANGE}},
            totals={"marker": {"color": GREY}},
            hoverinfo="skip",
            cliponaxis=False,
        )
    )
    running = [before]
    for _, value in parts:
        running.append(running[-1] + value)
    lowest, highest = min(running), max(running)
    room = max(2.0, (highest - lowest) * 0.5)
    figure.update_layout(
        _layout(
            language,
            340,
            margin={"l": 44, "r": 16, "t": 30, "b": 60},
            xaxis={"fixedrange": True, "tickangle": 0, "showgrid": False},
            # Bars show differences, so the axis starts near them; a score axis from 0 would hide every part.
            yaxis={
                "fixedrange": True,
                "range": [max(0.0, lowest - room), min(104.0, highest + room)],
                "gridcolor": _GRID,
                "zeroline": False,
            },
        )
    )
    return figure


def _signed(language: str, value: float) -> str:
    rounded = round(value, 1) + 0.0
    return ("+" if rounded > 0 else "") + number(language, rounded, 1)


def incidents(language: str, rows: Sequence[tuple[datetime, str, float, str]], severities: Sequence[str]) -> go.Figure:
    """Return incidents on a time line, a row for each severity; the size of a mark shows how long it lasted.

    Args:
        language: Of dates.
        rows: (declared, severity in words, minutes until resolved, the same in words).
        severities: The rows, gravest first.
    """
    shapes = dict(zip(severities, ("diamond", "square", "circle", "circle-open"), strict=True))
    colours = dict(zip(severities, (ORANGE, BLUE, GREY, GREY), strict=True))
    figure = go.Figure()
    for severity in severities:
        mine = [(at, minutes, words) for at, name, minutes, words in rows if name == severity]
        figure.add_trace(
            go.Scatter(
                x=[at for at, _, _ in mine],
                y=[severity] * len(mine),
                mode="markers",
                marker={
                    "symbol": shapes[severity],
                    "color": colours[severity],
                    "size": [min(26.0, 8 + (minutes / 30) ** 0.5 * 2) for _, minutes, _ in mine],
                },
                text=[words for _, _, words in mine],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    days = sorted(row[0] for row in rows)
    figure.update_layout(
        _layout(
            language,
            210,
            margin={"l": 90, "r": 16, "t": 10, "b": 36},
            xaxis=_days(language, [day.date() for day in days]) | {"showgrid": True, "gridcolor": _GRID},
            yaxis={
                "fixedrange": True,
                "gridcolor": _GRID,
                "categoryorder": "array",
                "categoryarray": list(reversed(severities)),
            },
        )
    )
    return figure

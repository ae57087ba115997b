"""An area across the teams: how they spread, and how the median moves."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from opsmetrics.language.fmt import score
from opsmetrics.reports.palette import BLUE, GREY, ORANGE
from opsmetrics.snapshots.queries.areas import AreaSpread
from scorecard_app.charts.base import GRID, KRAV, SCORES, days_axis, label_margin, label_stack, layout, names_axis

_RANGE = [0, 103]  # the marks at 100 are whole
_APART = "\u00a0\u00a0"  # between the end of a row and what is written beside it


def spread(language: str, rows: Sequence[tuple[str, float, float | None, bool]], target: float, word: str) -> go.Figure:
    """Return teams as dots on 0..100, now (filled) and a year ago (hollow); where the requirement is not met a diamond.

    Args:
        language: Of numbers.
        rows: (team, score now, score a year ago, whether the level meets the requirement), best first.
        target: Line to reach.
        word: What the line is called.
    """
    figure = go.Figure()
    _add_year_ago(figure, [(row, now, before) for row, (_, now, before, _) in enumerate(rows) if before is not None])
    _add_scores(figure, language, rows)
    _add_now(figure, rows)
    figure.add_vline(x=target, line=KRAV, layer="below")
    label = {"x": target, "y": 1, "yref": "paper", "yanchor": "bottom", "text": f"{word} {target:.0f}"}
    names, left, height = names_axis([name for name, *_ in rows], 26)
    margin = {"l": left, "r": 44, "t": 30, "b": 36}
    scale = SCORES | {"range": _RANGE}
    figure.update_layout(layout(language, 90 + height, margin=margin, xaxis=scale, yaxis=names))
    figure.add_annotation(label, showarrow=False)
    return figure


def _add_year_ago(figure: go.Figure, rows: Sequence[tuple[int, float, float]]) -> None:
    """A line from then to now for each team, and a hollow dot at then."""
    line = {"color": GRID, "width": 3}
    ends = [place for _, now, before in rows for place in (before, now, None)]
    heights = [place for row, _, _ in rows for place in (row, row, None)]
    figure.add_trace(go.Scatter(x=ends, y=heights, mode="lines", line=line, hoverinfo="skip"))
    hollow = {"symbol": "circle-open", "size": 9, "color": GREY, "line": {"width": 1.5}}
    then, places = [before for _, _, before in rows], [row for row, _, _ in rows]
    figure.add_trace(go.Scatter(x=then, y=places, mode="markers", marker=hollow, hoverinfo="skip", cliponaxis=False))


def _add_scores(figure: go.Figure, language: str, rows: Sequence[tuple[str, float, float | None, bool]]) -> None:
    """Each score as text beside the right end of its row.

    Texts of a trace, because Plotly measures each annotation, and the browser lays the page out again for that.
    """
    figure.add_trace(
        go.Scatter(
            x=[_RANGE[1]] * len(rows),
            y=list(range(len(rows))),
            mode="text",
            text=[f"{_APART}{score(language, now)}" for _, now, *_ in rows],
            textposition="middle right",
            hoverinfo="skip",
            cliponaxis=False,
        )
    )


def _add_now(figure: go.Figure, rows: Sequence[tuple[str, float, float | None, bool]]) -> None:
    figure.add_trace(
        go.Scatter(
            x=[now for _, now, *_ in rows],
            y=list(range(len(rows))),
            mode="markers",
            marker={
                "symbol": ["circle" if is_met else "diamond" for *_, is_met in rows],
                "color": [BLUE if is_met else ORANGE for *_, is_met in rows],
                "size": 11,
            },
            hoverinfo="skip",
            cliponaxis=False,
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

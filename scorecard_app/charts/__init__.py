"""Rows to Plotly figures; the only package that knows Plotly.

Text colour comes from the style sheet (it follows the theme); marks differ by shape or place, never by colour alone.
"""

from scorecard_app.charts.areas import area_trend
from scorecard_app.charts.base import CONFIG
from scorecard_app.charts.metrics import ControlPoint, control_chart, metric_trend, without_miss_chart
from scorecard_app.charts.validity import LinkMark, links

__all__ = [
    "CONFIG",
    "ControlPoint",
    "LinkMark",
    "area_trend",
    "control_chart",
    "links",
    "metric_trend",
    "without_miss_chart",
]

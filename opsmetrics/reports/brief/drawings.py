"""Charts and sparklines as SVG: for paper and page alike, readable in grey, one unit a point of type.

Type is at least :data:`TYPE` points where a drawing is shown at its own width. Labels stand at the marks; there is no
legend. Bars begin at zero, and the newest point of a line is always drawn.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from opsmetrics.reports.brief.document import Chart
from opsmetrics.reports.palette import BLUE, KRAV_COLOUR, KRAV_WIDTH, ORANGE

INK, QUIET, RULE, PALE = "#1e2b3c", "#56616f", "#cdd3da", "#a9cbea"
TYPE = 9.5
LETTER = 0.56 * TYPE  # about how wide one is
SPARK_SPAN = 24.0  # points of score over a sparkline's height: all share it, so that slopes compare


def _tag(name: str, content: object = "", **attributes: object) -> str:
    """One element; attributes with an underscore get a hyphen. Text is escaped unless it is Markup."""
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{escape(content)}</{name}>"


def _svg(width: float, height: float, parts: Iterator[str], alt: str) -> Markup:
    body = Markup("".join(parts))  # noqa: S704 - elements of _tag, which escapes
    sides = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}", "height": f"{height:g}"}
    head = {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-label": alt}
    return Markup(_tag("svg", body, **head, **sides))  # noqa: S704 - escaped by _tag


def _words(x: float, y: float, words: str, **more: object) -> str:
    more = {"fill": QUIET, "font_size": TYPE, "font_family": "Inter, sans-serif", **more}
    return _tag("text", words, x=f"{x:.1f}", y=f"{y:.1f}", **more)


def _ruler(x1: float, y1: float, x2: float, y2: float, **more: object) -> str:
    more = {"stroke": RULE, "stroke_width": 0.7, **more}
    return _tag("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", **more)


def draw(chart: Chart, width: float, height: float) -> Markup:
    """Return a chart as SVG of a width and height; bars take the height that they need."""
    if chart.form == "bars":
        return _svg(width, _bars_height(chart, width), _bars(chart, width), chart.alt)
    parts = _line(chart, width, height) if chart.form == "line" else _columns(chart, width, height)
    return _svg(width, height, parts, chart.alt)


def _places(chart: Chart, width: float) -> list[float]:
    """The middle of each category: all equally wide."""
    step = width / max(1, len(chart.categories))
    return [(index + 0.5) * step for index in range(len(chart.categories))]


def _ticks(chart: Chart, places: Sequence[float], bottom: float, width: float) -> Iterator[str]:
    """Names below the axis, from the newest back: as many as have room."""
    widest = max((len(words) for words in chart.categories), default=1) * LETTER + 6
    step = width / max(1, len(places))
    every = max(1, -(-int(widest) // max(1, int(step))))
    for index, (x, words) in enumerate(zip(places, chart.categories, strict=True)):
        if (len(places) - 1 - index) % every == 0:
            half = len(words) * LETTER / 2
            yield _words(min(max(x, half), width - half), bottom + 13, words, text_anchor="middle")


def _line(chart: Chart, width: float, height: float) -> Iterator[str]:
    """A line with its first and newest value, and the requirement."""
    known = [value for value in chart.values if value is not None]
    low = min([*known, *([chart.line] if chart.line is not None else [])], default=0.0) - 4
    high = max([*known, *([chart.line] if chart.line is not None else [])], default=chart.top) + 2
    bottom, top, right = height - 18, 16.0, width - 34

    def at(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    places = _places(chart, right)
    spots = [
        (x, at(value), label)
        for x, value, label in zip(places, chart.values, chart.labels, strict=True)
        if value is not None
    ]
    yield _ruler(0, bottom, right, bottom)
    if chart.line is not None:
        y = at(chart.line)
        yield _ruler(0, y, right, y, stroke=KRAV_COLOUR, stroke_width=KRAV_WIDTH)
        yield _words(2, y - 4 if _is_free(spots, y - 4, chart) else y + 12, chart.line_label, fill=INK)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in spots)
    yield _tag("polyline", points=path, fill="none", stroke=BLUE, stroke_width=2, stroke_linejoin="round")
    for index, (x, y, label) in enumerate(spots):
        is_last = index == len(spots) - 1
        yield _tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.5 if is_last else 1.8, fill=BLUE)
        if is_last:
            yield _words(x + 8, y + 5, label, fill=INK, font_size=14, font_weight=600)
        elif index == 0:
            yield _words(x, y - 8, label, fill=INK, text_anchor="middle")
    yield from _ticks(chart, places, bottom, right)


def _is_free(spots: Sequence[tuple[float, float, str]], y: float, chart: Chart) -> bool:
    """Whether the line's name, at the left, stands clear of the first points."""
    reach = len(chart.line_label) * LETTER + 8
    return all(not (x < reach and y - 12 < spot < y + 6) for x, spot, _ in spots)


def _columns(chart: Chart, width: float, height: float) -> Iterator[str]:
    """Columns from zero, the newest strong, each with its number."""
    bottom, top = height - 18, 32.0 if chart.top_label else 18.0
    places = _places(chart, width)
    step = width / max(1, len(places))
    most = max(chart.top, 1e-9)
    for index, (x, value, label) in enumerate(zip(places, chart.values, chart.labels, strict=True)):
        is_last = index == len(places) - 1
        if value is None:
            yield _words(x, bottom - 4, "–", text_anchor="middle")
            continue
        tall = value / most * (bottom - top)
        box = {"x": f"{x - step * 0.36:.1f}", "y": f"{bottom - tall:.1f}", "width": f"{step * 0.72:.1f}"}
        yield _tag("rect", height=f"{tall:.1f}", fill=BLUE if is_last else PALE, **box)
        strong = {"fill": INK, "font_weight": 600} if is_last else {}
        yield _words(x, bottom - tall - 4, label, text_anchor="middle", **strong)
    if chart.top_label:
        yield _ruler(0, top, width, top, stroke_dasharray="2 3", stroke=QUIET)
        yield _words(0, top - 18, chart.top_label)  # above the number of a column that reaches the line
    yield _ruler(0, bottom, width, bottom)
    yield from _ticks(chart, places, bottom, width)


_BAR, _SPACE, _NEXT = 12.0, 11.5, 8.0


def _lines(words: str, width: float) -> list[str]:
    return textwrap.wrap(words, max(8, int(width / LETTER))) or [""]


def _name_width(width: float) -> float:
    return width * 0.46


def _bars_height(chart: Chart, width: float) -> float:
    """How high bars are: a name may take several lines."""
    return sum(len(_lines(name, _name_width(width))) * _SPACE + _NEXT for name in chart.categories) + 4


def _bars(chart: Chart, width: float) -> Iterator[str]:
    """Bars from zero, the longest on top: the name at the left, the number behind the bar, the whole as a frame."""
    left = _name_width(width) + 6
    tail = max((len(label) for label in chart.labels), default=1) * LETTER + 8
    room, most, y = width - left - tail, max(chart.top, 1e-9), 0.0
    colour = ORANGE if chart.is_below else BLUE
    for name, value, label in zip(chart.categories, chart.values, chart.labels, strict=True):
        lines = _lines(name, _name_width(width))
        tall = len(lines) * _SPACE
        for index, words in enumerate(lines):
            yield _words(0, y + 10 + index * _SPACE, words, fill=INK)
        middle = y + tall / 2 + 1
        long = room * (value or 0) / most
        yield _tag("rect", x=f"{left:.1f}", y=f"{middle - _BAR / 2:.1f}", width=f"{long:.1f}", height=_BAR, fill=colour)
        yield _words(left + long + 5, middle + 3.5, label, fill=INK, font_weight=600)
        y += tall + _NEXT


def bar(value: float, top: float, label: str, letters: int, width: float = 150, height: float = 12) -> Markup:
    """Return a bar of what does not meet the requirement, from zero, with its label behind it, as a cell holds it.

    Args:
        value: How long it is.
        top: How long it could be: the same for all bars that are compared.
        label: What stands behind it.
        letters: Room for the label, the same for all bars that are compared.
        width: Of the drawing.
        height: Of the drawing.
    """
    room = width - letters * LETTER - 8
    long = room * value / max(top, 1e-9)
    parts = (
        _tag("rect", x=0, y=1, width=f"{long:.1f}", height=f"{height - 2:g}", fill=ORANGE),
        _words(long + 5, height - 2.5, label, fill=INK, font_weight=600),
    )
    return _svg(width, height, iter(parts), label)


def spark(values: Sequence[float | None], alt: str, width: float = 80, height: float = 16) -> Markup:
    """Return a sparkline as SVG, or nothing where two values are not known."""
    spots = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(spots) < 2:
        return Markup()
    lowest, highest = min(value for _, value in spots), max(value for _, value in spots)
    middle, span = (lowest + highest) / 2, max(SPARK_SPAN, highest - lowest)
    step = (width - 8) / (len(values) - 1)
    at = [(4 + index * step, height / 2 - (value - middle) / span * (height - 4)) for index, value in spots]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    x, y = at[-1]
    parts = (
        _tag("polyline", points=path, fill="none", stroke=BLUE, stroke_width=1.3),
        _tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.2, fill=BLUE),
    )
    return _svg(width, height, iter(parts), alt)

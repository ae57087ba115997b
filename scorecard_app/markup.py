"""Semantic HTML as strings: pure functions, every value escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import urlencode

from scorecard_app.fmt import number
from scorecard_app.texts import text

# Score ranges of the method's five levels, as people read them.
LEVEL_RANGES = ("0–19", "20–39", "40–59", "60–79", "80–100")


def link(href: str, label: str) -> str:
    """Return a link within the app (same tab)."""
    return f'<a href="{escape(href)}" target="_self">{escape(label)}</a>'


def url(page: str, **parameters: str | None) -> str:
    """Return the address of a page with its state."""
    kept = {key: value for key, value in parameters.items() if value}
    return f"/{page}" + (f"?{urlencode(kept)}" if kept else "")


def tag(kind: str, mark: str, label: str) -> str:
    """Return a status word with its mark: never colour alone. Kinds: good, warn, bad, plain."""
    return f'<span class="tag {kind}"><span aria-hidden="true">{mark}</span> {escape(label)}</span>'


def table(caption: str, header: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the first cell of each row is its header.

    Args:
        caption: For screen readers.
        header: (label, is a number column).
        rows: Cells as HTML that is already escaped.
    """
    numeric = [is_number for _, is_number in header]
    head = "".join(f'<th scope="col"{_number_class(is_number)}>{escape(label)}</th>' for label, is_number in header)
    body = "".join(_row(cells, numeric) for cells in rows)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number_class(is_number: bool) -> str:  # noqa: FBT001 - private, one caller
    return ' class="num"' if is_number else ""


def _row(cells: Sequence[str], numeric: Sequence[bool]) -> str:
    first, *rest = cells
    body = "".join(
        f"<td{_number_class(is_number)}>{cell}</td>" for cell, is_number in zip(rest, numeric[1:], strict=True)
    )
    return f'<tr><th scope="row">{first}</th>{body}</tr>'


def strip(items: Iterable[tuple[str, str, str]]) -> str:
    """Return the strip of headline numbers: (label, number, small text)."""
    cells = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(figure)} <small>{escape(small)}</small></dd></div>"
        for label, figure, small in items
    )
    return f'<dl class="strip">{cells}</dl>'


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Return a definition list; definitions are HTML that is already escaped."""
    return '<dl class="pairs">' + "".join(f"<dt>{escape(k)}</dt><dd>{v}</dd>" for k, v in items) + "</dl>"


def sparkline(values: Sequence[float | None], alt: str, span: float = 24.0) -> str:
    """Return a sparkline as an image; all have the same height span, so that slopes compare."""
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    if len(points) < 2:
        return '<span class="na">–</span>'
    middle = (min(v for _, v in points) + max(v for _, v in points)) / 2
    height = max(span, max(v for _, v in points) - min(v for _, v in points))
    step = 112 / max(1, len(values) - 1)
    spots = [(4 + i * step, 11 - (v - middle) / height * 18) for i, v in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    x, y = spots[-1]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 22" width="120" height="22">'
        f'<polyline points="{line}" fill="none" stroke="#2a7cc5" stroke-width="1.5"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#2a7cc5"/></svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return f'<img class="spark" src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}">'


def bullet(score: float | None) -> str:
    """Return a bullet bar 0..100 with a tick at the requirement; decoration beside the number."""
    if score is None:
        return '<div class="bullet nodata" aria-hidden="true"></div>'
    return f'<div class="bullet" aria-hidden="true"><i style="width:{score:.1f}%"></i><b></b></div>'


def level_of(score: float) -> int:
    """Return the colour band of a score: the method's five levels."""
    return min(4, int(max(0.0, score) // 20))


def score_cell(
    language: str,
    *,
    href: str,
    label: str,
    score: float | None,
    coverage: float | None,
    status: str,
    gate: str | None,
) -> str:
    """Return one cell of the matrix: number, marks for provisional, gate and thin coverage, and a full label.

    The six states of a cell: score, provisional, too little data, not applicable, gated, thin coverage.
    """
    if status == "not_applicable":
        return f'<span class="cell na" title="{escape(label)}">{escape(text(language, "status.not_applicable"))}</span>'
    if score is None:
        short = escape(text(language, "status.too_little_data"))
        return f'<a class="cell nodata" href="{escape(href)}" target="_self" aria-label="{escape(label)}">– {short}</a>'
    kind = f"l{level_of(score)}" + (" provisional" if status == "provisional" else "")
    mark = f'<span class="gate" title="{escape(gate)}">!</span>' if gate else ""
    bar = ""
    if coverage is not None and coverage < 0.8:
        bar = f'<span class="cover"><i style="width:{coverage * 100:.0f}%"></i></span>'
    return (
        f'<a class="cell {kind}" href="{escape(href)}" target="_self" aria-label="{escape(label)}">'
        f'{mark}<span class="figure">{number(language, score)}</span>{bar}</a>'
    )


def legend(language: str) -> str:
    """Return the legend of bands and marks."""
    bands = "".join(
        f'<span><span class="swatch cell l{i}"></span>{LEVEL_RANGES[i]} {escape(text(language, f"level.{i}"))}</span>'
        for i in range(5)
    )
    nodata = escape(text(language, "status.too_little_data"))
    marks = "".join(
        f"<span>{escape(text(language, key))}</span>"
        for key in ("overview.legend_provisional", "overview.legend_coverage", "overview.legend_gate")
    )
    return f'<div class="legend">{bands}<span><span class="swatch cell nodata"></span>{nodata}</span>{marks}</div>'


def reason(language: str, code: str | None) -> str:
    """Return the words for a reason code such as ``thin:3/30``."""
    if not code:
        return ""
    name, _, detail = code.partition(":")
    if name == "not_connected":
        detail = ",".join(text(language, f"stream.{stream}") for stream in detail.split(","))
    return text(language, f"reason.{name}", detail=detail.replace(",", ", "))

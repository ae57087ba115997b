"""The matrix of teams and areas: what a cell may say, and how it says it without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from opsmetrics.fmt import number
from opsmetrics.texts import text

FULL_COVERAGE = 0.8  # below it a cell shows how much is covered (ux.md, head)


@dataclass(frozen=True, slots=True)
class Cell:
    """One area of one team.

    Attributes:
        href: Where the cell leads.
        label: The whole cell in words.
        score: 0..100, or None where there is none.
        coverage: 0..1.
        status: ok, provisional, too_little_data or not_applicable.
        level: Colour band 0..4 of the score.
        change: Points over a year where the change is certain, else None.
        gate: Reason of a gate that holds the level down, or None.
        stale: Metrics that live on their last value.
        waived: Metrics under a waiver.
    """

    href: str
    label: str
    score: float | None
    coverage: float | None
    status: str
    level: int = 0
    change: float | None = None
    gate: str | None = None
    stale: int = 0
    waived: int = 0


def ranges(edges: Sequence[float]) -> list[str]:
    """Return the levels' ranges as people read them: 0–19, 20–39 ..."""
    starts, ends = [0, *edges], [*(edge - 1 for edge in edges), 100]
    return [f"{start:.0f}–{end:.0f}" for start, end in zip(starts, ends, strict=True)]


def change_mark(language: str, change: float | None) -> str:
    """Return ▲ or ▼ with whole points; nothing where nothing is certain."""
    if change is None:
        return ""
    kind, mark = ("up", "▲") if change > 0 else ("down", "▼")
    return f'<span class="move {kind}"><span aria-hidden="true">{mark}</span>{number(language, abs(change))}</span>'


def cell_html(language: str, cell: Cell) -> str:
    """Return one cell; its states: score, provisional, too little data, not applicable, stale, waived."""
    if cell.status == "not_applicable":
        return f'<span class="cell na">{escape(text(language, "status.not_applicable"))}</span>'
    # One name for eyes and ears: the link's label is the whole sentence, its parts are decoration.
    start = (
        f'<a href="{escape(cell.href)}" target="_self" aria-label="{escape(cell.label)}" title="{escape(cell.label)}"'
    )
    if cell.score is None:
        return f'{start} class="cell nodata">– {escape(text(language, "status.too_little_data"))}</a>'
    kind = f"l{cell.level}" + (" provisional" if cell.status == "provisional" else "")
    marks = "".join(mark for mark, count in (("!", cell.gate), ("↺", cell.stale), ("◌", cell.waived)) if count)
    bar = ""
    if cell.coverage is not None and cell.coverage < FULL_COVERAGE:
        bar = f'<span class="cover"><i style="width:{cell.coverage * 100:.0f}%"></i></span>'
    side = change_mark(language, cell.change) + (f'<span class="mark">{marks}</span>' if marks else "")
    return f'{start} class="cell {kind}"><span class="figure">{number(language, cell.score)}</span>{side}{bar}</a>'


def legend(language: str, edges: Sequence[float]) -> str:
    """Return the legend of bands and marks."""
    bands = "".join(
        f'<span><span class="swatch cell l{i}"></span>{spread} {escape(text(language, f"level.{i}"))}</span>'
        for i, spread in enumerate(ranges(edges))
    )
    nodata = escape(text(language, "status.too_little_data"))
    keys = ("provisional", "coverage", "change", "gate", "stale", "waived")
    marks = "".join(f"<span>{escape(text(language, f'overview.legend_{key}'))}</span>" for key in keys)
    return f'<div class="legend">{bands}<span><span class="swatch cell nodata"></span>{nodata}</span>{marks}</div>'

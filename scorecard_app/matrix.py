"""The matrix of teams and areas: what a tile may say, and how it says it without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from opsmetrics.language.fmt import number, score
from opsmetrics.language.texts import text
from scorecard_app.markup import NOTHING, element, join, link, mark

FULL_COVERAGE = 0.8  # below it a tile shows how much is covered
LEGEND = ("provisional", "coverage", "change", "gate", "stale", "waived")


@dataclass(frozen=True, slots=True)
class Tile:
    """One area of one team.

    Attributes:
        href: Where the tile leads.
        label: The whole tile in words.
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


def change_mark(language: str, change: float | None) -> Markup:
    """Return ▲ or ▼ with whole points; nothing where nothing is certain."""
    if change is None:
        return NOTHING
    kind, sign = ("up", "▲") if change > 0 else ("down", "▼")
    return element("span", mark(sign), number(language, abs(change)), class_=f"move {kind}")


def tile_html(language: str, tile: Tile) -> Markup:
    """Return one tile; its states: score, provisional, too little data, not applicable, stale, waived."""
    if tile.status == "not_applicable":
        return element("span", text(language, "status.not_applicable"), class_="cell na")
    if tile.score is None:
        words = f"– {text(language, 'status.too_little_data')}"
        return link(tile.href, words, aria_label=tile.label, title=tile.label, class_="cell nodata")
    kind = f"cell l{tile.level}" + (" provisional" if tile.status == "provisional" else "")
    # One name for eyes and ears: the link's label is the whole sentence, its parts are decoration.
    return link(tile.href, _parts(language, tile), aria_label=tile.label, title=tile.label, class_=kind)


def _parts(language: str, tile: Tile) -> Markup:
    """The figure, its change, its marks and, where little is covered, a bar that says how much."""
    signs = "".join(sign for sign, count in (("!", tile.gate), ("↺", tile.stale), ("◌", tile.waived)) if count)
    bar = None
    if tile.coverage is not None and tile.coverage < FULL_COVERAGE:
        bar = element("span", element("i", style=f"width:{tile.coverage * 100:.0f}%"), class_="cover")
    return join(
        element("span", score(language, tile.score), class_="figure"),
        change_mark(language, tile.change),
        element("span", signs, class_="mark") if signs else None,
        bar,
    )


def legend(language: str, edges: Sequence[float]) -> Markup:
    """Return the legend of bands and marks."""
    bands = (
        element("span", element("span", class_=f"swatch cell l{i}"), f"{spread} {text(language, f'level.{i}')}")
        for i, spread in enumerate(ranges(edges))
    )
    empty = element("span", element("span", class_="swatch cell nodata"), text(language, "status.too_little_data"))
    marks = (element("span", text(language, f"overview.legend_{key}")) for key in LEGEND)
    return element("div", bands, empty, marks, class_="legend")

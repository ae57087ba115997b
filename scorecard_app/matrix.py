"""The matrix of teams and areas: what a tile may say, and how it says it without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from opsmetrics.language.fmt import number, score
from opsmetrics.language.texts import text
from opsmetrics.reports import board
from scorecard_app.markup import NOTHING, element, join, link, mark
from scorecard_app.table_html import legend_html

_ARROWS = {True: ("up", "▲"), False: ("down", "▼")}
LEGEND = ("gate", "uncertain", "waived", "provisional")


@dataclass(frozen=True, slots=True)
class Tile:
    """One area of one team.

    Attributes:
        href: Where the tile leads.
        label: The whole tile in words.
        score: 0..100, or None where there is none.
        status: ok, provisional, too_little_data or not_applicable.
        level: Colour 0..4: the level as it stands, which may be lower than its number's.
        change: Points since the last month end where that is worth telling, else None.
        year_change: Points over a year where the change is certain, else None.
        marks: Words for what else is to be known: a gate, a waiver, a rise that is not certain.
    """

    href: str
    label: str
    score: float | None
    status: str
    level: int = 0
    change: float | None = None
    year_change: float | None = None
    marks: tuple[str, ...] = ()


def change_mark(language: str, change: float | None) -> Markup:
    """Return ▲ or ▼ with whole points; nothing where nothing is certain."""
    if change is None:
        return NOTHING
    kind, sign = _ARROWS[change > 0]
    return element("span", mark(sign), number(language, abs(change)), class_=f"move {kind}")


def tile_html(language: str, tile: Tile) -> Markup:
    """Return one tile; its states: score, provisional, too little data, not applicable."""
    if tile.status == "not_applicable":
        return element("span", text(language, "status.not_applicable"), class_="cell na")
    if tile.score is None:
        words = f"– {text(language, 'status.too_little_data')}"
        return link(tile.href, words, aria_label=tile.label, title=tile.label, class_="cell nodata")
    kind = f"cell l{tile.level}" + (" provisional" if tile.status == "provisional" else "")
    notes = _notes(language, tile)
    shown = score(language, tile.score)
    if not notes:
        # Most tiles: the browser cleans and lays out every element of a page, and there are hundreds of tiles.
        return link(tile.href, shown, aria_label=tile.label, title=tile.label, class_=f"{kind} figure")
    # Eyes see the parts, ears hear the whole sentence: a label beside words that are seen would have to repeat them.
    parts = element("span", element("span", shown, class_="figure"), notes, class_="notes", aria_hidden="true")
    return link(tile.href, join(parts, element("span", tile.label, class_="unseen")), title=tile.label, class_=kind)


def _notes(language: str, tile: Tile) -> Markup:
    """What changed and what is to be known of the figure, each in words."""
    # All of it is hidden from ears: an arrow of its own needs no mark that says so.
    changes = ((tile.change, ""), (tile.year_change, f"{text(language, 'overview.mark_year')} "))
    return join(
        *(
            element("span", f"{before}{sign}{number(language, abs(change))}", class_=f"move {kind}")
            for change, before in changes
            if change is not None
            for kind, sign in (_ARROWS[change > 0],)
        ),
        *(element("span", word, class_="mark") for word in tile.marks),
    )


def legend(language: str, edges: Sequence[float], change: str = "") -> Markup:
    """Return the legend of bands and words.

    Args:
        language: nb or en.
        edges: Of the levels.
        change: What an arrow says, where there are arrows.
    """
    empty = element("span", element("span", class_="swatch cell nodata"), text(language, "status.too_little_data"))
    marks = (element("span", text(language, f"overview.legend_{key}")) for key in LEGEND)
    levels = element("span", text(language, "overview.legend_level")) if change else None
    said = element("span", change) if change else None
    return join(legend_html(board.legend(language, edges), empty, levels, said, *marks))

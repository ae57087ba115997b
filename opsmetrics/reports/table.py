"""One table for every way of showing one: the app's pages, the brief as HTML, PDF, slides and workbook.

A cell holds the words that people read and the value behind them; how it looks is up to whoever renders it. Does not
belong here: which rows a table has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports.addresses import Address

Kind = Literal["text", "number", "percent", "date", "link"]
TagKind = Literal["good", "warn", "bad", "plain"]
_NOTHING = Markup()


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        label: Its heading.
        kind: What its cells hold.
        width: Share of the width, where there is no screen that decides.
        help: What it means, for a workbook's sheet of explanations; or empty.
    """

    label: str
    kind: Kind = "text"
    width: float = 1
    help: str = ""

    @property
    def is_number(self) -> bool:
        """Whether its cells are figures, which stand at the right."""
        return self.kind in {"number", "percent"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A status: its colour and its sign; the cell's text is the word."""

    kind: TagKind
    sign: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: As people read it.
        value: The number or day behind the text, for workbooks; None where the text is all.
        band: Colour band 0..4 of a score, or None.
        detail: A second, quieter line on a screen.
        address: Where the text leads in the app, or None.
        tag: Makes the text a status word.
        is_strong: The figure that the row is about.
        drawing: What a screen shows in place of the text, such as a sparkline.
        axis: Labels of the drawing's axis, the same in all rows: a screen shows those of the first.
        link: Where the text leads outside the app, or empty.
    """

    text: str = ""
    value: float | date | None = None
    band: int | None = None
    detail: str = ""
    address: Address | None = None
    tag: Tag | None = None
    is_strong: bool = False
    drawing: Markup = _NOTHING
    axis: Markup = _NOTHING
    link: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The whole table as a file.

    Attributes:
        name: Of the download.
        parameters: Of its address.
    """

    name: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of each row names the row.

    Attributes:
        name: Of the workbook's sheet: short, the same in every brief.
        caption: What it shows, in a sentence; also the alternative text.
        columns: Heading and kind of each column.
        rows: Cells, as many as columns.
        note: Below it, or empty; ``*this*`` is strong.
        source: Where all of it can be fetched, or None.
        legend: What the colours behind scores mean: level and words, lowest first; empty without such colours.

    Raises:
        ValueError: A row has more or fewer cells than there are columns.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    source: Source | None = None
    legend: tuple[tuple[int, str], ...] = ()
    kind: Literal["table"] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.name}: a row has {len(row)} cells, there are {len(self.columns)} columns"
                )


@dataclass(frozen=True, slots=True)
class Cells:
    """Makes cells of values, as a language writes them."""

    language: str

    def number(self, value: float | None, decimals: int = 0, *, is_strong: bool = False) -> Cell:
        """Return a number with fixed decimals."""
        return Cell(fmt.number(self.language, value, decimals), value, is_strong=is_strong)

    def score(self, value: float | None, *, is_strong: bool = False) -> Cell:
        """Return a score in whole points, never rounded up to a level."""
        return Cell(fmt.score(self.language, value), value, is_strong=is_strong)

    def score_in_tenths(self, value: float | None, *, is_strong: bool = False) -> Cell:
        """Return a score beside which stands how far it moved, or what moved it."""
        return Cell(fmt.score_in_tenths(self.language, value), value, is_strong=is_strong)

    def points(self, *values: float | None, is_strong: bool = False) -> list[Cell]:
        """Return points of metrics that are compared, with the same decimals, never rounded up to a level."""
        said = fmt.points(self.language, *values)
        return [Cell(words, value, is_strong=is_strong) for words, value in zip(said, values, strict=True)]

    def signed(self, value: float | None) -> Cell:
        """Return a number with its sign."""
        return Cell(fmt.signed(self.language, value), value)

    def percent(self, value: float | None, decimals: int = 0) -> Cell:
        """Return a ratio as percent."""
        return Cell(fmt.percent(self.language, value, decimals), value)

    def measure(self, unit: str, value: float | None, required: fmt.Requirement | None = None) -> Cell:
        """Return a metric's value in its unit."""
        return Cell(fmt.metric_value(self.language, unit, value, required), value)

    def measures(self, unit: str, *values: float | None, required: fmt.Requirement | None = None) -> list[Cell]:
        """Return values of one metric that are compared, with the same decimals."""
        said = fmt.metric_values(self.language, unit, *values, required=required)
        return [Cell(words, value) for words, value in zip(said, values, strict=True)]

    def day(self, value: date | None) -> Cell:
        """Return a day; none is a dash."""
        return Cell(fmt.short_date(self.language, value) if value else fmt.MISSING, value)

"""What a brief is made of, before it is HTML, PDF, slides or a workbook: the four differ in looks alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from opsmetrics.reports.table import Table


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``*this*`` is strong."""

    text: str
    is_lead: bool = False
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline numbers: label, number, note, and the value behind the number; a note may have several lines."""

    items: tuple[tuple[str, str, str, float | None], ...]
    kind: Literal["figures"] = "figures"


@dataclass(frozen=True, slots=True)
class Points:
    """A short list with a title.

    Attributes:
        title: Of the list.
        mark: Sign before the title, decoration.
        items: Line and its detail.
        none: What stands there when there is nothing.
    """

    title: str
    mark: str
    items: tuple[tuple[str, str], ...]
    none: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Lists beside each other."""

    lists: tuple[Points, ...]
    kind: Literal["columns"] = "columns"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of numbers: drawn on paper and page, native on a slide, a table in a workbook.

    Attributes:
        name: Of the chart, the same in every brief.
        title: What it shows, in a sentence.
        alt: What it says, for who does not see it.
        form: A line over time, columns over time, or bars of named things.
        categories: Of the first axis, as people read them.
        values: One for each category; None where there is none.
        labels: The values as people read them.
        top: Where the value axis ends; columns and bars begin at zero.
        line: A value to compare with, such as the requirement, or None.
        line_label: What the line is called.
        top_label: What the end of the value axis is called, or empty.
        unit: What the values are, for a table's heading.
        first: What the categories are, for a table's heading.
        sql: A select that gives the values on the snapshot.
        named: The categories in full, for a table: a month with its year; empty where the short ones say all.
        is_below: Whether it counts what does not meet the requirement, which has its own colour.
    """

    name: str
    title: str
    alt: str
    form: Literal["line", "columns", "bars"]
    categories: tuple[str, ...]
    values: tuple[float | None, ...]
    labels: tuple[str, ...]
    top: float
    unit: str
    first: str
    sql: str
    line: float | None = None
    line_label: str = ""
    top_label: str = ""
    named: tuple[str, ...] = ()
    is_below: bool = False
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks beside each other, each with its share of the width."""

    blocks: tuple[Paragraph | Table | Chart, ...]
    shares: tuple[float, ...]
    kind: Literal["row"] = "row"


Block = Paragraph | Figures | Columns | Table | Chart | Row


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it.

    Attributes:
        title: The heading.
        blocks: What stands below it.
        is_annex: Whether it stands behind the pages that everybody reads, in smaller type.
        starts_page: Whether it begins a page of its own.
        team: The team that it is about, or empty.
    """

    title: str
    blocks: tuple[Block, ...]
    is_annex: bool = False
    starts_page: bool = True
    team: str = ""


@dataclass(frozen=True, slots=True)
class Slide:
    """One message to look at: a sentence, what shows it, and in the notes where it comes from."""

    title: str
    blocks: tuple[Paragraph | Figures | Columns | Table | Chart, ...]
    notes: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole brief.

    Attributes:
        title: Of the document.
        subtitle: Organisation and what it is for.
        language: nb or en.
        banner: That the numbers are invented, or empty.
        foot: Ruleset and snapshot.
        at: Instant of the evaluation, UTC: the only time in the file, so that same data give same bytes.
        sections: Pages and annex.
        slides: The same, to look at together.
    """

    title: str
    subtitle: str
    language: str
    banner: str
    foot: str
    at: datetime
    sections: tuple[Section, ...] = field(default_factory=tuple)
    slides: tuple[Slide, ...] = field(default_factory=tuple)

"""What a brief is made of, before it is HTML, PDF, slides or a workbook: the four differ in looks alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from opsmetrics.reports.table import Table

BAND_COLOURS = ("F6B26B", "FCE0B8", "EEF1F4", "CFE2F3", "9DC3E6")
"""Fill of a score's cell from the lowest band to the highest, in files that know no style sheet."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``*this*`` is strong."""

    text: str
    is_lead: bool = False
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline numbers: label, number, note, and the value behind the number."""

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


Block = Paragraph | Figures | Columns | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A page, or a slide: its heading and what stands below."""

    title: str
    blocks: tuple[Block, ...]
    is_annex: bool = False


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
        sections: Pages.
    """

    title: str
    subtitle: str
    language: str
    banner: str
    foot: str
    at: datetime
    sections: tuple[Section, ...] = field(default_factory=tuple)

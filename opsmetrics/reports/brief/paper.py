"""The brief as PDF, set by Typst: tagged, with headings and table headers, checked against PDF/UA-1 as it is made.

Considered and rejected: WeasyPrint (needs system libraries), ReportLab (tags by hand), a browser (none on the server).
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date
from importlib.resources import as_file, files
from typing import Any

import typst

from opsmetrics.language.texts import text
from opsmetrics.reports.brief.document import Block, Chart, Document, Row
from opsmetrics.reports.brief.drawings import draw
from opsmetrics.reports.palette import BANDS

PAGE_WIDTH, GUTTER, CHART_HEIGHT = 762.5, 25.5, 165.0
"""Width of an A4 page across without its margins, the room between blocks, the height of a line chart: points."""


def write_pdf(document: Document) -> bytes:
    """Return the brief as PDF/UA-1; its only date is the instant of the evaluation."""
    [content] = _set(document, pdf_standards=["ua-1"], timestamp=int(document.at.timestamp()))
    return content


def write_pages(document: Document, dots_per_inch: int = 72) -> list[bytes]:
    """Return every page as a PNG picture."""
    return _set(document, format="png", ppi=dots_per_inch)


def _set(document: Document, **options: Any) -> list[bytes]:
    """Set a document: one file, or one a page for pictures."""
    content = asdict(replace(document, sections=(), slides=())) | {
        "sections": [
            asdict(replace(section, blocks=())) | {"blocks": [*map(_drawn, section.blocks)]}
            for section in document.sections
        ],
        "bands": BANDS,
        "page_words": text(document.language, "brief.page", page="{page}", pages="{pages}"),
        "day": [document.at.year, document.at.month, document.at.day],
    }
    with as_file(files("opsmetrics.reports.brief")) as folder:
        found = typst.compile(
            (folder / "brief.typ").read_bytes(),
            sys_inputs={"document": json.dumps(content, default=_plain, ensure_ascii=False)},
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[folder / "fonts"]),
            **options,
        )
    return found if isinstance(found, list) else [found]


def _drawn(block: Block, width: float = PAGE_WIDTH) -> dict[str, Any]:
    """A block as Typst takes it: a chart with its drawing, as wide as it stands, so that its type keeps its size."""
    if isinstance(block, Row):
        room = width - GUTTER * (len(block.blocks) - 1)
        widths = [room * share / sum(block.shares) for share in block.shares]
        parts = [_drawn(part, wide) for part, wide in zip(block.blocks, widths, strict=True)]
        return {"kind": block.kind, "shares": block.shares, "blocks": parts}
    found = asdict(block)
    if isinstance(block, Chart):
        found["svg"] = draw(block, width, CHART_HEIGHT)
    return found


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))

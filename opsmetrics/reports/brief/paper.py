"""The brief as PDF, set by Typst: tagged, with headings and table headers, checked against PDF/UA-1 as it is made.

Considered and rejected: WeasyPrint (needs system libraries), ReportLab (tags by hand), a browser (none on the server).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from importlib.resources import as_file, files
from typing import Any

import typst

from opsmetrics.language.texts import text
from opsmetrics.reports.brief.document import Document


def write_pdf(document: Document) -> bytes:
    """Return the brief as PDF/UA-1; its only date is the instant of the evaluation."""
    content = asdict(document) | {
        "page_words": text(document.language, "brief.page", page="{page}", pages="{pages}"),
        "day": [document.at.year, document.at.month, document.at.day],
    }
    with as_file(files("opsmetrics.reports.brief")) as folder:
        return typst.compile(
            (folder / "brief.typ").read_bytes(),
            sys_inputs={"document": json.dumps(content, default=_plain, ensure_ascii=False)},
            font_paths=typst.Fonts(include_system_fonts=False, font_paths=[folder / "fonts"]),
            pdf_standards=["ua-1"],
            timestamp=int(document.at.timestamp()),
        )


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))

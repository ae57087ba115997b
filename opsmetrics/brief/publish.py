"""Write a brief's files: the frozen record for the minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opsmetrics.brief.content import compose
from opsmetrics.brief.hypertext import write_html
from opsmetrics.brief.paper import write_pdf
from opsmetrics.brief.slides import write_pptx
from opsmetrics.brief.workbook import write_xlsx
from opsmetrics.snapshot import Snapshot
from opsmetrics.whole import write_whole_bytes

WRITERS = {"html": write_html, "pdf": write_pdf, "pptx": write_pptx, "xlsx": write_xlsx}
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_name(period: Mapping[str, Any], language: str, kind: str) -> str:
    """Return what a brief's file is called."""
    return f"brief-{period['label']}-{language}.{kind}"


def publish_briefs(
    snapshot: Snapshot, period: Mapping[str, Any], folder: Path, languages: Iterable[str], kinds: Iterable[str]
) -> list[Path]:
    """Write the brief of a period in some languages and formats, each file whole or not at all.

    Returns:
        The files.
    """
    written: list[Path] = []
    kinds = tuple(kinds)
    for language in languages:
        document = compose(snapshot, period, language)
        for kind in kinds:
            path = folder / file_name(period, language, kind)
            write_whole_bytes(path, WRITERS[kind](document))
            written.append(path)
    return written

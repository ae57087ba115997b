"""Write a brief's files: the frozen record for the minutes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opsmetrics.core.atomic import write_whole_bytes
from opsmetrics.reports.brief.content import compose
from opsmetrics.reports.brief.hypertext import write_html
from opsmetrics.reports.brief.paper import write_pdf
from opsmetrics.reports.brief.slides import write_pptx
from opsmetrics.reports.brief.workbook import write_xlsx
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot

WRITERS = {"html": write_html, "pdf": write_pdf, "pptx": write_pptx, "xlsx": write_xlsx}
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_name(period: Period, language: str, kind: str) -> str:
    """Return what a brief's file is called."""
    return f"brief-{period.label}-{language}.{kind}"


def publish_briefs(
    snapshot: Snapshot, period: Period, folder: Path, languages: Iterable[str], kinds: Iterable[str]
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

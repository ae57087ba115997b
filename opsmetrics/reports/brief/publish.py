"""Write a brief's files: the frozen record for the minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from opsmetrics.core.atomic import write_whole_bytes
from opsmetrics.core.extras import is_installed
from opsmetrics.reports.brief.content import compose
from opsmetrics.reports.brief.document import Document
from opsmetrics.reports.brief.hypertext import write_html
from opsmetrics.reports.brief.workbook import write_xlsx
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot

Writer = Callable[[Document], bytes]


def _optional(module: str, function: str) -> Writer:
    """Return a writer whose module, and with it its optional package, is imported when it is used."""

    def write(document: Document) -> bytes:
        found: Writer = getattr(import_module(f"opsmetrics.reports.brief.{module}"), function)
        return found(document)

    return write


WRITERS: dict[str, Writer] = {
    "html": write_html,
    "pdf": _optional("paper", "write_pdf"),
    "pptx": _optional("slides", "write_pptx"),
    "xlsx": write_xlsx,
}
# Packages of the extra `documents`.
_NEEDS = {"pdf": "typst", "pptx": "python-pptx"}
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def file_name(period: Period, language: str, kind: str) -> str:
    """Return what a brief's file is called."""
    return f"brief-{period.label}-{language}.{kind}"


def writable_kinds() -> tuple[str, ...]:
    """Return the formats that can be written here: PDF and slides need an extra."""
    return tuple(kind for kind in WRITERS if kind not in _NEEDS or is_installed(_NEEDS[kind]))


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

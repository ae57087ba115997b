"""Links and buttons that give what a page shows as a file."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import brief
from opsmetrics.reports.table import Source
from scorecard_app import downloads
from scorecard_app.markup import NOTHING, element, hint, join, paragraph
from scorecard_app.page import Page


def table_files(page: Page, source: Source) -> Markup:
    """Return the links that give a table as a file."""
    period = page.period.label if page.period.is_past else None
    values = {**page.state(), "period": period, **dict(source.parameters)}
    return _links(page.text("app.download"), source.name, downloads.KINDS, values)


def brief_files(page: Page) -> Markup:
    """Return the links that give the brief of the page's period as a file."""
    values: dict[str, str | None] = {"period": page.period.label, "lang": page.language}
    return _links(page.text("brief.download"), downloads.BRIEF, brief.WRITERS, values)


def whole_file(page: Page) -> Markup:
    """Return the link that gives the snapshot itself to whoever may have it; nothing to others."""
    if page.permissions.role != "admin":
        return NOTHING
    size = fmt.number(page.language, page.snapshot.path.stat().st_size / 1e6)
    address = downloads.address(downloads.SNAPSHOT, "duckdb", {})
    words = page.text("export.whole_hint", file=page.snapshot.file, size=size)
    return join(
        paragraph(element("a", page.text("export.whole"), href=address, download=True), kind="downloads"), hint(words)
    )


def _links(words: str, name: str, kinds: Iterable[str], values: dict[str, str | None]) -> Markup:
    links = (element("a", kind.upper(), href=downloads.address(name, kind, values), download=True) for kind in kinds)
    return paragraph(words, " ", links, kind="downloads")


def figure_files(page: Page, name: str, source: str) -> Markup:
    """Return the buttons that give the chart above as a picture with its source, period and snapshot."""
    build = page.snapshot.build_id[:12]
    made = (page.say(page.organisation.name), page.period_label(), page.text("app.snapshot", id=build))
    lines = f"{source}\n{' · '.join(made)}"
    if page.organisation.is_fictional:
        lines += f" · {page.text('app.sample_data')}"
    file = f"{name}-{page.period.label}-{build}"
    buttons = (
        element("button", kind.upper(), type="button", data_figure=kind, data_name=file, data_source=lines)
        for kind in ("png", "svg")
    )
    return paragraph(page.text("app.download_figure"), " ", join(*buttons), kind="downloads")

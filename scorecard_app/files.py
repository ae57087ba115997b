"""What a page shows, as files: gathered while the page is drawn, and shown in one menu at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.reports import brief
from opsmetrics.reports.table import Source
from opsmetrics.snapshots.queries.facts import FACTS
from scorecard_app import downloads
from scorecard_app.markup import NOTHING, element, heading, hint, join, points
from scorecard_app.page import Page

ANCHOR = "files"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart that can be saved as a picture.

    Attributes:
        key: Of its element on the page.
        name: Of the file.
        title: What stands below it as a file, where it is alone: what it shows, and of whom.
    """

    key: str
    name: str
    title: str


def offer_table(page: Page, source: Source) -> None:
    """Put a table into the page's menu of files, once."""
    period = page.period.label if page.period.is_past else None
    values = {**page.state(), "period": period, **dict(source.parameters)}
    key = f"facts.{source.name}" if source.name in FACTS else f"file.{source.name}"
    _offer(page, page.text(key), _links(source.name, downloads.KINDS, values))


def offer_brief(page: Page) -> None:
    """Put the brief of the page's period into its menu of files."""
    # The newest day is another one tomorrow, and an address is kept for longer.
    values = {"period": page.period.label if page.period.is_past else None, "lang": page.language}
    _offer(page, page.text("brief.download"), _links(downloads.BRIEF, brief.WRITERS, values))


def offer_whole(page: Page) -> Markup:
    """Offer the snapshot itself to whoever may have it, and return what it is; nothing to others."""
    if page.permissions.role != "admin":
        return NOTHING
    size = fmt.number(page.language, page.snapshot.path.stat().st_size / 1e6)
    _offer(page, page.text("export.whole"), _links(downloads.SNAPSHOT, ("duckdb",), {}))
    return hint(page.text("export.whole_hint", file=page.snapshot.file, size=size))


def offer_figure(page: Page, figure: Figure) -> None:
    """Put a chart into the menu, as pictures that say their source, period and snapshot."""
    build = page.snapshot.build_id[:12]
    made = (page.say(page.organisation.name), page.period_label(), page.text("app.snapshot", id=build))
    lines = f"{figure.title}\n{' · '.join(made)}"
    if page.organisation.is_fictional:
        lines += f" · {page.text('app.sample_data')}"
    file = f"{figure.name}-{page.period.label}-{build}"
    buttons = (
        element(
            "button",
            kind.upper(),
            type="button",
            data_figure=kind,
            data_chart=figure.key,
            data_name=file,
            data_source=lines,
        )
        for kind in ("png", "svg")
    )
    _offer(page, page.text("app.figure", title=figure.title), join(*buttons, by=" "))


def menu(page: Page) -> Markup:
    """Return the menu of all that was offered."""
    items = (join(element("span", title, class_="name"), " ", kinds) for title, kinds in page.files)
    return element("section", heading(page.text("app.download"), anchor=ANCHOR), points(items, "files"))


def _offer(page: Page, title: str, kinds: Markup) -> None:
    if (title, kinds) not in page.files:
        page.files.append((title, kinds))


def _links(name: str, kinds: Iterable[str], values: dict[str, str | None]) -> Markup:
    links = (element("a", kind.upper(), href=downloads.address(name, kind, values), download=True) for kind in kinds)
    return join(*links, by=" ")

"""The systems that deliver: which are silent, for how long, and whose numbers rest on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports.addresses import AREA
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.snapshots.queries import quality
from opsmetrics.snapshots.queries.quality import SystemHealth, Touched
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.markup import folded, heading, hint, join
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.table_html import table_html
from scorecard_app.ticks import round_ticks
from scorecard_app.tracks import Line, Mark, track
from scorecard_app.views.health_sources import STATES
from scorecard_app.views.parts import areas_by_id, source

SHOWN_STREAMS = 3  # named of those that are silent
_LEAST_SCALE = 28  # days: the usual age of a day is seen against a month


def systems_section(page: Page, found: Sequence[SystemHealth]) -> None:
    """Show a row for each system, worst first; those that deliver as they should are folded away."""
    touched = group_by(quality.touched(page.snapshot, page.period), lambda row: row.kind)
    silent = [row for row in found if row.state != "fresh"]
    fine = [row for row in found if row.state == "fresh"]
    scale = float(max(_LEAST_SCALE, *(row.age or 0 for row in found)))
    title = heading(page.text("health.systems"), page.text("health.systems_note"))
    head = _table(page, silent, touched, scale)
    shown = table_html(page, head, kind="systems") if silent else hint(page.text("health.systems_fine"))
    rest = None
    if fine:
        # Of what delivers nothing suffers: a column that says so would read as if nothing rested on it.
        body = table_html(page, _table(page, fine, None, scale), kind="systems")
        rest = folded(page.text("health.systems_show", count=len(fine)), body)
    show(join(title, shown, rest))


def touches(page: Page, rows: Sequence[Touched]) -> str:
    """Say which areas of how many teams rest on what is silent."""
    areas = areas_by_id(page)
    return ", ".join(
        page.text("health.touches_area", area=page.say(areas[row.area_id].name), teams=row.teams) for row in rows
    )


def name_of(page: Page, row: SystemHealth) -> str:
    """Return what people call a system."""
    return page.text(f"system.{row.kind}")


def silent_streams(page: Page, row: SystemHealth) -> str:
    """Name the streams that are silent, and how many more there are."""
    return listed(page.language, [page.text(f"stream.{stream}") for stream in row.silent], SHOWN_STREAMS)


def age(page: Page, row: SystemHealth) -> str:
    """Say how old the newest data are."""
    if row.age is None:
        return page.text("health.age_never")
    return page.text(f"health.age_{row.age}" if row.age < 2 else "health.age", days=row.age)


def age_of_oldest(page: Page, row: SystemHealth) -> str:
    """Say how old the newest data of the worst stream are, and which that is where several are silent."""
    days = age(page, row).lower()
    if len(row.silent) < 2:
        return days
    return page.text("health.oldest", stream=page.text(f"stream.{row.stream}"), age=days)


def _table(
    page: Page, found: Sequence[SystemHealth], touched: Mapping[str, Sequence[Touched]] | None, scale: float
) -> Table:
    """A row for each system; whose numbers it touches where that is given."""
    rows = tuple(
        (*_row(page, row, scale), *([_touched(page, touched.get(row.kind, ()))] if touched is not None else []))
        for row in found
    )
    columns = (
        Column(page.text("health.system")),
        Column(page.text("word.status")),
        Column(page.text("health.last_delivery")),
        Column(page.text("health.age_drawn")),
        *([Column(page.text("health.touches"))] if touched is not None else []),
    )
    return Table("systems", page.text("health.systems_caption"), columns, rows, source=source("systems"))


def _touched(page: Page, touched: Sequence[Touched]) -> Cell:
    links: list[Markup] = [page.link(AREA.at(area=part.area_id), touches(page, [part])) for part in touched]
    return Cell(touches(page, touched) or page.text("health.touches_none"), drawing=join(*links, by=", "))


def _row(page: Page, row: SystemHealth, scale: float) -> tuple[Cell, ...]:
    when = fmt.long_date(page.language, row.last_day) if row.last_day else ""
    # The age and the day are those of one stream: it comes first, and the others that are silent after it.
    others = [page.text(f"stream.{stream}") for stream in row.silent if stream != row.stream]
    oldest = page.text(f"stream.{row.stream}")
    streams = page.text("health.and_newer", streams=listed(page.language, others, SHOWN_STREAMS)) if others else ""
    return (
        Cell(name_of(page, row), detail=_streams(page, row)),
        Cell(page.text(f"health.{row.state}"), tag=STATES[row.state], detail=row.error or ""),
        Cell(age(page, row), detail=" · ".join(filter(None, (when, oldest, streams)))),
        _age_track(page, row, scale),
    )


def _streams(page: Page, row: SystemHealth) -> str:
    if len(row.silent) < row.streams and row.silent:
        return page.text("health.streams_silent", silent=len(row.silent), all=row.streams)
    return page.text("health.streams_silent_all" if row.silent else "health.streams_all", all=row.streams)


def _age_track(page: Page, row: SystemHealth, scale: float) -> Cell:
    """Days since the newest data as a bar from zero, with a line where they count as late."""
    at = 1.0 if row.age is None else row.age / scale
    lines = [Line(tick / scale, _days(page, tick)) for tick in round_ticks(0, scale, 4)]
    limit = Line(min(1.0, row.limit / scale), "", "mark")
    alt = page.text("health.age_alt", age=age(page, row), limit=row.limit)
    mark = Mark(at, "good" if row.state == "fresh" else "bad", alt)
    return track([mark], [*lines, limit], alt, spans=[(0.0, at)])


def _days(page: Page, days: float) -> str:
    return fmt.number(page.language, days) if days else page.text("health.age_zero")

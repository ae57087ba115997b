"""Which teams and services have had incidents in twelve months, how grave and long, and is it more than usual?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.reports.addresses import INCIDENTS, TEAM
from opsmetrics.reports.lead import usual_range, usual_words
from opsmetrics.reports.table import Cell, Column, Source, Table
from opsmetrics.reports.weakest import NAMED
from opsmetrics.snapshots.queries import facts, incidents, quality
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.incidents import Declared, DownService, TeamIncidents
from opsmetrics.snapshots.queries.rows import group_by
from scorecard_app.choices import choose, choose_period
from scorecard_app.later import later_table
from scorecard_app.layout import head
from scorecard_app.lifecycle import view
from scorecard_app.markup import Node, element, heading, hint, join, lead, strip
from scorecard_app.page import Page
from scorecard_app.raw_html import show
from scorecard_app.sparklines import sparkline
from scorecard_app.table_html import table_html
from scorecard_app.ticks import calendar_ticks
from scorecard_app.tracks import Line, Mark, MarkKind, day_lines, month_bars, place, track
from scorecard_app.views.outcomes import time_down
from scorecard_app.views.parts import source, teams_by_id
from scorecard_app.views.sides import MOST_ROWS, side_links, side_of

EVERY = ""
SEVERITIES = (1, 2, 3, 4)
MAJOR = 2  # and graver
_KINDS: dict[int, MarkKind] = {1: "s1", 2: "s2", 3: "s3", 4: "s4"}
_SMALLEST, _LARGEST = 8, 26  # pixels


@view(INCIDENTS)
def render(page: Page) -> None:
    """Show the incidents of all teams, or of one."""
    teams = teams_by_id(page)
    wanted = st.query_params.get("team", EVERY)
    team_id = wanted if wanted in teams else None
    team_link = (page.link(TEAM.at(team=team_id), page.say(teams[team_id].name)),) if team_id else ()
    head(page, page.text("incidents.title"), *team_link)
    left, right = st.columns(2)
    with left:
        names = {EVERY: page.text("word.all_teams"), **{key: page.say(row.name) for key, row in teams.items()}}
        choose(page.text("team.choose"), "team", list(names), names, team_id or EVERY)
    with right:
        choose_period(page)
    if not quality.is_connected(page.snapshot, "incidents"):
        show(lead(page.text("team.incidents_not_connected")))
    else:
        _incidents(page, teams, team_id)
    _services(page, teams, team_id)


def _incidents(page: Page, teams: Mapping[str, Team], team_id: str | None) -> None:
    counts = incidents.team_incidents(page.snapshot, page.period)
    mine = [row for row in counts if team_id is None or row.team_id == team_id]
    _lead(page, teams, mine, team_id)
    if days := days_told(page):
        show(hint(days))
    if not mine:
        return
    _strip(page, teams, mine, team_id)
    if team_id is None:
        _teams_timeline(page, teams, counts)
    else:
        show(heading(page.text("incidents.timeline_team"), page.text("incidents.severity_note")))
        team_timeline(page, team_id)
    _list(page, teams, team_id, sum(row.total for row in mine))


def days_told(page: Page) -> str:
    """Say of how many days of the twelve months anything is known, where it is not nearly all of them."""
    found = incidents.told(page.snapshot, page.period)
    if found.told * facts.PERIOD_DAYS >= found.days * facts.FEWEST_DAYS:
        return ""
    if found.first_on is None:
        return page.text("incidents.told_none")
    first = fmt.long_date(page.language, found.first_on)
    return page.text("incidents.told", told=found.told, all=found.days, first=first)


def _lead(page: Page, teams: Mapping[str, Team], mine: Sequence[TeamIncidents], team_id: str | None) -> None:
    if not mine:
        show(lead(page.text("incidents.lead_none")))
        return
    major = sum(row.major for row in mine)
    is_one = team_id is not None or len(teams) == 1
    key = "incidents.lead_team" if is_one else "incidents.lead"
    worst = mine[0]
    words = page.text(
        key,
        total=fmt.number(page.language, sum(row.total for row in mine)),
        major=fmt.number(page.language, major),
        teams=fmt.number(page.language, len(mine)),
        all=fmt.number(page.language, len(teams)),
    )
    if major:
        first = [row for row in mine if row.major == worst.major]
        said = ("lasted" if is_one else "worst") + ("" if worst.minutes is not None else "_untold")
        names = [fmt.unmarked(_team_name(page, teams, row.team_id)) for row in first]
        words += " " + page.text(
            "incidents.lead_worst_tied" if len(first) > 1 else f"incidents.lead_{said}",
            major=major,
            team=listed(page.language, names, NAMED),
            most=fmt.number(page.language, worst.major),
            hours=_lasted(page, worst.minutes),
        )
    show(lead(words))


def _lasted(page: Page, minutes: float | None) -> str:
    """A duration; a dash where the source does not tell when it ended."""
    return fmt.MISSING if minutes is None else fmt.duration(page.language, minutes)


def _strip(page: Page, teams: Mapping[str, Team], mine: Sequence[TeamIncidents], team_id: str | None) -> None:
    """Major ones and time down now against what is usual, those that are open, and evaluations that are overdue."""
    number = page.language
    items: list[tuple[str, str, Node]] = []
    if team_id is None:
        history = facts.major_incidents(page.snapshot, page.period)
        line = sparkline(history, page.text("overview.majors_alt"), span=1)
        usual = usual_range(history[:-1])
        words = usual_words(page.language, usual)
        if history[-1] is None:
            words = page.text("outcomes.not_told")
        items.append((page.text("overview.strip_majors"), fmt.number(number, history[-1]), join(words, " ", line)))
        down = list(facts.downtime(page.snapshot, page.period))
        items.append((page.text("incidents.strip_down"), *time_down(page, down)))
    else:  # of all of them the first sentence says it
        items.append((page.text("incidents.strip_major"), fmt.number(number, sum(row.major for row in mine)), None))
    still_open, ends_untold = sum(row.still_open for row in mine), sum(row.ends_untold for row in mine)
    overdue, untold = sum(row.overdue for row in mine), sum(row.evaluations_untold for row in mine)
    oldest = _oldest_open(page, teams, team_id)
    items += [
        (page.text("incidents.strip_open"), *_as_far_as_told(page, still_open, ends_untold, oldest)),
        (page.text("incidents.strip_overdue"), *_as_far_as_told(page, overdue, untold)),
    ]
    show(strip(items))


def _as_far_as_told(page: Page, count: int, untold: int, note: str | None = None) -> tuple[str, Node]:
    """A count, and of how many nobody can tell; none that are known, with some that nobody tells, is no number."""
    if not untold:
        return fmt.number(page.language, count), note
    words = page.text("incidents.untold", count=untold)
    return fmt.number(page.language, count or None), join([note, words] if note else words, by=" · ")


def _oldest_open(page: Page, teams: Mapping[str, Team], team_id: str | None) -> str | None:
    """Whose incident has been open longest, and since when."""
    declared = incidents.declared(page.snapshot, page.period, team_id=team_id)
    found = [row for row in declared if row.resolved_at is None and not row.is_end_untold]
    if not found:
        return None
    oldest = min(found, key=lambda row: row.declared_at)
    day = oldest.declared_at.astimezone(ZoneInfo(page.organisation.timezone)).date()
    team = _team_name(page, teams, oldest.team_id)
    return page.text("incidents.open_since", team=team, day=fmt.long_date(page.language, day))


def _teams_timeline(page: Page, teams: Mapping[str, Team], counts: Sequence[TeamIncidents]) -> None:
    """A row a team, most major incidents first."""
    side = side_of(page, len(counts), incidents.SHOWN_TEAMS)
    shown = counts[side.start : side.stop]
    found = group_by(
        incidents.declared(page.snapshot, page.period, skip=side.start, teams=incidents.SHOWN_TEAMS),
        lambda row: row.team_id,
    )
    rows = tuple(
        (
            Cell(_team_name(page, teams, row.team_id), address=INCIDENTS.at(team=row.team_id)),
            _track(page, found.get(row.team_id, []), _counted(page, row)),
            page.cells.number(row.total),
            page.cells.number(row.major, is_strong=True),
            Cell(_lasted(page, row.minutes) if row.major else fmt.MISSING, row.minutes),
        )
        for row in shown
    )
    columns = (
        Column(page.text("word.team"), "link"),
        Column(page.text("incidents.year")),
        Column(page.text("incidents.all"), "number"),
        Column(page.text("incidents.major"), "number"),
        Column(page.text("incidents.major_minutes"), "number"),
    )
    table = Table(
        "incident_teams", page.text("incidents.teams_caption"), columns, rows, source=source("incident-teams")
    )
    show(heading(page.text("incidents.timeline"), page.text("incidents.timeline_note")))
    _show_timeline(page, table)
    had_some = {row.team_id for row in counts}
    quiet = [page.say(team.name) for key, team in teams.items() if key not in had_some]
    none = hint(page.text("incidents.quiet", count=len(quiet), names=_names(page, quiet))) if quiet else None
    show(join(side_links(page, side), none))


def _names(page: Page, names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    return listed(page.language, names, incidents.SHOWN_TEAMS)


def team_timeline(page: Page, team_id: str) -> None:
    """Show twelve months of one team, a row for each severity."""
    found = group_by(incidents.declared(page.snapshot, page.period, team_id=team_id), lambda row: row.severity)
    rows = tuple(
        (
            Cell(page.text(f"severity.{severity}")),
            _track(page, mine, page.text("incidents.alt_severity", count=len(mine))),
            page.cells.number(len(mine), is_strong=True),
            Cell(_together(page, mine)),
        )
        for severity in SEVERITIES
        for mine in (found.get(severity, []),)
    )
    columns = (
        Column(page.text("team.severity")),
        Column(page.text("incidents.year")),
        Column(page.text("incidents.all"), "number"),
        Column(page.text("incidents.minutes"), "number"),
    )
    table = Table("incident_severities", page.text("incidents.severities_caption"), columns, rows)
    _show_timeline(page, table)


def _together(page: Page, found: Sequence[Declared]) -> str:
    """How long some incidents lasted together; a dash of none, and where one of them has an end that nobody tells."""
    minutes = [row.minutes for row in found if row.minutes is not None]
    return _lasted(page, sum(minutes) if minutes and len(minutes) == len(found) else None)


def _show_timeline(page: Page, table: Table) -> None:
    key = (
        element("span", element("i", class_=f"sign {_KINDS[severity]}"), " ", page.text(f"severity.{severity}"))
        for severity in SEVERITIES
    )
    legend = element("div", key, page.text("incidents.size"), class_="legend")
    show(join(legend, table_html(page, table, kind="timeline")))


def _counted(page: Page, row: TeamIncidents) -> str:
    return page.text("team.incidents_alt", count=row.total, major=row.major)


def _track(page: Page, found: Sequence[Declared], alt: str) -> Cell:
    """Twelve months of incidents: the grave ones on top of the others, their size by how long they lasted."""
    zone, last = ZoneInfo(page.organisation.timezone), page.period.as_of
    first = _year_before(last)
    days = (first.astimezone(zone).date(), last.astimezone(zone).date())
    lines: list[Line] = day_lines(calendar_ticks(page.language, *days), *days)
    marks = [
        Mark(place(row.declared_at, first, last), _KINDS[min(row.severity, 4)], _words(page, row), _size(row.minutes))
        for row in sorted(found, key=lambda row: -row.severity)
    ]
    return track(marks, lines, alt)


def _year_before(at: datetime) -> datetime:
    """Twelve months before; the 28th for a leap day."""
    try:
        return at.replace(year=at.year - 1)
    except ValueError:
        return (at - timedelta(days=1)).replace(year=at.year - 1)


def _size(minutes: float | None) -> int:
    """Pixels of a mark: half an hour is small, a working day large; what nobody tells is as small as can be."""
    return round(min(_LARGEST, _SMALLEST + (max(0.0, minutes or 0.0) / 30) ** 0.5 * 2))


def _duration(page: Page, row: Declared) -> str:
    """How long it lasted; that it is open, or that its source tells no ends."""
    if row.resolved_at is None or row.minutes is None:
        return page.text("incidents.end_untold" if row.is_end_untold else "team.open")
    return fmt.duration(page.language, row.minutes)


def _words(page: Page, row: Declared) -> str:
    lasted = _duration(page, row)
    when = fmt.instant(page.language, row.declared_at, page.organisation.timezone)
    parts = (page.text(f"severity.{row.severity}"), when, lasted, row.service_id, row.incident_id)
    return " · ".join(part for part in parts if part)


def _team_name(page: Page, teams: Mapping[str, Team], team_id: str) -> str:
    return page.say(teams[team_id].name) if team_id in teams else team_id


def _list(page: Page, teams: Mapping[str, Team], team_id: str | None, count: int) -> None:
    """The newest incidents as a table that opens on demand; all of them are in the file."""
    key = "incidents.list_show" if count > MOST_ROWS else "incidents.list_show_all"
    words = page.text(key, shown=MOST_ROWS, all=fmt.number(page.language, count))
    file = source("all-incidents", team=team_id)
    show(later_table(page, "incidents", words, lambda: _list_table(page, teams, team_id, file), file))


def _list_table(page: Page, teams: Mapping[str, Team], team_id: str | None, file: Source) -> Table:
    found = incidents.declared(page.snapshot, page.period, team_id=team_id)[:MOST_ROWS]
    zone = page.organisation.timezone
    rows = tuple(
        (
            Cell(row.incident_id, detail=row.service_id or ""),
            Cell(_team_name(page, teams, row.team_id), address=TEAM.at(team=row.team_id)),
            Cell(fmt.instant(page.language, row.declared_at, zone)),
            Cell(page.text(f"severity.{row.severity}")),
            Cell(_duration(page, row), row.minutes),
        )
        for row in found
    )
    columns = (
        Column(page.text("team.incident")),
        Column(page.text("word.team"), "link"),
        Column(page.text("team.declared"), "date"),
        Column(page.text("team.severity")),
        Column(page.text("team.duration"), "number"),
    )
    return Table("all_incidents", page.text("incidents.list_caption"), columns, rows, source=file)


def _services(page: Page, teams: Mapping[str, Team], team_id: str | None) -> None:
    """The services that were down longest, with a bar for each month."""
    title = heading(page.text("incidents.services"), page.text("incidents.services_note"))
    if not quality.is_connected(page.snapshot, "availability_checks"):
        show(join(title, hint(page.text("incidents.services_not_connected"))))
        return
    found = incidents.down_services(page.snapshot, page.period, team_id)[: incidents.SHOWN_SERVICES]
    if not found:
        show(join(title, hint(page.text("incidents.services_none"))))
        return
    top = max(max(row.minutes) for row in found)
    rows = tuple(_service_row(page, teams, row, top) for row in found)
    columns = (
        Column(page.text("word.service")),
        Column(page.text("word.team"), "link"),
        Column(page.text("incidents.down_months")),
        Column(page.text("incidents.down_newest", month=fmt.month(page.language, page.period.on)), "number"),
        Column(page.text("incidents.down_year"), "number"),
    )
    file = source("down-services", team=team_id)
    table = Table("down_services", page.text("incidents.services_caption"), columns, rows, source=file)
    show(join(title, table_html(page, table, kind="services")))


def _service_row(page: Page, teams: Mapping[str, Team], row: DownService, top: float) -> tuple[Cell, ...]:
    minutes = dict(zip(row.months, row.minutes, strict=True))
    newest = page.period.on.replace(day=1)
    months = [_month_before(newest, age) for age in range(incidents.MONTHS - 1, -1, -1)]
    worst = max(minutes, key=lambda month: minutes[month])
    alt = page.text(
        "incidents.down_alt",
        month=fmt.month(page.language, worst),
        minutes=fmt.number(page.language, minutes[worst]),
    )
    owner = Cell(fmt.MISSING)
    if row.team_id is not None:
        owner = Cell(_team_name(page, teams, row.team_id), address=TEAM.at(team=row.team_id))
    return (
        Cell(page.say(row.name), detail=row.service_id if page.say(row.name) != row.service_id else ""),
        owner,
        Cell(drawing=month_bars([minutes.get(month) for month in months], alt, top), detail=alt),
        page.cells.number(row.newest),
        page.cells.number(row.total, is_strong=True),
    )


def _month_before(month: date, age: int) -> date:
    at = month.year * 12 + month.month - 1 - age
    return month.replace(year=at // 12, month=at % 12 + 1)

"""Pieces that several pages show: the table of gaps, the status of a metric, the parts of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from markupsafe import Markup

from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports.addresses import CHANGES, CONNECT, METRIC
from opsmetrics.reports.board import SHOWN_PLACES, Item, shown_value, when
from opsmetrics.reports.parts_of_change import shown_change
from opsmetrics.reports.table import Cell, Column, Source, Table, Tag
from opsmetrics.reports.together import together
from opsmetrics.scoring.change import PARTS
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.catalogue import Area, Metric, Obligation, Team
from opsmetrics.snapshots.queries.gaps import Gap
from opsmetrics.snapshots.queries.movement import Change
from opsmetrics.snapshots.queries.reader import KEPT_READERS
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import MetricScore
from opsmetrics.snapshots.store import Snapshot
from scorecard_app.markup import NOTHING, element, heading, hint, join, outward, points, small
from scorecard_app.page import Page
from scorecard_app.sparklines import gain

NEARLY_FULL = 0.95
PLAIN = Tag("plain", "–")
UNKNOWN = Tag("warn", "?")
_FEWEST = 0.05  # points that show with one decimal
_TAGS = {
    "ok": Tag("good", "✓"),
    "low_evidence": Tag("plain", "~"),
    "stale": Tag("warn", "↺"),
    "invalid": Tag("bad", "✕"),
    "not_measured": Tag("warn", "?"),
    "not_measured_overdue": Tag("bad", "✕"),
    "waived": Tag("warn", "◌"),
}
_GOALS = {"planned": Tag("plain", "○"), "in_progress": Tag("good", "◐"), "done": Tag("good", "✓")}
Below = Literal["area", "team", "both"]


def source(name: str, **parameters: str | None) -> Source:
    """Return where a table is fetched as a file; parameters without a value are left out."""
    return Source(name, tuple((key, value) for key, value in parameters.items() if value))


def span(page: Page, low: float | None, high: float | None) -> str:
    """Return the range in which a score could lie; empty where both ends are written alike: then nothing is open."""
    ends = [fmt.number(page.language, value) for value in (low, high)]
    return "" if ends[0] == ends[1] else "–".join(ends)


def known_share(page: Page, coverage: float | None, low: float | None, high: float | None) -> str:
    """Say how much is measured, and where the score could lie if all were; of what is known whole only the former."""
    words = page.text("word.known", coverage=fmt.percent(page.language, coverage))
    possible = span(page, low, high)
    return words + (f", {page.text('word.possible', span=possible)}" if possible else "")


def registered(page: Page, words: str) -> Cell:
    """Return a cell with what somebody wrote into a register, marked with its language: it is never translated."""
    return _in(page, words, page.organisation.language)


def told_in_english(page: Page, words: str) -> Cell:
    """Return a cell with what the command line says of a row, marked with its language: a reader speaks it so."""
    return _in(page, words, "en")


def _in(page: Page, words: str, language: str) -> Cell:
    return Cell(words) if language == page.language else Cell(words, drawing=element("span", words, lang=language))


def duty_link(page: Page, duty: Obligation) -> Markup:
    """Return a sentence of the handbook, as a link to where it is read where the organisation has said where."""
    words = page.say(duty.text)
    return outward(duty.link, words, page.text("first.opens_handbook")) if duty.link else join(words)


def campaign(name: str) -> str:
    """Return what a campaign is called: the register names it by an id, such as ``restore-2026``."""
    words = name.replace("-", " ").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def now_only(page: Page, title: str) -> Markup:
    """Return a section that says that it has nothing to say of the past; nothing where the page shows today."""
    if not page.period.is_past:
        return NOTHING
    return join(heading(title), hint(page.text("when.now_only", period=page.period_within())))


def teams_by_id(page: Page) -> Mapping[str, Team]:
    """Return the teams by id, in order."""
    return _teams(page.snapshot)


def areas_by_id(page: Page) -> Mapping[str, Area]:
    """Return the areas by id, in order."""
    return _areas(page.snapshot)


def metrics_by_id(page: Page) -> Mapping[str, Metric]:
    """Return the catalogue by id, in order."""
    return _metrics(page.snapshot)


# Made once for a snapshot: rows of tables ask for names, and hundreds of teams are not to be made for each of them.
@lru_cache(KEPT_READERS)
def _teams(snapshot: Snapshot) -> Mapping[str, Team]:
    return MappingProxyType(index_by(catalogue.teams(snapshot), lambda row: row.team_id))


@lru_cache(KEPT_READERS)
def _areas(snapshot: Snapshot) -> Mapping[str, Area]:
    return MappingProxyType(index_by(catalogue.areas(snapshot), lambda row: row.area_id))


@lru_cache(KEPT_READERS)
def _metrics(snapshot: Snapshot) -> Mapping[str, Metric]:
    return MappingProxyType(index_by(catalogue.metrics(snapshot), lambda row: row.metric_id))


def reason(language: str, code: str | None) -> str:
    """Return the words for a reason code such as ``thin:3/30``."""
    if not code:
        return ""
    name, _, detail = code.partition(":")
    silent = ""
    if name == "not_connected":
        detail = ",".join(text(language, f"stream.{stream}") for stream in detail.split(","))
    elif name in {"carried_from", "incomplete", "known"}:
        detail, _, silent = detail.partition("/")
    elif name in {"not_told", "weaker"}:
        pairs = [column.partition(".") for column in detail.split(",")]
        detail = ",".join(f"{text(language, f'stream.{stream}')}: {column}" for stream, _, column in pairs)
    said = text(language, f"reason.{name}", detail=fmt.dates_in(language, detail.replace(",", ", ")))
    # The stream stands behind the whole sentence: within it, it would come between a number and its sign.
    return (
        text(language, "reason.from_stream", said=said, stream=text(language, f"stream.{silent}")) if silent else said
    )


def level_note(
    page: Page, level: int | None, by_score: int | None, *, is_on_edge: bool | None, weakest: int | None = None
) -> str:
    """Return why a level is lower than its score, or that it may soon be another; nothing where it is sure.

    Args:
        page: For the language.
        level: As it stands.
        by_score: That of the score.
        is_on_edge: Whether a level is neither sure nor out of reach.
        weakest: Of a team: the lowest level of its published areas.
    """
    if level is not None and by_score is not None and weakest is not None and weakest + 1 <= level < by_score:
        return page.text("level.held_by_area", level=page.text(f"level.{weakest}").lower())
    if level is not None and by_score is not None and by_score > level:
        return page.text("level.not_yet", level=page.text(f"level.{by_score}").lower())
    return page.text("level.on_edge") if is_on_edge else ""


def status_cell(page: Page, row: MetricScore) -> Cell:
    """Return a metric's status with mark and word; a few missing probes are not called thin evidence."""
    status = row.status
    if status == "low_evidence" and min(row.evidence_weight or 0.0, row.completeness or 0.0) >= NEARLY_FULL:
        status = "ok"
    return Cell(status_words(page, row, status), tag=UNKNOWN if _is_unknown(row) else _TAGS.get(status, PLAIN))


def status_words(page: Page, row: MetricScore, status: str = "") -> str:
    """Return a metric's status in a word; what was never known enough for points is not known, and not out of date."""
    return page.text("status.not_known" if _is_unknown(row) else f"status.{status or row.status}")


def _is_unknown(row: MetricScore) -> bool:
    return row.status == "stale" and row.points is None


def goal_cell(page: Page, gap: Gap) -> Cell:
    """Return how far a goal has come; a gap without one says so."""
    if gap.goal_status is None:
        return Cell(page.text("goal.none"), tag=Tag("warn", "!"))
    if gap.is_overdue:
        return Cell(page.text("goal.overdue"), tag=Tag("bad", "!"))
    return Cell(page.text(f"goal.{gap.goal_status}"), tag=_GOALS[gap.goal_status])


def gaps_table(
    page: Page,
    gaps: Sequence[Gap],
    *,
    below: Below,
    fails: Mapping[str, Markup] = MappingProxyType({}),
    **parameters: str | None,
) -> Table:
    """Return the table of gaps.

    Args:
        page: The page.
        gaps: Shown in their order.
        below: What stands below the metric's name.
        fails: What fails behind a metric, by its id; of one team.
        parameters: Of the file that holds all of them.
    """
    metrics, areas, teams = metrics_by_id(page), areas_by_id(page), teams_by_id(page)
    largest = max((gap.gain_if_met for gap in gaps), default=0.0)
    rows: list[tuple[Cell, ...]] = []
    for gap in gaps:
        area, team = page.say(areas[gap.area_id].name), page.say(teams[gap.team_id].name)
        where = {"area": area, "team": team, "both": f"{team} · {area}"}[below]
        rows.append(_gap_row(page, gap, metrics[gap.metric_id], where, largest, fails.get(gap.metric_id)))
    columns = (
        Column(page.text("word.metric"), "link"),
        Column(page.text("gaps.gain"), "number"),
        Column(page.now, "number"),
        Column(page.text("word.target"), "number"),
        Column(page.text("word.next_step")),
        Column(page.text("word.effort")),
        Column(page.text("word.status")),
    )
    joint = together(page.language, page.snapshot, page.period, gaps)
    note = f"{joint} {page.text('gains.alone')}" if joint else ""
    caption = page.text("gaps.caption")
    return Table("gaps", caption, columns, tuple(rows), note, source=source("gaps", **parameters))


def cut(page: Page, shown: int, count: int) -> str:
    """Say that a list shows its first rows only and its file all; empty where the list shows all."""
    if count <= shown:
        return ""
    return page.text("app.cut", shown=shown, all=fmt.number(page.language, count))


def no_gaps(page: Page, *, is_scored: bool) -> Markup:
    """Say why there are no gaps: all that is measured is at its target, or too little is measured for a total score."""
    if is_scored:
        return hint(page.text("gaps.none_left"))
    return hint(page.text("gaps.none_known"), " ", page.link(CONNECT.at(), page.text("gaps.connect")))


def days_text(language: str, days: float) -> str:
    """Return team-days, without a decimal where there is none."""
    return fmt.number(language, days, 0 if days == int(days) else 1)


def _gap_row(
    page: Page, gap: Gap, metric: Metric, where: str, largest: float, fails: Markup | None
) -> tuple[Cell, ...]:
    language, cells = page.language, page.cells
    who = ""
    if gap.owner_role is not None and gap.due_on is not None:
        day = fmt.long_date(language, gap.due_on)
        who = page.text("goal.who", role=page.text(f"role.{gap.owner_role}"), day=day)
    days = page.text("gaps.days", days=days_text(language, gap.effort_days))
    address = METRIC.at(team=gap.team_id, metric=gap.metric_id)
    now, target, krav = cells.measures(metric.unit, shown_value(gap), metric.mal, metric.krav, required=metric.required)
    return (
        Cell(page.say(metric.title), detail=where, address=address),
        Cell(
            fmt.number(language, gap.gain_if_met, 1),
            gap.gain_if_met,
            detail=_gain_detail(page, gap),
            drawing=gain(language, gap.gain_if_met, largest),
        ),
        now,
        replace(
            target,
            detail=page.text("gaps.of_krav", krav=krav.text)
            if metric.krav is not None and metric.krav != metric.mal
            else "",
        ),
        Cell(
            page.say(metric.remedy),
            detail=" ".join(filter(None, (when(gap, language), who))),
            drawing=join(page.say(metric.remedy), small(join(page.text("gaps.about"), " ", fails)))
            if fails
            else NOTHING,
        ),
        Cell(page.text(f"effort.{metric.effort}"), detail=days),
        goal_cell(page, gap),
    )


def _gain_detail(page: Page, gap: Gap) -> str:
    """What the requirement alone gives, how much of the gain can be had this quarter, and whether it frees a gate."""
    language, said = page.language, []
    if gap.is_for_gate:
        said.append(page.text("gaps.frees"))
    if _FEWEST <= gap.gain_to_krav < gap.gain_if_met - _FEWEST:
        said.append(page.text("gaps.to_krav", points=fmt.number(language, gap.gain_to_krav, 1)))
    if gap.gain_this_quarter is not None and gap.gain_if_met - gap.gain_this_quarter >= _FEWEST:
        said.append(page.text("gaps.this_quarter", points=fmt.number(language, gap.gain_this_quarter, 1)))
    return "; ".join(said)


def item_list(page: Page, items: Sequence[Item]) -> Markup:
    """Return what the board says as a list with links; nothing where there is nothing."""
    if not items:
        return NOTHING
    return points(_item(page, item) for item in items)


def _item(page: Page, item: Item) -> Markup:
    if not item.places:
        return join(page.link(item.address, item.title), small(item.detail))
    links = [page.link(place.address, place.name) for place in item.places[: SHOWN_PLACES + 1]]
    places = page.listed(links, [place.name for place in item.places], SHOWN_PLACES, whole=item.address)
    return join(page.link(item.address, item.title), element("span", places, class_="places"), small(item.note))


def changes_table(
    page: Page, rows: Sequence[Change], *, first: Literal["until", "team"], **parameters: str | None
) -> Table:
    """Return what changes are made of, a row each.

    Args:
        page: The page.
        rows: Changes, shown in their order.
        first: What the first column names: the day or the team.
        parameters: Of the file that holds all of them.
    """
    teams, cells = teams_by_id(page), page.cells

    def name(row: Change) -> Cell:
        if first == "until":
            return cells.day(row.on)
        return Cell(page.say(teams[row.team_id].name), address=CHANGES.at(team=row.team_id))

    shown = tuple(
        (
            name(row),
            cells.score_in_tenths(row.score_before),
            *_parts_of(page, row),
            cells.score_in_tenths(row.score_after, is_strong=True),
        )
        for row in rows
    )
    columns = (
        Column(page.text("explain.until"), "date") if first == "until" else Column(page.text("word.team"), "link"),
        Column(page.text("explain.before"), "number"),
        *(Column(page.text(f"explain.part_{part}"), "number") for part in PARTS),
        Column(page.text("explain.after"), "number"),
    )
    caption = page.text("explain.change_caption")
    return Table("changes", caption, columns, shown, source=source("changes", **parameters))


def _parts_of(page: Page, row: Change) -> list[Cell]:
    """The parts of one change as every other place writes them; none is a dash."""
    points = dict(shown_change([row]).parts)
    return [page.cells.signed(points[part]) if part in points else Cell(fmt.MISSING) for part in PARTS]

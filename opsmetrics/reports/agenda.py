"""What a meeting must decide, the most dangerous first: the same matter of several teams is one line.

The order is: exploited vulnerabilities past their deadline, more incidents than usual, what is not established, gates,
areas that fell far, decisions past due, decisions that will be, sources that fail, exemptions that end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from opsmetrics.language import fmt
from opsmetrics.language.listing import listed
from opsmetrics.language.texts import text
from opsmetrics.reports import lead
from opsmetrics.reports.addresses import AREA, DECISIONS, EXEMPTIONS, HEALTH, INCIDENTS, METRIC, TEAM, Address
from opsmetrics.reports.standing import KEPT_BOARDS, Board, Item, Place, gate_reason, since
from opsmetrics.snapshots.queries import catalogue, facts, gaps, quality, scores
from opsmetrics.snapshots.queries.scores import AreaScore, MetricScore

SOON_DAYS = 60
LARGE_FALL = 15.0  # points that an area lost since the last month end
SHOWN_PLACES = 3
SEVERAL = 2  # of a matter that is told once: its words stay the same while its number moves
MOST_LINES = 7  # what a meeting can settle
EXPLOITED, EXPLOITED_GATE = "sec_overdue_exploited", "G-SIK-1"
MANY_INCIDENTS = "incidents"
_MEASURED = {"ok", "low_evidence"}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to decide about one team, or about nobody's alone.

    Attributes:
        cause: What makes two matters the same; the title says it.
        title: Of the cause, without a name, as of several.
        one: The same of one alone.
        place: Whom or what it is about, with its number.
        where: In the app, of this place.
        whole: In the app, of the cause.
        note: What the cause means.
        team_id: Whose it is.
        key: Name of the place alone, which stays the same while its number moves.
        own: The title where the matter stands alone, after the key; default the title.
        count: How many there are of what the title names.
    """

    cause: str
    title: str
    one: str
    place: str
    where: Address
    whole: Address
    note: str = ""
    team_id: str | None = None
    key: str = ""
    own: str = ""
    count: int = 1


@lru_cache(2 * KEPT_BOARDS)
def _matters(board: Board, language: str) -> tuple[Matter, ...]:
    """Everything to decide, found once for whoever tells it by team and whoever tells it by cause."""
    return tuple(_all(board, language))


def matters(board: Board, language: str) -> list[Item]:
    """Return what is to be decided, one item for each team and matter, the most dangerous first."""
    rows = _matters(board, language)
    together = [row for row in rows if row.cause == MANY_INCIDENTS]
    items = [_merged(language, together)] if together else []
    alone = [_alone(row) for row in rows if row.cause != MANY_INCIDENTS]
    before = sum(row.cause == EXPLOITED for row in rows)
    return [*alone[:before], *items, *alone[before:]]


@lru_cache(2 * KEPT_BOARDS)
def for_decision(board: Board, language: str) -> tuple[Item, ...]:
    """Return what is to be decided, one item for each cause, the most dangerous first."""
    merged: dict[str, list[Matter]] = {}
    for row in _matters(board, language):
        merged.setdefault(row.cause, []).append(row)
    return tuple(_merged(language, rows) for rows in merged.values())


def nothing_to_decide(board: Board, language: str) -> str:
    """Return what stands where there is nothing to decide: that it is so, or that too little is known to say it."""
    return text(language, "overview.settle_none" if board.found() else "overview.settle_unknown")


def _alone(row: Matter) -> Item:
    title = f"{row.key}: {row.own or _lower(row.title)}" if row.key else row.title
    return Item(title, row.note or row.place, row.where, row.team_id, note=row.note, cause=row.cause)


def _merged(language: str, rows: Sequence[Matter]) -> Item:
    first = rows[0]
    places = [Place(row.place, row.where) for row in rows if row.place]
    named = listed(language, [place.name for place in places], SHOWN_PLACES)
    detail = " ".join(filter(None, (f"{named}." if named else "", first.note)))
    team_id = first.team_id if len(rows) == 1 else None
    title = first.one if sum(row.count for row in rows) == 1 else first.title
    return Item(title, detail, first.whole, team_id, tuple(places), first.note, first.cause)


def _all(board: Board, language: str) -> Iterator[Matter]:
    exploited = _exploited(board, language)
    yield from exploited
    yield from _incidents(board, language)
    yield from _not_established(board, language)
    yield from _gates(board, language, {row.team_id for row in exploited})
    yield from _falls(board, language)
    yield from _goals(board, language)
    if not board.period.is_past:  # how sources delivered then is not kept
        yield from _sources(board, language)
    yield from _exemptions(board, language)


def _exploited(board: Board, language: str) -> list[Matter]:
    names = board.team_names(language)
    rows = scores.metric_scores(board.snapshot, board.period, metric_id=EXPLOITED)
    # What was known before its source fell silent is not over because nobody tells of it any more.
    found = [row for row in rows if row.value and row.status in {*_MEASURED, "stale"}]
    return [
        Matter(
            EXPLOITED,
            *_titles(language, "agenda.exploited"),
            _counted(names[row.team_id], _known_number(language, row)),
            METRIC.at(team=row.team_id, metric=EXPLOITED),
            METRIC.at(metric=EXPLOITED),
            text(language, "agenda.exploited_note", level=text(language, "level.1").lower()),
            row.team_id,
            names[row.team_id],
            count=round(row.value or 0),
        )
        for row in sorted(found, key=lambda row: (-(row.value or 0), row.team_id))
    ]


def _known_number(language: str, row: MetricScore) -> str:
    number = fmt.number(language, row.value)
    return text(language, "agenda.last_known", number=number) if row.status == "stale" else number


def _incidents(board: Board, language: str) -> Iterator[Matter]:
    """More major incidents than in any of the twelve periods before: of all teams together, and of each of them."""
    if not quality.is_connected(board.snapshot, "incidents"):
        return
    names, counts = board.team_names(language), facts.major_incidents(board.snapshot, board.period)
    known = [count for count in counts[:-1] if count is not None]
    now, normal = counts[-1], lead.usual_range(counts[:-1])
    rows = [row for row in facts.team_majors(board.snapshot, board.period) if row.team_id in names]
    if now is not None and normal is not None and now > max(known):
        title = text(language, "agenda.incidents")
        note = text(language, "agenda.incidents_note", count=now, span=fmt.span(*map(str, normal)))
        for row in rows:
            place = _counted(names[row.team_id], fmt.number(language, row.found))
            yield Matter(
                MANY_INCIDENTS, title, title, place, INCIDENTS.at(team=row.team_id), INCIDENTS.at(), note, row.team_id
            )
        return
    for row in rows:
        if now is not None and row.most_before is not None and row.found > max(row.most_before, 1):
            words = {"count": row.found, "most": row.most_before}
            yield Matter(
                "incidents_team",
                *_titles(language, "agenda.incidents_team"),
                f"{names[row.team_id]} ({text(language, 'agenda.incidents_against', **words)})",
                INCIDENTS.at(team=row.team_id),
                INCIDENTS.at(),
                "",
                row.team_id,
                names[row.team_id],
            )


def _cells(board: Board) -> Iterator[AreaScore]:
    """The areas of teams, in the order of the matrix."""
    for team in board.teams:
        for area in board.areas:
            if (row := board.cells.get((team.team_id, area.area_id))) is not None:
                yield row


def _not_established(board: Board, language: str) -> Iterator[Matter]:
    names, areas = board.team_names(language), board.area_names(language)
    rows = [row for row in _cells(board) if row.level == 0 and row.score is not None]
    for row in sorted(rows, key=lambda row: row.score or 0.0):
        name = f"{names[row.team_id]}: {areas[row.area_id]}"
        place = text(language, "agenda.level_0_place", name=name, score=fmt.score(language, row.score))
        yield Matter(
            "level_0",
            *_titles(language, "agenda.level_0", level=text(language, "level.0").lower()),
            place,
            TEAM.at(team=row.team_id, area=row.area_id),
            AREA.at(area=row.area_id),
            text(language, "agenda.level_0_note"),
            row.team_id,
            name,
            text(language, "agenda.level_0_own", level=text(language, "level.0").lower()),
        )


def _gates(board: Board, language: str, exploited: set[str | None]) -> Iterator[Matter]:
    """Every gate that stands, also where the level is low already; the lowest level first."""
    names, areas = board.team_names(language), board.area_names(language)
    rows = [
        row
        for row in _cells(board)
        if row.gate is not None and not (row.gate == EXPLOITED_GATE and row.team_id in exploited)
    ]
    # The highest level that a gate leaves anybody: the lower, the graver.
    caps: dict[str | None, int] = {}
    for row in rows:
        caps[row.gate] = max(caps.get(row.gate, 0), row.level or 0)
    for row in sorted(rows, key=lambda row: (caps[row.gate], row.gate or "")):
        # A reason that counts nothing ("no rota is registered") is not followed by a number.
        is_counted = row.gate_findings is not None and row.reason is not None and "{}" in row.reason.get(language)
        count = fmt.number(language, row.gate_findings) if is_counted else ""
        title, one = (_gate_title(language, replace(row, gate_findings=found)) for found in (SEVERAL, 1))
        yield Matter(
            f"gate_{row.gate}",
            title,
            one,
            _counted(names[row.team_id], count) if count else names[row.team_id],
            TEAM.at(team=row.team_id, area=row.area_id),
            AREA.at(area=row.area_id),
            text(language, "agenda.gate_note", area=areas[row.area_id].lower()),
            row.team_id,
            names[row.team_id],
            count=1 if row.gate_findings is None else row.gate_findings,
        )


def _gate_title(language: str, row: AreaScore) -> str:
    """A gate's reason as a title: without the number of findings before it, which belongs to a team."""
    words = re.sub(r"^\d+\s+", "", gate_reason(language, row))
    return words[:1].upper() + words[1:] or row.gate or ""


def _falls(board: Board, language: str) -> Iterator[Matter]:
    names, areas = board.team_names(language), board.area_names(language)
    rows = [row for row in board.moves.values() if row.area_id and (row.change or 0) <= -LARGE_FALL]
    for row in sorted(rows, key=lambda row: (row.change or 0, row.team_id, row.area_id)):
        name = f"{names[row.team_id]}: {areas[row.area_id]}"
        yield Matter(
            "fall",
            *_titles(language, "agenda.fall", since=since(board, language)),
            f"{name} {' → '.join(fmt.scores(language, row.score_before, row.score))}",
            TEAM.at(team=row.team_id, area=row.area_id),
            AREA.at(area=row.area_id),
            "",
            row.team_id,
            name,
        )


def _goals(board: Board, language: str) -> Iterator[Matter]:
    """Decisions that are past due, then those that the pace of today brings in too late."""
    names = board.team_names(language)
    titles = {row.metric_id: row.title.get(language) for row in catalogue.metrics(board.snapshot)}
    reviews = [goal for goal in gaps.goal_reviews(board.snapshot, board.period) if goal.metric_id in titles]
    overdue = [goal for goal in reviews if goal.standing == "over"]
    late = [goal for goal in reviews if goal.standing == "late" and goal.days_left <= SOON_DAYS]
    for cause, rows in (("overdue", overdue), ("late", late)):
        for goal in rows:
            name = f"{names[goal.team_id]}: {titles[goal.metric_id]}"
            yield Matter(
                cause,
                *_titles(language, f"agenda.{cause}", within=str(SOON_DAYS)),
                text(language, f"agenda.{cause}_place", name=name, days=abs(goal.days_left)),
                METRIC.at(team=goal.team_id, metric=goal.metric_id),
                DECISIONS.at(),
                "",
                goal.team_id,
                name,
                text(language, f"agenda.{cause}_own"),
            )


def _sources(board: Board, language: str) -> Iterator[Matter]:
    found = quality.systems(board.snapshot)
    if not found:
        title, note = text(language, "overview.sources_none"), text(language, "overview.sources_none_detail")
        yield Matter("no_sources", title, title, "", HEALTH.at(), HEALTH.at(), note)
    for row in (row for row in found if row.silent):
        name = text(language, f"system.{row.kind}")
        streams = listed(language, [_lower(text(language, f"stream.{each}")) for each in row.silent], SHOWN_PLACES)
        note = text(language, "overview.decide_source_detail")
        yield Matter(
            "source",
            *_titles(language, "agenda.source"),
            _counted(name, streams),
            HEALTH.at(),
            HEALTH.at(),
            note,
            None,
            name,
            text(language, "agenda.source_own"),
        )


def _exemptions(board: Board, language: str) -> Iterator[Matter]:
    names = board.team_names(language)
    titles = {row.metric_id: row.title.get(language) for row in catalogue.metrics(board.snapshot)}
    for row in quality.due_exemptions(board.snapshot, SOON_DAYS, board.period):
        # A maintenance window ends by itself: nobody decides whether it goes on.
        if row.team_id is None or row.kind == "maintenance":
            continue
        name = f"{names[row.team_id]}: {titles.get(row.subject, row.subject)}"
        yield Matter(
            "exemption",
            *_titles(language, "agenda.exemption", within=str(SOON_DAYS)),
            text(language, "agenda.exemption_place", name=name, days=row.days_left),
            EXEMPTIONS.at(),
            EXEMPTIONS.at(),
            "",
            row.team_id,
            name,
            text(language, "agenda.exemption_own"),
        )


@lru_cache(64)  # the same for every matter of a cause
def _titles(language: str, key: str, **words: str) -> tuple[str, str]:
    """A title as of several, and as of one."""
    return text(language, key, count=SEVERAL, **words), text(language, key, count=1, **words)


def _counted(name: str, count: str) -> str:
    return f"{name} ({count})"


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]

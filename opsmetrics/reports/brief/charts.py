"""The pictures of a brief: each with a sentence that says what it shows, and the select that gives its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.brief.document import Chart
from opsmetrics.reports.brief.words import Words
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import facts, quality, scores, shared_gaps, summary
from opsmetrics.snapshots.queries.facts import MajorIncidents
from opsmetrics.snapshots.queries.gaps import STANDINGS, GoalReview
from opsmetrics.snapshots.queries.scores import Month
from opsmetrics.snapshots.queries.shared_gaps import SharedGap

SHOWN_MONTHS, SHOWN_SHARED, SHOWN_SERVICES = 13, 8, 5
_LAST_MOMENT = timedelta(microseconds=1)  # periods end at midnight, exclusive


def _months(words: Words) -> tuple[list[Month], str]:
    here = words.board
    named = here.period.instant(level=MET_LEVEL, count=SHOWN_MONTHS)
    return [*scores.months(here.snapshot, here.period, MET_LEVEL, SHOWN_MONTHS)], summary.written(scores.MONTHS, named)


def _month_names(words: Words, rows: list[Month]) -> tuple[str, ...]:
    """Short months; the newest point of a brief about now by its day."""
    names = [fmt.short_month(words.language, row.on) for row in rows]
    if rows and words.board.period.grain != "month":
        names[-1] = words.text("brief.now")
    return tuple(names)


def _whole_months(words: Words, rows: list[Month]) -> tuple[str, ...]:
    """Months with their years; the newest point of a brief about now by its day."""
    names = [fmt.month(words.language, row.on) for row in rows]
    if rows and words.board.period.grain != "month":
        names[-1] = fmt.long_date(words.language, rows[-1].on)
    return tuple(names)


def median(words: Words) -> Chart | None:
    """Return the median score at each month end against the requirement; None with fewer than two."""
    rows, sql = _months(words)
    values = tuple(row.score for row in rows)
    if len([value for value in values if value is not None]) < 2:
        return None
    moved = ", ".join(board.median_changes(words.board, words.language))
    title = words.text(
        "brief.chart_median" if moved else "brief.chart_median_alone",
        score=fmt.score(words.language, words.board.median()),
        moved=moved,
        teams=len(words.board.scores),
    )
    return Chart(
        name="median",
        title=title,
        alt=words.text("brief.chart_median_alt", values=_told(words, rows, values)),
        form="line",
        categories=_month_names(words, rows),
        named=_whole_months(words, rows),
        values=values,
        labels=tuple(fmt.score(words.language, value) for value in values),
        top=100,
        unit=words.text("overview.strip_median"),
        first=words.text("word.month"),
        sql=sql,
        line=words.board.edges[MET_LEVEL - 1],
        line_label=words.text("brief.requirement", score=fmt.number(words.language, words.board.edges[MET_LEVEL - 1])),
    )


def _told(words: Words, rows: list[Month], values: tuple[float | None, ...]) -> str:
    """First, lowest, highest and newest of a series, for who does not see it."""
    known = [(value, row) for value, row in zip(values, rows, strict=True) if value is not None]
    lowest, highest = min(known, key=lambda pair: pair[0]), max(known, key=lambda pair: pair[0])
    chosen = {row.on: value for value, row in (known[0], lowest, highest, known[-1])}
    return ", ".join(
        f"{fmt.month(words.language, day)} {fmt.score(words.language, value)}" for day, value in sorted(chosen.items())
    )


def met(words: Words) -> Chart | None:
    """Return how many teams met the requirement at each month end; None with fewer than two."""
    rows, sql = _months(words)
    if len([row for row in rows if row.scored]) < 2:
        return None
    values = tuple(float(row.met) if row.scored else None for row in rows)
    most = max(len(words.board.scores), *(row.scored for row in rows))
    here, teams = words.board.met() or 0, len(words.board.scores)
    title = words.text("brief.chart_met_one" if teams == 1 else "brief.chart_met", met=here, all=teams)
    old = words.board.before
    if old is not None and (teams, old.teams) != (1, 1):
        way = "other" if old.teams != teams else "same" if old.met == here else "before"
        month = board.since(words.board, words.language)
        title += words.text(f"brief.chart_met_{way}", met=old.met, all=old.teams, month=month)
    return Chart(
        name="met",
        title=f"{title}.",
        alt=words.text("brief.chart_met_alt", values=_told(words, rows, values)),
        form="columns",
        categories=_month_names(words, rows),
        named=_whole_months(words, rows),
        values=values,
        labels=tuple(fmt.number(words.language, value) for value in values),
        top=float(most),
        top_label=words.text("brief.all_teams", count=most),
        unit=words.text("overview.strip_met"),
        first=words.text("word.month"),
        sql=sql,
    )


def shared(words: Words) -> Chart | None:
    """Return the metrics that most teams are below the requirement of; None where none is shared."""
    here = words.board
    rows = list(shared_gaps.shared_gaps(here.snapshot, here.period, SHOWN_SHARED))
    if not rows:
        return None
    first = rows[0]
    names = tuple(row.title.get(words.language) for row in rows)
    labels = tuple(of_measured(words, row) for row in rows)
    return Chart(
        name="shared",
        title=words.text("brief.chart_shared", count=first.below, all=first.measured, metric=names[0]),
        alt=words.text("brief.chart_shared_alt", values=_pairs(names, labels)),
        form="bars",
        categories=names,
        values=tuple(float(row.below) for row in rows),
        labels=labels,
        top=float(len(here.scores)),
        unit=words.text("brief.teams_unmet"),
        first=words.text("word.metric"),
        sql=summary.written(shared_gaps.SHARED, here.period.instant(count=SHOWN_SHARED)),
        is_below=True,
    )


def of_measured(words: Words, row: SharedGap) -> str:
    """Say how many teams are below the requirement, of how many that are measured."""
    key = "shared.row_unmeasured" if row.unmeasured else "shared.row"
    return words.text(key, below=row.below, measured=row.measured, unmeasured=row.unmeasured)


def _pairs(names: tuple[str, ...], labels: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {label}" for name, label in zip(names, labels, strict=True))


def majors(words: Words) -> Chart | None:
    """Return major incidents in periods of 28 days; None where nobody tells them."""
    found, language = words.board, words.language
    if not quality.is_connected(found.snapshot, "incidents"):
        return None
    # What nobody told is no column: none would look like a quiet month.
    rows = [(row, row.found) for row in facts.major_periods(found.snapshot, found.period) if row.found is not None]
    now, usual = board.usual(found, language)
    if now is None:
        return None
    names = tuple(_day(words, row) for row, _ in rows)
    labels = tuple(fmt.number(language, count) for _, count in rows)
    return Chart(
        name="majors",
        title=words.text("brief.chart_majors", count=now, usual=f", {usual}" if usual else ""),
        alt=words.text("brief.chart_majors_alt", values=_pairs(names, labels)),
        form="columns",
        categories=names,
        named=tuple(fmt.short_date(words.language, _last_day(words, row)) for row, _ in rows),
        values=tuple(float(count) for _, count in rows),
        labels=labels,
        top=float(max(1, *(count for _, count in rows))),
        unit=words.text("overview.strip_majors"),
        first=words.text("brief.period_end"),
        sql=summary.written(facts.MAJORS, {"as_of": found.period.as_of, "on": found.period.on}),
    )


def _last_day(words: Words, row: MajorIncidents) -> date:
    return (row.ends_at - _LAST_MOMENT).astimezone(words.zone).date()


def _day(words: Words, row: MajorIncidents) -> str:
    last = _last_day(words, row)
    # 4/8 is April to some and August to others.
    return f"{last.day}.{last.month}." if words.language == "nb" else f"{last.day} {fmt.short_month('en', last)}"


def down(words: Words) -> Chart | None:
    """Return the services that were down longest in the newest 28 days; None where nothing is known to have been."""
    here = words.board
    rows = [
        (row, row.down_minutes)
        for row in facts.worst_services(here.snapshot, here.period, SHOWN_SERVICES)
        if row.down_minutes is not None
    ]
    if not rows:
        return None
    names = tuple(row.name.get(words.language) for row, _ in rows)
    labels = tuple(fmt.duration(words.language, minutes) for _, minutes in rows)
    named: dict[str, Any] = {"on": here.period.on, "as_of": here.period.as_of, "count": SHOWN_SERVICES}
    now = facts.downtime(here.snapshot, here.period)[-1]
    said = {"service": names[0], "time": labels[0], "share": fmt.percent(words.language, now.known_share)}
    return Chart(
        name="down",
        title=words.text("brief.chart_down" if now.is_told else "brief.chart_down_partly", **said),
        alt=words.text("brief.chart_down_alt", values=_pairs(names, labels)),
        form="bars",
        categories=names,
        values=tuple(minutes for _, minutes in rows),
        labels=labels,
        top=rows[0][1],
        unit=words.text("brief.down_minutes"),
        first=words.text("word.service"),
        sql=summary.written(facts.WORST, named),
    )


def standings(words: Words, goals: Sequence[GoalReview]) -> Chart | None:
    """Return how the decisions of before stand; None where there are none."""
    if not goals:
        return None
    counts = Counter(goal.standing for goal in goals)
    kinds = [kind for kind in STANDINGS if counts[kind]]
    names = tuple(words.text(f"brief.standing_{kind}") for kind in kinds)
    labels = tuple(fmt.number(words.language, counts[kind]) for kind in kinds)
    return Chart(
        name="standings",
        title=words.text("brief.chart_standings", closed=counts["closed"], all=len(goals)),
        alt=words.text("brief.chart_standings_alt", values=_pairs(names, labels)),
        form="bars",
        categories=names,
        values=tuple(float(counts[kind]) for kind in kinds),
        labels=labels,
        top=float(max(counts.values())),
        unit=words.text("brief.decisions"),
        first=words.text("word.status"),
        sql=summary.written(summary.STANDINGS, words.board.period.instant(on=words.board.period.on)),
    )

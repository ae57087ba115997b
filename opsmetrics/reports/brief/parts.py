"""The tables of a brief: changes, matrix, decisions, duties, gaps, areas of a team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.board import Board, shown_value
from opsmetrics.reports.brief.charts import SHOWN_MONTHS, SHOWN_SHARED
from opsmetrics.reports.brief.document import Paragraph
from opsmetrics.reports.brief.drawings import bar, spark
from opsmetrics.reports.brief.state import Before
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.change import PARTS
from opsmetrics.scoring.points import KRAV_POINTS, MET_LEVEL
from opsmetrics.snapshots.queries import gaps as gap_queries
from opsmetrics.snapshots.queries import scores, summary
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.movement import Change
from opsmetrics.snapshots.queries.summary import SharedGap

DOUBTS = {"signs", "provisional", "carried"}
_LINE = 2  # values that make one
_LEAST = 0.05  # points that show with one decimal


def why(words: Words, change: Change) -> str:
    """Say what a change of score is made of, largest part first; parts too small to show are left out."""
    shown = [part for part in PARTS if abs(change.part(part)) >= _LEAST]
    said = [
        f"{words.text(f'explain.part_{part}').lower()} {words.cells.signed(change.part(part)).text}"
        for part in sorted(shown, key=lambda part: -abs(change.part(part)))
    ]
    return ", ".join(said) or words.text("brief.no_change")


def changes(words: Words, rows: Sequence[Change]) -> Table:
    """Return why the scores of some teams changed."""
    return Table(
        name="changes",
        caption=words.text("brief.changes_caption"),
        columns=(
            words.column("word.team", width=2),
            words.column("explain.before", "number"),
            words.column("explain.after", "number"),
            words.column("brief.why", width=6),
        ),
        rows=tuple(
            (
                Cell(words.teams[row.team_id]),
                words.cells.number(row.score_before, 1),
                words.cells.number(row.score_after, 1),
                Cell(why(words, row)),
            )
            for row in rows
        ),
    )


def matrix(words: Words, then: Before) -> Table:
    """Return the scores of all teams and areas, with the change since the month end before and the year as a line."""
    found = words.board
    history = _history(found)
    return Table(
        name="scores",
        caption=words.text("overview.matrix_caption"),
        columns=(
            words.column("word.team", width=2.3),
            *(
                Column(area.short.get(words.language), "number", 1.1, area.name.get(words.language))
                for area in found.areas
            ),
            words.column("word.total", "number", 1.1),
            words.column("word.change", "number", 1.1),
            words.column("word.coverage", "percent", 1.2),
            words.column("word.level", width=1.7),
            words.column("overview.year", width=1.8),
        ),
        rows=(
            *(_matrix_row(words, team, then, history.get(team.team_id, [])) for team in found.teams),
            _median_row(words, then),
        ),
        note=words.text("brief.bands", bands=_bands(words)),
    )


def _bands(words: Words) -> str:
    """The levels with their ranges, lowest first: 0–19 ..."""
    edges = [0, *(round(edge) for edge in words.board.edges), 101]
    return " · ".join(
        f"{low}–{high - 1} {words.text(f'level.{level}').lower()}" for level, (low, high) in enumerate(pairwise(edges))
    )


def _history(found: Board) -> dict[str, list[float | None]]:
    """Each team's scores at month ends and at the instant itself; oldest first."""
    history: dict[str, list[float | None]] = {}
    for row in scores.team_months(found.snapshot, found.period, SHOWN_MONTHS):
        history.setdefault(row.team_id, []).append(row.score)
    return history


def _matrix_row(words: Words, team: Team, then: Before, history: Sequence[float | None]) -> tuple[Cell, ...]:
    found = words.board
    total = found.scores.get(team.team_id)
    score = total.score if total else None
    old = then.month.scores.get(team.team_id) if then.month else None
    return (
        Cell(words.teams[team.team_id]),
        *(words.area_score(found.cells.get((team.team_id, area.area_id))) for area in found.areas),
        replace(words.score(score), is_strong=True),
        change(words, team.team_id, _difference(score, old.score if old else None)),
        words.cells.percent(total.coverage if total else None),
        Cell(words.level(total.level if total else None)),
        _year(words, history),
    )


def change(words: Words, team_id: str, points: float | None) -> Cell:
    """Return a team's change in points; a rise of numbers that are doubted has a mark, and is no gain."""
    cell, move = words.cells.signed(points), words.board.moves.get((team_id, ""))
    is_doubted = move is not None and board.doubt(move) in DOUBTS
    return replace(cell, text=f"{cell.text} ?") if is_doubted and (points or 0) > 0 else cell


def _difference(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then


def _change(words: Words, now: float | None, then: float | None) -> Cell:
    return words.cells.signed(_difference(now, then))


def _year(words: Words, history: Sequence[float | None]) -> Cell:
    """A sparkline; its words say from what to what."""
    known = [value for value in history if value is not None]
    if len(known) < _LINE:
        return Cell(words.text("brief.too_short"))
    first, last = (fmt.score(words.language, value) for value in (known[0], known[-1]))
    said = words.text("brief.from_to", first=first, last=last)
    return Cell(said, drawing=spark(history, said))


def _median_row(words: Words, then: Before) -> tuple[Cell, ...]:
    found, medians = words.board, words.board.medians()
    months = [row.score for row in reversed(summary.organisation_months(found.snapshot, _of_months(found)))]
    return (
        Cell(words.text("overview.median_row")),
        *(words.score(medians.get(area.area_id)) for area in found.areas),
        replace(words.score(found.median()), is_strong=True),
        _change(words, found.median(), then.month.median() if then.month else None),
        words.cells.percent(found.coverage()),
        Cell(),
        _year(words, months),
    )


def _of_months(found: Board) -> dict[str, Any]:
    return found.period.instant(level=MET_LEVEL, count=SHOWN_MONTHS)


def decided(words: Words, goals: Sequence[GoalReview]) -> str:
    """Say where the decisions of before stand, or that there are none."""
    return words.text("brief.decided", count=len(goals)) if goals else words.text("brief.no_decisions")


def decisions(words: Words, goals: Sequence[GoalReview], name: str, *, with_team: bool = True) -> Paragraph | Table:
    """Return what was decided and what came of it, or that nothing was."""
    if not goals:
        return Paragraph(words.text("brief.no_decisions"))
    team = (words.column("word.team", width=2),) if with_team else ()
    return Table(
        name=name,
        caption=words.text("goal.caption"),
        columns=(
            *team,
            words.column("word.metric", width=3),
            words.column("goal.decided", "date", 1.2),
            words.column("goal.due", "date", 1.2),
            words.column("word.status", width=1.2),
            words.column("goal.points"),
            words.column("goal.forecast", width=2.8),
            words.column("goal.effect", width=2.8),
        ),
        rows=tuple(_decision(words, goal, with_team=with_team) for goal in goals),
        note=words.text("goal.note"),
    )


def _decision(words: Words, goal: GoalReview, *, with_team: bool) -> tuple[Cell, ...]:
    points = " → ".join(fmt.number(words.language, value) for value in (goal.points_then, goal.points_now))
    return (
        *([Cell(words.teams[goal.team_id])] if with_team else []),
        Cell(goal.title.get(words.language)),
        words.cells.day(goal.decided_on),
        words.cells.day(goal.due_on),
        Cell(words.text(f"goal.{goal.status}")),
        Cell(points),
        Cell(board.forecast(goal, words.language)),
        Cell(words.text(f"goal.effect_{goal.effect}")),
    )


def duties(words: Words) -> Paragraph | Table:
    """Return the duties of the handbook that some team does not meet, or that there are none."""
    rows = gap_queries.unmet_obligations(words.board.snapshot, words.board.period, KRAV_POINTS)
    if not rows:
        return Paragraph(words.text("brief.no_duties" if words.board.found() else "brief.duties_unknown"))
    return Table(
        name="duties",
        caption=words.text("brief.duties_caption", krav=KRAV_POINTS),
        columns=(
            words.column("brief.duty", width=4),
            words.column("brief.teams_unmet", "number"),
            words.column("brief.teams_measured", "number"),
            words.column("brief.which", width=5),
        ),
        rows=tuple(
            (
                Cell(row.text.get(words.language)),
                words.cells.number(row.unmet_count),
                words.cells.number(row.team_count),
                Cell(", ".join(words.teams[team] for team in row.teams if team in words.teams)),
            )
            for row in rows
        ),
    )


def gaps(words: Words, found: Sequence[Gap], name: str, *, with_team: bool) -> Paragraph | Table:
    """Return gaps, or that there are none."""
    if not found:
        return Paragraph(words.text("brief.no_gaps"))
    team = (words.column("word.team", width=1.6),) if with_team else ()
    return Table(
        name=name,
        caption=words.text("brief.gaps_caption"),
        columns=(
            *team,
            words.column("word.metric", width=3),
            words.column("gaps.gain", "number", 1.5),
            words.column("word.now", "number"),
            words.column("word.target", "number"),
            words.column("word.next_step", width=6),
            words.column("explain.days", "number"),
        ),
        rows=tuple(_gap(words, gap, with_team=with_team) for gap in found),
    )


def _gap(words: Words, gap: Gap, *, with_team: bool) -> tuple[Cell, ...]:
    metric = words.metrics[gap.metric_id]
    return (
        *([Cell(words.teams[gap.team_id])] if with_team else []),
        Cell(metric.title.get(words.language)),
        words.cells.number(gap.gain_if_met, 1),
        words.cells.measure(metric.unit, shown_value(gap)),
        words.cells.measure(metric.unit, metric.mal),
        Cell(" ".join(filter(None, (metric.remedy.get(words.language), board.when(gap, words.language))))),
        words.cells.number(gap.effort_days, 1),
    )


def shared(words: Words, found: Sequence[Gap]) -> Table | None:
    """Return what several teams lack, what would help and what it would give; None where nothing is shared."""
    here = words.board
    rows = summary.shared_gaps(here.snapshot, here.period.instant(krav=KRAV_POINTS, count=SHOWN_SHARED))
    if not rows:
        return None
    most = max(row.measured for row in rows)
    return Table(
        name="shared",
        caption=words.text("brief.shared_caption"),
        columns=(
            words.column("word.metric", width=2.2),
            words.column("brief.teams_unmet", width=2),
            words.column("brief.remedy", width=4),
            words.column("brief.mean_gain", "number", 1),
        ),
        rows=tuple(_shared(words, row, most, _mean_gain(words, found, row.metric_id)) for row in rows),
    )


def _mean_gain(words: Words, found: Sequence[Gap], metric_id: str) -> float | None:
    """What the mean of the team scores rises by where every team reaches a metric's target."""
    here = words.board
    if not here.found():
        return None
    chosen = [gap for gap in found if gap.metric_id == metric_id]
    return sum(gap_queries.joint_gains(here.snapshot, here.period, chosen).values()) / len(here.found())


def _shared(words: Words, row: SharedGap, most: int, gain: float | None) -> tuple[Cell, ...]:
    said = words.text("brief.of", count=row.below, all=row.measured)
    return (
        Cell(row.title.get(words.language)),
        Cell(said, float(row.below), drawing=bar(row.below, most, said)),
        Cell(row.remedy.get(words.language)),
        words.cells.number(gain, 1),
    )


def areas(words: Words, team_id: str, then: Before) -> Table:
    """Return the areas of a team; where a gate holds a level down, its reason stands below the name."""
    return Table(
        name="team_areas",
        caption=words.text("brief.areas_caption"),
        columns=(
            words.column("word.area", width=3.2),
            words.column("word.score", "number"),
            words.column("word.change", "number", 1.3),
            words.column("word.level", width=2),
            words.column("word.coverage", "percent", 1.5),
        ),
        rows=tuple(_area(words, team_id, area_id, then) for area_id in words.areas),
    )


def _area(words: Words, team_id: str, area_id: str, then: Before) -> tuple[Cell, ...]:
    row = words.board.cells.get((team_id, area_id))
    shown = row if row is not None and row.status != "not_applicable" else None
    old = then.month.cells.get((team_id, area_id)) if then.month else None
    is_held = row is not None and board.is_held_down(row, words.board.edges)
    return (
        Cell(words.areas[area_id], detail=board.gate_reason(words.language, row) if row and is_held else ""),
        words.area_score(row),
        _change(words, shown.score if shown else None, old.score if old else None),
        Cell(words.level(shown.level) if shown else fmt.MISSING),
        words.cells.percent(shown.coverage if shown else None),
    )

"""The tables of a brief: changes, matrix, decisions, duties, gaps, areas of a team."""

from __future__ import annotations

from collections.abc import Sequence

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.brief.document import Block, Paragraph
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.scoring.change import PARTS
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshots.queries import gaps as gap_queries
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.movement import Change

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
        caption=words.text("brief.changes"),
        columns=(
            Column(words.text("word.team"), width=2),
            Column(words.text("explain.before"), "number"),
            Column(words.text("explain.after"), "number"),
            Column(words.text("brief.why"), width=6),
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


def matrix(words: Words) -> Table:
    """Return the scores of all teams and areas."""
    found = words.board
    bands = " · ".join(words.text(f"level.{level}") for level in range(len(found.edges) + 1))
    return Table(
        name="scores",
        caption=words.text("overview.matrix_caption"),
        columns=(
            Column(words.text("word.team"), width=2.2),
            *(Column(area.short.get(words.language), "number", 1.2) for area in found.areas),
            Column(words.text("word.total"), "number"),
            Column(words.text("word.coverage"), "percent"),
            Column(words.text("word.level"), width=1.6),
        ),
        rows=(*(_matrix_row(words, team) for team in found.teams), _median_row(words)),
        note=words.text("brief.bands", bands=bands),
    )


def _matrix_row(words: Words, team: Team) -> tuple[Cell, ...]:
    found = words.board
    total = found.scores.get(team.team_id)
    return (
        Cell(words.teams[team.team_id]),
        *(words.area_score(found.cells.get((team.team_id, area.area_id))) for area in found.areas),
        words.score(total.score if total else None),
        words.cells.percent(total.coverage if total else None),
        Cell(words.level(total.level if total else None)),
    )


def _median_row(words: Words) -> tuple[Cell, ...]:
    found, medians = words.board, words.board.medians()
    return (
        Cell(words.text("overview.median_row")),
        *(words.score(medians.get(area.area_id)) for area in found.areas),
        words.score(found.median()),
        words.cells.percent(found.coverage()),
        Cell(fmt.MISSING),
    )


def decisions(words: Words, goals: Sequence[GoalReview], name: str, *, with_team: bool = True) -> Block:
    """Return what was decided and what came of it, or that nothing was."""
    if not goals:
        return Paragraph(words.text("brief.no_decisions"))
    team = (Column(words.text("word.team"), width=2),) if with_team else ()
    return Table(
        name=name,
        caption=words.text("goal.caption"),
        columns=(
            *team,
            Column(words.text("word.metric"), width=3),
            Column(words.text("goal.decided"), "date", 1.2),
            Column(words.text("goal.due"), "date", 1.2),
            Column(words.text("word.status"), width=1.2),
            Column(words.text("goal.points")),
            Column(words.text("goal.forecast"), width=2),
            Column(words.text("goal.effect"), width=2.2),
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


def duties(words: Words) -> Block:
    """Return the duties of the handbook that some team does not meet, or that there are none."""
    rows = gap_queries.unmet_obligations(words.board.snapshot, words.board.period, KRAV_POINTS)
    if not rows:
        return Paragraph(words.text("brief.no_duties"))
    return Table(
        name="duties",
        caption=words.text("brief.duties_caption", krav=KRAV_POINTS),
        columns=(
            Column(words.text("brief.duty"), width=4),
            Column(words.text("brief.teams_unmet"), "number"),
            Column(words.text("brief.teams_measured"), "number"),
            Column(words.text("brief.which"), width=5),
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


def gaps(words: Words, found: Sequence[Gap], name: str, *, with_team: bool) -> Block:
    """Return gaps, or that there are none."""
    if not found:
        return Paragraph(words.text("gaps.none"))
    team = (Column(words.text("word.team"), width=1.6),) if with_team else ()
    return Table(
        name=name,
        caption=words.text("gaps.caption"),
        columns=(
            *team,
            Column(words.text("word.metric"), width=3),
            Column(words.text("gaps.gain"), "number"),
            Column(words.text("word.now"), "number"),
            Column(words.text("word.krav"), "number"),
            Column(words.text("word.next_step"), width=4),
            Column(words.text("explain.days"), "number"),
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
        words.cells.measure(metric.unit, metric.requirement),
        Cell(" ".join(filter(None, (metric.remedy.get(words.language), board.when(gap, words.language))))),
        words.cells.number(gap.effort_days, 1),
    )


def areas(words: Words, team_id: str) -> Table:
    """Return the areas of a team, with the reason of a gate that holds a level down."""
    return Table(
        name="team_areas",
        caption=words.text("team.areas_caption"),
        columns=(
            Column(words.text("word.area"), width=3),
            Column(words.text("word.score"), "number"),
            Column(words.text("word.level"), width=2),
            Column(words.text("word.coverage"), "percent"),
            Column(words.text("brief.gate"), width=5),
        ),
        rows=tuple(_area(words, team_id, area_id) for area_id in words.areas),
    )


def _area(words: Words, team_id: str, area_id: str) -> tuple[Cell, ...]:
    row = words.board.cells.get((team_id, area_id))
    shown = row if row is not None and row.status != "not_applicable" else None
    is_held = row is not None and board.is_held_down(row, words.board.edges)
    reason = board.gate_reason(words.language, row) if row and is_held else ""
    return (
        Cell(words.areas[area_id]),
        words.area_score(row),
        Cell(words.level(shown.level) if shown else fmt.MISSING),
        words.cells.percent(shown.coverage if shown else None),
        Cell(reason or fmt.MISSING),
    )

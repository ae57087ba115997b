"""The tables of a brief: changes, matrix, decisions, duties, gaps, areas of a team."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.board import Board, shown_value
from opsmetrics.reports.brief.charts import SHOWN_MONTHS, SHOWN_SHARED
from opsmetrics.reports.brief.document import Paragraph
from opsmetrics.reports.brief.drawings import bar, spark
from opsmetrics.reports.brief.words import Words
from opsmetrics.reports.parts_of_change import shown_change
from opsmetrics.reports.table import Cell, Column, Table
from opsmetrics.reports.together import LEAST_GAIN, together
from opsmetrics.scoring.points import MET_LEVEL
from opsmetrics.snapshots.queries import gains, scores, shared_gaps
from opsmetrics.snapshots.queries import gaps as gap_queries
from opsmetrics.snapshots.queries.catalogue import Team
from opsmetrics.snapshots.queries.gaps import Gap, GoalReview
from opsmetrics.snapshots.queries.movement import Change
from opsmetrics.snapshots.queries.shared_gaps import SharedGap

SHOWN_CARRIED = 2  # sentences that the page of the matrix has room for
_LINE = 2  # values that make one


def why(words: Words, change: Change) -> str:
    """Say what a change of score is made of, largest part first; what is shown adds up to the change that is shown."""
    shown = sorted(shown_change([change]).parts, key=lambda each: -abs(each[1]))
    said = [f"{words.text(f'explain.part_{part}').lower()} {words.cells.signed(points).text}" for part, points in shown]
    return ", ".join(said) or words.text("brief.no_change")


def why_and_doubt(words: Words, change: Change) -> str:
    """Say what a change is made of in a sentence; of a rise also what speaks against it."""
    move = words.board.moves.get((change.team_id, ""))
    doubt = board.doubt(move) if move is not None and change.score_after > change.score_before else None
    said = f"{why(words, change)}."
    return f"{said} {words.text(f'moves.doubt_{doubt}')}" if doubt else said


def nothing_compared(words: Words) -> str:
    """Say why no score is held against an earlier one."""
    is_alone = words.board.against.before is None
    return words.text("overview.changed_alone" if is_alone else "overview.moved_unknown")


def changes(words: Words, rows: Sequence[Change]) -> Paragraph | Table:
    """Return why the scores of some teams changed, or why nothing is said of it."""
    if not rows:
        return Paragraph(nothing_compared(words))
    return Table(
        name="changes",
        caption=words.text("brief.changes_caption", now=words.now),
        columns=(
            words.column("word.team", width=2),
            words.column("explain.before", "number"),
            words.column("explain.after", "number"),
            words.column("brief.why", width=6),
        ),
        rows=tuple(
            (
                Cell(words.teams[row.team_id]),
                words.cells.score_in_tenths(row.score_before),
                words.cells.score_in_tenths(row.score_after),
                Cell(why(words, row)),
            )
            for row in rows
        ),
    )


def matrix(words: Words) -> Table:
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
            *(_matrix_row(words, team, history.get(team.team_id, [])) for team in found.teams),
            # The median of one team is that team once more.
            *([_median_row(words)] if len(found.teams) > 1 else []),
        ),
        note=" ".join((words.text("brief.bands"), *_carried(words))),
        legend=board.legend(words.language, found.edges),
    )


def _carried(words: Words) -> list[str]:
    """Numbers that rest on last known values, by what does not deliver; of many the first and how many there are."""
    said = board.carried(words.board, words.language)
    if len(said) > SHOWN_CARRIED:
        said[SHOWN_CARRIED:] = [words.text("brief.carried_more", count=len(said) - SHOWN_CARRIED)]
    return said


def _history(found: Board) -> dict[str, list[float | None]]:
    """Each team's scores at month ends and at the instant itself; oldest first."""
    history: dict[str, list[float | None]] = {}
    for row in scores.team_months(found.snapshot, found.period, SHOWN_MONTHS):
        history.setdefault(row.team_id, []).append(row.score)
    return history


def _matrix_row(words: Words, team: Team, history: Sequence[float | None]) -> tuple[Cell, ...]:
    found = words.board
    total = found.scores.get(team.team_id)
    score = total.score if total else None
    return (
        Cell(words.teams[team.team_id]),
        *(words.area_score(found.cells.get((team.team_id, area.area_id))) for area in found.areas),
        replace(words.score(score, total.level if total else None), is_strong=True),
        change(words, team.team_id, _moved(found, team.team_id, "")),
        words.cells.percent(total.coverage if total else None),
        Cell(words.level(total.level if total else None)),
        _year(words, history),
    )


def change(words: Words, team_id: str, points: float | None) -> Cell:
    """Return a team's change in points; a rise of numbers that are doubted has a mark, and is no gain."""
    cell, move = words.cells.signed(points), words.board.moves.get((team_id, ""))
    is_doubted = move is not None and board.doubt(move) is not None
    return replace(cell, text=f"{cell.text} ?") if is_doubted and (points or 0) > 0 else cell


def _moved(found: Board, team_id: str, area_id: str) -> float | None:
    """Points since the last month end of a team's score, or of one of its areas."""
    move = found.moves.get((team_id, area_id))
    return move.change if move is not None else None


def _year(words: Words, history: Sequence[float | None]) -> Cell:
    """A sparkline; its words say from what to what."""
    # A line of two months is as long as two months, and ends where the others end.
    history = [None] * (SHOWN_MONTHS - len(history)) + [*history]
    known = [value for value in history if value is not None]
    if len(known) < _LINE:
        return Cell(words.text("brief.too_short"))
    first, last = fmt.scores(words.language, known[0], known[-1])
    said = words.text("brief.from_to", first=first, last=last)
    return Cell(said, drawing=spark(history, said))


def _median_row(words: Words) -> tuple[Cell, ...]:
    found, medians = words.board, words.board.medians()
    months = [row.score for row in scores.months(found.snapshot, found.period, MET_LEVEL, SHOWN_MONTHS)]
    return (
        Cell(words.text("overview.median_row")),
        *(words.score(medians.get(area.area_id)) for area in found.areas),
        replace(words.score(found.median()), is_strong=True),
        words.cells.signed(found.median_change(found.before)),
        words.cells.percent(found.coverage()),
        Cell(),
        _year(words, months),
    )


def decided(words: Words, goals: Sequence[GoalReview]) -> str:
    """Say where the decisions of before stand, or that there are none."""
    return words.text("brief.decided", count=len(goals)) if goals else words.text("brief.no_decisions")


def decisions(words: Words, goals: Sequence[GoalReview], name: str) -> Paragraph | Table:
    """Return what was decided and what came of it, or that nothing was."""
    if not goals:
        return Paragraph(words.text("brief.no_decisions"))
    return Table(
        name=name,
        caption=words.text("goal.caption"),
        columns=(
            words.column("word.team", width=2),
            words.column("word.metric", width=3),
            words.column("goal.decided", "date", 1.2),
            words.column("goal.due", "date", 1.2),
            words.column("word.status", width=1.2),
            words.column("goal.points"),
            words.column("goal.forecast", width=2.8),
            words.column("goal.effect", width=2.8),
        ),
        rows=tuple(_decision(words, goal) for goal in goals),
        note=words.text("goal.note", now=words.now),
    )


def _decision(words: Words, goal: GoalReview) -> tuple[Cell, ...]:
    points = " → ".join(fmt.points(words.language, goal.points_then, goal.points_now))
    return (
        Cell(words.teams[goal.team_id]),
        Cell(goal.title.get(words.language)),
        words.cells.day(goal.decided_on),
        words.cells.day(goal.due_on),
        Cell(words.text(f"goal.{goal.status}")),
        Cell(points),
        Cell(board.forecast(goal, words.language)),
        Cell(words.text(f"goal.effect_{goal.said}")),
    )


def duties(words: Words) -> Paragraph | Table:
    """Return the duties of the handbook that some team does not meet, or that there are none."""
    rows = gap_queries.unmet_obligations(words.board.snapshot, words.board.period)
    if not rows:
        return Paragraph(words.text("brief.no_duties" if words.board.found() else "brief.duties_unknown"))
    return Table(
        name="duties",
        caption=words.text("brief.duties_caption"),
        columns=(
            words.column("brief.duty", width=4),
            words.column("brief.teams_unmet", "number"),
            words.column("brief.teams_measured", "number"),
            words.column("brief.which", width=5),
        ),
        rows=tuple(
            (
                Cell(row.text.get(words.language), link=row.link or ""),
                words.cells.number(row.unmet_count),
                words.cells.number(row.team_count),
                Cell(", ".join(words.teams[team] for team in row.teams if team in words.teams)),
            )
            for row in rows
        ),
    )


def gaps(words: Words, found: Sequence[Gap], name: str, *, with_team: bool, is_known: bool) -> Paragraph | Table:
    """Return gaps, or that there are none; where nothing has a score nobody knows of any."""
    if not found:
        return Paragraph(words.text("brief.no_gaps" if is_known else "brief.gaps_unknown"))
    team = (words.column("word.team", width=1.6),) if with_team else ()
    return Table(
        name=name,
        caption=words.text("brief.gaps_caption"),
        columns=(
            *team,
            words.column("word.metric", width=3),
            words.column("gaps.gain", "number", 1.5),
            words.now_column(),
            words.column("word.target", "number"),
            words.column("word.next_step", width=6),
            words.column("explain.days", "number"),
        ),
        rows=tuple(_gap(words, gap, with_team=with_team) for gap in found),
        note=together(words.language, words.board.snapshot, words.board.period, found),
    )


def _gap(words: Words, gap: Gap, *, with_team: bool) -> tuple[Cell, ...]:
    metric = words.metrics[gap.metric_id]
    return (
        *([Cell(words.teams[gap.team_id])] if with_team else []),
        Cell(metric.title.get(words.language)),
        replace(words.cells.number(gap.gain_if_met, 1), detail=words.text("gaps.frees") if gap.is_for_gate else ""),
        *words.cells.measures(metric.unit, shown_value(gap), metric.mal, required=metric.required),
        Cell(" ".join(filter(None, (metric.remedy.get(words.language), board.when(gap, words.language))))),
        words.cells.number(gap.effort_days, 1),
    )


def shared(words: Words) -> Table | None:
    """Return what several teams lack, what would help and what it would give; None where nothing is shared."""
    here = words.board
    rows = list(shared_gaps.shared_gaps(here.snapshot, here.period, SHOWN_SHARED))
    if not rows:
        return None
    return Table(
        name="shared",
        caption=words.text("brief.shared_caption"),
        columns=(
            words.column("word.metric", width=2.2),
            words.column("brief.teams_unmet", width=2),
            words.column("brief.remedy", width=4),
            words.column("brief.mean_gain", "number", 1),
        ),
        # Bars of one table have one scale: as much room for the label of each.
        rows=tuple(_shared(words, row, len(str(len(here.scores))) * 2 + 4) for row in rows),
        note=_shared_together(words, rows),
    )


def _shared_together(words: Words, rows: Sequence[SharedGap]) -> str:
    """Say what meeting all of the requirements gives: the gains of single ones overlap."""
    gain = gains.mean_gain(words.board.snapshot, words.board.period, [row.metric_id for row in rows])
    if gain is None or gain < LEAST_GAIN:
        return ""
    return words.text("shared.gain", count=len(rows), points=fmt.number(words.language, gain, 1))


def _apart(words: Words, row: SharedGap) -> Iterator[str]:
    """Teams of which nothing is known now."""
    if row.carried:
        yield words.text("shared.carried", count=row.carried)
    if row.unmeasured:
        yield words.text("brief.not_measured", count=row.unmeasured)


def _shared(words: Words, row: SharedGap, letters: int) -> tuple[Cell, ...]:
    here, said = words.board, words.text("shared.row", below=row.below, measured=row.measured)
    gain = gains.mean_gain(here.snapshot, here.period, [row.metric_id])
    return (
        Cell(row.title.get(words.language)),
        Cell(
            said,
            float(row.below),
            detail=", ".join(_apart(words, row)),
            drawing=bar(row.below, len(here.scores), said, letters),
        ),
        Cell(words.metrics[row.metric_id].remedy.get(words.language)),
        words.cells.number(gain, 1),
    )


def areas(words: Words, team_id: str) -> Table:
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
        rows=tuple(_area(words, team_id, area_id) for area_id in words.areas),
    )


def _area(words: Words, team_id: str, area_id: str) -> tuple[Cell, ...]:
    row = words.board.cells.get((team_id, area_id))
    shown = row if row is not None and row.status != "not_applicable" else None
    is_held = row is not None and board.is_held_down(row, words.board.edges)
    return (
        Cell(words.areas[area_id], detail=board.gate_reason(words.language, row) if row and is_held else ""),
        words.area_score(row),
        words.cells.signed(_moved(words.board, team_id, area_id) if shown else None),
        Cell(words.level(shown.level) if shown else fmt.MISSING),
        words.cells.percent(shown.coverage if shown else None),
    )

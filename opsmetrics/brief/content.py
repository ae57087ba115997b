"""What a brief says: the board, what moved and why, decisions, duties that are not met, gaps, and a page a team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsmetrics import fmt
from opsmetrics.brief.document import Block, Cell, Columns, Document, Figures, Paragraph, Points, Section, Table
from opsmetrics.errors import ConfigurationError, Problem
from opsmetrics.reading import board, catalogue, scores
from opsmetrics.reading.board import Board, label
from opsmetrics.scoring.change import PARTS
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshot import Snapshot
from opsmetrics.texts import text

SHOWN_MOVES, SHOWN_MATTERS, SHOWN_CHANGES, SHOWN_GAPS, SHOWN_TEAM_GAPS = 3, 5, 4, 10, 5
_LEAST = 0.05  # points that show with one decimal
Row = dict[str, Any]


def period_of(snapshot: Snapshot, wanted: str | None) -> Row:
    """Return the period that a brief is about.

    Args:
        snapshot: Where the periods stand.
        wanted: A month (``2026-10``), ``latest``, or None for the newest month that has ended.

    Raises:
        ConfigurationError: There is no such period.
    """
    periods = catalogue.periods(snapshot).to_dicts()
    months = [period for period in periods if period["grain"] == "month"]
    if wanted is None:
        return (months or periods)[0]
    for period in periods:
        if wanted == period["label"] or (wanted == "latest" and period["grain"] == "latest"):
            return period
    names = ", ".join(str(period["label"]) for period in months[:12])
    raise ConfigurationError([Problem("--as-of", None, f"no period {wanted!r}", f"write latest or one of {names}")])


def compose(snapshot: Snapshot, period: Mapping[str, Any], language: str) -> Document:
    """Return the brief of a period in a language."""
    organisation = catalogue.organisation(snapshot)
    found = board.read_board(snapshot, period)
    when = (
        fmt.month(language, period["on"])
        if period["grain"] == "month"
        else text(language, "word.latest", day=fmt.long_date(language, period["on"]))
    )
    foot = [
        text(language, "app.ruleset", version=organisation["ruleset_version"]),
        text(language, "app.snapshot", id=snapshot.build_id[:12]),
    ]
    gaps = scores.gaps(snapshot, period).to_dicts()
    goals = scores.goal_reviews(snapshot, period).to_dicts()
    changes = {row["team_id"]: row for row in scores.all_changes(snapshot, period).to_dicts()}
    words = _Words(found, language)
    return Document(
        title=f"{text(language, 'report.title')}, {when}",
        subtitle=f"{label(language, organisation)} · {text(language, 'report.meta')}",
        language=language,
        banner=text(language, "app.not_real") if organisation["is_fictional"] else "",
        foot=" · ".join(foot),
        at=period["as_of"],
        sections=(
            _first(words, changes),
            Section(text(language, "overview.matrix"), (_matrix(words),)),
            Section(text(language, "brief.decisions"), (_decisions(words, goals, "decisions"),)),
            Section(text(language, "brief.duties"), (_duties(words),)),
            Section(text(language, "report.gaps"), (_gaps(words, gaps[:SHOWN_GAPS], "gaps", with_team=True),)),
            *(_team(words, team, gaps, goals, changes.get(team["team_id"])) for team in found.teams),
        ),
    )


class _Words:
    """The board with its names in one language."""

    def __init__(self, found: Board, language: str) -> None:
        self.board, self.language = found, language
        self.teams = {row["team_id"]: label(language, row) for row in found.teams}
        self.areas = {row["area_id"]: label(language, row) for row in found.areas}
        self.metrics = {row["metric_id"]: row for row in catalogue.metrics(found.snapshot).to_dicts()}

    def text(self, key: str, **values: Any) -> str:
        return text(self.language, key, **values)

    def number(self, value: float | None, decimals: int = 0) -> Cell:
        return Cell(fmt.number(self.language, value, decimals), value)

    def signed(self, value: float) -> Cell:
        return Cell(fmt.signed(self.language, value), value)

    def percent(self, value: float | None) -> Cell:
        return Cell(fmt.percent(self.language, value), value)

    def score(self, value: float | None) -> Cell:
        banded = None if value is None else board.band(value, self.board.edges)
        return Cell(fmt.number(self.language, value), value, banded)

    def day(self, value: Any) -> Cell:
        return Cell(fmt.short_date(self.language, value) if value else fmt.MISSING, value)

    def measure(self, unit: str, value: float | None) -> Cell:
        return Cell(fmt.metric_value(self.language, unit, value), value)

    def title(self, metric_id: str) -> str:
        return label(self.language, self.metrics[metric_id], "title")

    def level(self, value: int | None) -> str:
        return self.text("level.none" if value is None else f"level.{value}")


def _first(words: _Words, changes: Mapping[str, Row]) -> Section:
    """The one page: the answer, four numbers, what moved, what must be settled, and why scores changed."""
    found, language = words.board, words.language
    majors, usual = board.usual(found, language)
    moves = board.moves(found, language)
    lists = (
        ("better", "▲", moves[True], SHOWN_MOVES),
        ("worse", "▼", moves[False], SHOWN_MOVES),
        ("settle", "?", board.matters(found, language), SHOWN_MATTERS),
    )
    figures = (
        (
            words.text("overview.strip_median"),
            fmt.number(language, found.median()),
            words.text("word.out_of_100"),
            found.median(),
        ),
        (
            words.text("overview.strip_met"),
            str(found.met()),
            words.text("overview.of", all=len(found.scores)),
            float(found.met()),
        ),
        (words.text("overview.strip_majors"), str(majors), usual, float(majors)),
        (
            words.text("overview.strip_coverage"),
            fmt.percent(language, found.coverage()),
            board.delivering(found, language),
            found.coverage(),
        ),
    )
    blocks: list[Block] = [
        Paragraph(board.lead(found, language), is_lead=True),
        Figures(figures),
        Columns(tuple(_points(words, *items) for items in lists)),
    ]
    blocks.append(_changes(words, list(changes.values())[:SHOWN_CHANGES]))
    return Section(words.text("brief.first"), tuple(blocks))


def _points(words: _Words, name: str, mark: str, items: Sequence[board.Item], shown: int) -> Points:
    lines = [(item.title, item.detail) for item in items[:shown]]
    if len(items) > shown:
        lines.append((words.text("overview.more", count=len(items) - shown), ""))
    return Points(words.text(f"overview.{name}"), mark, tuple(lines), words.text(f"overview.{name}_none"))


def why(words: _Words, change: Row) -> str:
    """Say what a change of score is made of, largest part first; parts too small to show are left out."""
    parts = sorted((part for part in PARTS if abs(change[part]) >= _LEAST), key=lambda part: -abs(change[part]))
    said = [f"{words.text(f'explain.part_{part}').lower()} {words.signed(change[part]).text}" for part in parts]
    return ", ".join(said) or words.text("brief.no_change")


def _changes(words: _Words, rows: Sequence[Row]) -> Table:
    return Table(
        name="changes",
        caption=words.text("brief.changes"),
        header=(
            (words.text("word.team"), False),
            (words.text("explain.before"), True),
            (words.text("explain.after"), True),
            (words.text("brief.why"), False),
        ),
        rows=tuple(
            (
                Cell(words.teams[row["team_id"]]),
                words.number(row["score_before"], 1),
                words.number(row["score_after"], 1),
                Cell(why(words, row)),
            )
            for row in rows
        ),
        widths=(2, 1, 1, 6),
    )


def _matrix(words: _Words) -> Table:
    found = words.board
    short = [label(words.language, area, "short") for area in found.areas]
    rows: list[tuple[Cell, ...]] = []
    for team in found.teams:
        cells = [found.cells.get((team["team_id"], area["area_id"])) for area in found.areas]
        total = found.scores.get(team["team_id"])
        rows.append(
            (
                Cell(words.teams[team["team_id"]]),
                *(_area_cell(words, cell) for cell in cells),
                words.score(total["score"] if total else None),
                words.percent(total["coverage"] if total else None),
                Cell(words.level(total["level"] if total else None)),
            )
        )
    medians = found.medians()
    rows.append(
        (
            Cell(words.text("overview.median_row")),
            *(words.score(medians.get(area["area_id"])) for area in found.areas),
            words.score(found.median()),
            words.percent(found.coverage()),
            Cell(fmt.MISSING),
        )
    )
    names = [*short, words.text("word.total"), words.text("word.coverage")]
    bands = " · ".join(words.text(f"level.{level}") for level in range(len(found.edges) + 1))
    return Table(
        name="scores",
        caption=words.text("overview.matrix_caption"),
        header=(
            (words.text("word.team"), False),
            *((name, True) for name in names),
            (words.text("word.level"), False),
        ),
        rows=tuple(rows),
        widths=(2.2, *(1.2 for _ in short), 1, 1, 1.6),
        note=words.text("brief.bands", bands=bands),
    )


def _area_cell(words: _Words, cell: Row | None) -> Cell:
    if cell is None or cell["status"] == "not_applicable":
        return Cell(words.text("status.not_applicable"))
    if cell["score"] is None:
        return Cell(fmt.MISSING)
    found = words.score(cell["score"])
    held = " !" if board.holds_down(cell, words.board.edges) else ""
    return Cell(found.text + held, found.value, found.band)


def _decisions(words: _Words, goals: Sequence[Row], name: str, *, with_team: bool = True) -> Block:
    if not goals:
        return Paragraph(words.text("brief.no_decisions"))
    first = [(words.text("word.team"), False)] if with_team else []
    rows = [
        (
            *([Cell(words.teams[goal["team_id"]])] if with_team else []),
            Cell(label(words.language, goal, "title")),
            words.day(goal["decided_on"]),
            words.day(goal["due_on"]),
            Cell(words.text(f"goal.{goal['status']}")),
            Cell(
                f"{fmt.number(words.language, goal['points_then'])} → {fmt.number(words.language, goal['points_now'])}"
            ),
            Cell(board.forecast(goal, words.language)),
            Cell(words.text(f"goal.effect_{goal['effect']}")),
        )
        for goal in goals
    ]
    keys = ("word.metric", "goal.decided", "goal.due", "word.status", "goal.points", "goal.forecast", "goal.effect")
    widths = (2, 3, 1.2, 1.2, 1.2, 1, 2, 2.2) if with_team else (3, 1.2, 1.2, 1.2, 1, 2, 2.2)
    return Table(
        name=name,
        caption=words.text("goal.caption"),
        header=(*first, *((words.text(key), False) for key in keys)),
        rows=tuple(rows),
        widths=widths,
        note=words.text("goal.note"),
    )


def _duties(words: _Words) -> Block:
    rows = scores.unmet_obligations(words.board.snapshot, words.board.period, KRAV_POINTS).to_dicts()
    if not rows:
        return Paragraph(words.text("brief.no_duties"))
    return Table(
        name="duties",
        caption=words.text("brief.duties_caption", krav=KRAV_POINTS),
        header=(
            (words.text("brief.duty"), False),
            (words.text("brief.teams_unmet"), True),
            (words.text("brief.teams_measured"), True),
            (words.text("brief.which"), False),
        ),
        rows=tuple(
            (
                Cell(label(words.language, row, "text")),
                words.number(row["unmet_count"]),
                words.number(row["team_count"]),
                Cell(", ".join(words.teams[team] for team in row["teams"] if team in words.teams)),
            )
            for row in rows
        ),
        widths=(4, 1, 1, 5),
    )


def _gaps(words: _Words, gaps: Sequence[Row], name: str, *, with_team: bool) -> Block:
    if not gaps:
        return Paragraph(words.text("gaps.none"))
    rows: list[tuple[Cell, ...]] = []
    for gap in gaps:
        metric = words.metrics[gap["metric_id"]]
        krav = metric["krav"] if metric["krav"] is not None else metric["mal"]
        shown = None if gap["points"] is None or gap["status"] == "not_measured_overdue" else gap["value"]
        rows.append(
            (
                *([Cell(words.teams[gap["team_id"]])] if with_team else []),
                Cell(words.title(gap["metric_id"])),
                words.number(gap["gain_if_met"], 1),
                words.measure(metric["unit"], shown),
                words.measure(metric["unit"], krav),
                Cell(label(words.language, metric, "remedy")),
                words.number(gap["effort_days"], 1),
            )
        )
    first = [(words.text("word.team"), False)] if with_team else []
    return Table(
        name=name,
        caption=words.text("gaps.caption"),
        header=(
            *first,
            (words.text("word.metric"), False),
            (words.text("gaps.gain"), True),
            (words.text("word.now"), True),
            (words.text("word.krav"), True),
            (words.text("word.next_step"), False),
            (words.text("explain.days"), True),
        ),
        rows=tuple(rows),
        widths=(1.6, 3, 1, 1, 1, 4, 1) if with_team else (3, 1, 1, 1, 4, 1),
    )


def _team(words: _Words, team: Row, gaps: Sequence[Row], goals: Sequence[Row], change: Row | None) -> Section:
    """One page of the annex."""
    team_id, found = team["team_id"], words.board
    own = found.scores.get(team_id)
    score, coverage = (own["score"], own["coverage"]) if own else (None, None)
    key = "brief.team_lead" if score is not None else "brief.team_no_score"
    said = words.text(
        key,
        score=fmt.number(words.language, score),
        level=words.level(own["level"] if own else None).lower(),
        coverage=fmt.percent(words.language, coverage),
    )
    blocks: list[Block] = [Paragraph(said, is_lead=True)]
    if change is not None and change["score_before"] is not None and change["score_after"] is not None:
        delta = words.signed(change["score_after"] - change["score_before"]).text
        blocks.append(Paragraph(words.text("brief.team_change", change=delta, why=why(words, change))))
    blocks.append(_areas(words, team_id))
    mine = [gap for gap in gaps if gap["team_id"] == team_id]
    blocks.append(_gaps(words, mine[:SHOWN_TEAM_GAPS], "team_gaps", with_team=False))
    own_goals = [goal for goal in goals if goal["team_id"] == team_id]
    if own_goals:
        blocks.append(_decisions(words, own_goals, "team_decisions", with_team=False))
    return Section(words.teams[team_id], tuple(blocks), is_annex=True)


def _areas(words: _Words, team_id: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for area_id, name in words.areas.items():
        cell = words.board.cells.get((team_id, area_id))
        is_there = cell is not None and cell["status"] != "not_applicable"
        held = cell is not None and board.holds_down(cell, words.board.edges)
        reason = board.gate_reason(words.language, cell) if cell and held else ""
        rows.append(
            (
                Cell(name),
                _area_cell(words, cell),
                Cell(words.level(cell["level"]) if cell and is_there else fmt.MISSING),
                words.percent(cell["coverage"] if cell and is_there else None),
                Cell(reason or fmt.MISSING),
            )
        )
    keys = (("word.area", False), ("word.score", True), ("word.level", False), ("word.coverage", True))
    return Table(
        name="team_areas",
        caption=words.text("team.areas_caption"),
        header=(*((words.text(key), number) for key, number in keys), (words.text("brief.gate"), False)),
        rows=tuple(rows),
        widths=(3, 1, 2, 1, 5),
    )

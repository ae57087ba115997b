"""The board with its names in one language, and cells written in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from opsmetrics.language import fmt
from opsmetrics.language.texts import text
from opsmetrics.reports import board
from opsmetrics.reports.board import Board
from opsmetrics.reports.table import Cell, Cells, Column, Kind
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.rows import index_by
from opsmetrics.snapshots.queries.scores import AreaScore


class Words:
    """What a brief is written with.

    Attributes:
        board: What is said.
        language: nb or en.
        cells: Makes cells in the language.
        teams: Names by id, in order.
        areas: Names by id, in order.
        metrics: The catalogue by id.
        zone: In which days begin.
    """

    def __init__(self, found: Board, language: str) -> None:
        self.board, self.language, self.cells = found, language, Cells(language)
        self.teams = {row.team_id: row.name.get(language) for row in found.teams}
        self.areas = {row.area_id: row.name.get(language) for row in found.areas}
        self.metrics = index_by(catalogue.metrics(found.snapshot), lambda row: row.metric_id)
        self.zone = ZoneInfo(catalogue.organisation(found.snapshot).timezone)

    def text(self, key: str, **values: Any) -> str:
        """Return a text in the brief's language."""
        return text(self.language, key, **values)

    @property
    def now(self) -> str:
        """Return when the brief's numbers stood, within a sentence: now, or at the end of its month."""
        period = self.board.period
        if not period.is_past:
            return self.text("brief.now")
        return self.text("when.at_end", month=fmt.month(self.language, period.on))

    def column(self, key: str, kind: Kind = "text", width: float = 1) -> Column:
        """Return a column by the key of its label; what it means stands under its own key where a workbook needs it."""
        help_text = self.text(f"brief.help_{key.replace('.', '_')}", now=self.now)
        return Column(self.text(key), kind, width, help_text)

    def now_column(self) -> Column:
        """Return the column of a metric's value: now, or in the month that the brief is of."""
        column, period = self.column("word.now", "number"), self.board.period
        label = fmt.month(self.language, period.on).capitalize() if period.is_past else column.label
        return replace(column, label=label)

    def met_notes(self) -> list[str]:
        """Say how many teams met the requirement at the last month end and a year ago, and of how many."""
        return [
            self.text("brief.met_before", met=then.met, all=then.teams, month=month)
            for then, month in board.held_against(self.board, self.language)
        ]

    def coverage_notes(self) -> list[str]:
        """Say what the coverage was at the last month end."""
        return [
            self.text("brief.was", value=fmt.percent(self.language, then.coverage), month=month)
            for then, month in board.held_against(self.board, self.language)[:1]
            if then.coverage is not None
        ]

    def level(self, value: int | None) -> str:
        """Return what a level is called."""
        return self.text("level.none" if value is None else f"level.{value}")

    def score(self, value: float | None, level: int | None = None) -> Cell:
        """Return a score on the colour of its level; without one, of the band that it lies in."""
        banded = None if value is None else board.band(value, self.board.edges)
        return Cell(fmt.score(self.language, value), value, banded if value is None or level is None else level)

    def area_score(self, row: AreaScore | None) -> Cell:
        """Return an area's score; a mark says that a gate holds its level down."""
        if row is None or row.status == "not_applicable":
            return Cell(self.text("status.not_applicable"))
        if row.score is None:
            return Cell(fmt.MISSING)
        found = self.score(row.score, row.level)
        held = " !" if board.is_held_down(row, self.board.edges) else ""
        return Cell(found.text + held, found.value, found.band)

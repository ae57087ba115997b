"""How the organisation stands against the month end before and a year ago, in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.reports.board import Board
from opsmetrics.reports.brief.words import Words
from opsmetrics.snapshots.queries import catalogue
from opsmetrics.snapshots.queries.period import Period
from opsmetrics.snapshots.store import Snapshot

YEAR = timedelta(days=335)  # the month end nearest to a year before: eleven months at least
_LEAST = 0.05  # a change that shows with one decimal


@dataclass(frozen=True, slots=True)
class Before:
    """The boards that the present is held against; None where there is no such month."""

    month: Board | None
    year: Board | None

    def boards(self) -> list[Board]:
        """Return those that there are, the newest first."""
        return [found for found in (self.month, self.year) if found is not None]


def before(snapshot: Snapshot, period: Period) -> Before:
    """Return the boards of the month end before a period and of a year before it."""
    months = [row for row in catalogue.periods(snapshot) if row.grain == "month" and row.as_of < period.as_of]
    year = [row for row in months[1:] if row.as_of <= period.as_of - YEAR]
    found = [board.read_board(snapshot, row[0]) if row else None for row in (months, year)]
    return Before(*found)


def moved(words: Words, now: float | None, then: float | None, on: Board, decimals: int = 1) -> str:
    """Say how a number moved since a month end: "opp 1,2 siden september"; empty where one is not known."""
    if now is None or then is None:
        return ""
    difference = round(now - then, decimals)
    way = "same" if abs(difference) < _LEAST else "up" if difference > 0 else "down"
    by = fmt.number(words.language, abs(difference), decimals)
    return words.text(f"brief.{way}", by=by, month=month(words, on))


def month(words: Words, on: Board) -> str:
    """Name the month of a board: with its year where that is another one than the present's, or as long ago."""
    day, today = on.period.on, words.board.period.on
    is_near = day > today - timedelta(days=200)
    return fmt.month_name(words.language, day) if is_near else fmt.month(words.language, day)


def median_notes(words: Words, then: Before) -> list[str]:
    """Say how the median moved."""
    return _said(moved(words, words.board.median(), old.median(), old) for old in then.boards())


def met_notes(words: Words, then: Before) -> list[str]:
    """Say how the number of teams that meet the requirement moved, and of how many teams it was."""
    return _said(
        words.text(
            "brief.met_before",
            met=old.met(),
            all=len(old.found()),
            month=month(words, old),
        )
        for old in then.boards()
        if old.met() is not None
    )


def coverage_notes(words: Words, then: Before) -> list[str]:
    """Say how the coverage moved, in percentage points."""
    return _said(
        words.text(
            "brief.was",
            value=fmt.percent(words.language, old.coverage()),
            month=month(words, old),
        )
        for old in then.boards()
        if old.coverage() is not None
    )


def _said(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if line]

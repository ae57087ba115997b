"""What the lists of teams, areas, metrics and months share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsmetrics.language import fmt
from opsmetrics.reports.table import Cell
from opsmetrics.scoring.points import KRAV_POINTS
from opsmetrics.snapshots.queries import quality
from opsmetrics.snapshots.queries.across import OnDay
from scorecard_app.page import Page
from scorecard_app.trend_lines import Frame, Spot, framed


def words_of_level(page: Page, level: int | None) -> str:
    """Return the name of a level, or that there is none."""
    return page.text("level.none" if level is None else f"level.{level}")


def met_cell(page: Page, met: int, known: int) -> Cell:
    """Return how many teams meet the requirement, of how many that are known; of none there is nothing to say."""
    return Cell(page.text("area.met_of", met=met, all=known), met) if known else Cell(fmt.MISSING)


def questioned(page: Page) -> frozenset[str]:
    """Return the teams whose numbers the product itself doubts at the page's instant."""
    return frozenset(row.team_id for row in quality.alarms(page.snapshot, page.period))


def alt(page: Page, spots: Sequence[Spot]) -> str:
    """Say where a line of scores begins and ends."""
    there = [value for _, value in spots if value is not None]
    first, last = fmt.scores(page.language, *(there[at] if there else None for at in (0, -1)))
    return page.text("across.alt", first=first, last=last)


def frame_of(page: Page, year: Mapping[str, Sequence[OnDay]]) -> Frame:
    """Return the scale that all lines of a list share: every score of it, and the requirement."""
    return framed(page.period.on, [each.value for days in year.values() for each in days], KRAV_POINTS)

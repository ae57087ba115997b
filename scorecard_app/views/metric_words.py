"""The values of one metric on its page: charts, sentences and tables write them with the same decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.reports.board import shown_value
from opsmetrics.reports.table import Cell
from opsmetrics.snapshots.queries import movement, scores
from opsmetrics.snapshots.queries.catalogue import Metric, Team
from opsmetrics.snapshots.queries.movement import ControlPeriod
from opsmetrics.snapshots.queries.scores import MetricScore, MetricWeek
from scorecard_app.page import Page

SHOWN_WEEKS = 52


@dataclass(frozen=True, slots=True)
class Written:
    """Writes values of one metric.

    Attributes:
        language: nb or en.
        unit: The metric's.
        shown: What decides of what the page shows of it: one that has decimals gives them to all.
        required: The metric's requirement: what falls short of it is not written like it.
    """

    language: str
    unit: str
    shown: tuple[float, ...]
    required: fmt.Requirement

    def all(self, *values: float | None) -> list[str]:
        """Return values in words."""
        return fmt.metric_values(self.language, self.unit, *values, beside=self.shown, required=self.required)

    def one(self, value: float | None) -> str:
        """Return one value in words."""
        return self.all(value)[0]

    def cell(self, value: float | None, *, is_strong: bool = False) -> Cell:
        """Return one value as a cell."""
        return Cell(self.one(value), value, is_strong=is_strong)


def is_split(metric: Metric, row: MetricScore, value: float) -> bool:
    """Whether a value meets the requirement and its points do not, or the other way round.

    Where each service or resource has points of its own, one that fails costs more than others that do well make good.
    """
    return (
        metric.is_entity and row.points is not None and (row.points >= metric.required_points) != meets(metric, value)
    )


def meets(metric: Metric, value: float) -> bool:
    """Whether a value alone meets the requirement."""
    return value >= metric.requirement if metric.is_up_good else value <= metric.requirement


def with_points(page: Page, metric: Metric, value: str, points: float) -> tuple[str, str]:
    """Return a value with its points, and the requirement in points: what is held against it where the two differ."""
    return f"{value} ({in_points(page, points)})", required_points(page, metric)


def in_points(page: Page, points: float) -> str:
    """Return points in words."""
    return page.text("across.points", points=fmt.score_in_tenths(page.language, points))


def required_points(page: Page, metric: Metric) -> str:
    """Return the requirement in points, with its sign."""
    return f"≥\u00a0{page.text('across.points', points=fmt.number(page.language, metric.required_points))}"


def weeks(page: Page, metric: Metric, team: Team) -> list[MetricWeek]:
    """Return the weekly values of a team's metric up to the page's period."""
    found = scores.metric_weeks(page.snapshot, team.team_id, metric.metric_id)
    return [week for week in found if week.as_of < page.period.as_of][-SHOWN_WEEKS:]


def control_periods(page: Page, metric: Metric, team: Team) -> list[ControlPeriod]:
    """Return the periods of a team's control chart up to the page's period."""
    found = movement.control_chart(page.snapshot, team.team_id, metric.metric_id)
    return [row for row in found if row.as_of <= page.period.as_of]


def written_of_team(page: Page, metric: Metric, team: Team, row: MetricScore | None) -> Written:
    """Return how the page of a team's metric writes its values."""
    found = [week.value for week in weeks(page, metric, team)]
    for period in control_periods(page, metric, team):
        found += [period.value, period.krav, period.centre, period.low, period.high]
    now = [shown_value(row)] if row is not None else []
    return written_beside(page, metric, [*now, *found])


def written_beside(page: Page, metric: Metric, values: Sequence[float | None]) -> Written:
    """Return how values of a metric are written beside its floor, requirement and target."""
    # Hundreds of teams may be shown: all of them would be looked through for each value that is written.
    shown = fmt.deciding(metric.unit, (metric.floor, metric.requirement, metric.mal, *values))
    return Written(page.language, metric.unit, shown, metric.required)

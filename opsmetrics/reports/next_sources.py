"""What to connect next: which stream, with which columns, from where, and what it gives.

Computed from the catalogue, the contracts and what is connected; nothing here is written by hand. Does not belong here:
the order of the steps (``opsmetrics.scoring.reach``) and how they are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from opsmetrics.catalogue import Catalogue
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.recipes import recipes
from opsmetrics.scoring.reach import ReachCell, Step, steps
from opsmetrics.streams import STREAMS

# Columns that a file of one's own may have at most to be little work.
_FEW_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Part:
    """One stream of a step.

    Attributes:
        stream: Stream.
        doc: What a row of it is.
        required: Columns that every row must have.
        wanted: Optional columns on which the metrics of the step rest; of a connected stream those that are lacking.
        connectors: Kinds of connectors that deliver it with these columns.
        recipes: Exports of tools that a recipe turns into its rows, by the recipe's name.
        is_connected: It is delivered, and lacks the wanted columns only.
        effort: S where a connector or a recipe delivers it, M where a file with few columns does, else L.
    """

    stream: str
    doc: str
    required: tuple[str, ...]
    wanted: tuple[str, ...]
    connectors: tuple[str, ...]
    recipes: tuple[str, ...]
    is_connected: bool
    effort: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step with what it takes."""

    step: Step
    parts: tuple[Part, ...]

    @property
    def effort(self) -> str:
        """The largest effort of its parts."""
        return max((part.effort for part in self.parts), key="SML".index)


def next_steps(cells: Sequence[ReachCell], rests_on: dict[str, list[str]], team: str | None = None) -> list[NextStep]:
    """Return the steps, for all teams or for one.

    Args:
        cells: What is measured of whom, and what is lacking.
        rests_on: Metric -> optional columns on which it rests, as ``stream.column``.
        team: Only for this team.
    """
    chosen = [cell for cell in cells if team is None or cell.team_id == team]
    return [NextStep(step, _parts(step, rests_on)) for step in steps(chosen)]


def _parts(step: Step, rests_on: dict[str, list[str]]) -> tuple[Part, ...]:
    names = sorted({name.partition(".")[0] for name in step.lacks})
    return tuple(_part(name, step, rests_on) for name in names if name in STREAMS)


def _part(name: str, step: Step, rests_on: dict[str, list[str]]) -> Part:
    stream = STREAMS[name]
    is_connected = name not in step.lacks
    # Of a stream that is delivered, only what its sources cannot tell.
    told = set(step.lacks) if is_connected else {c for metric in step.metrics for c in rests_on.get(metric, [])}
    wanted = tuple(sorted(column.partition(".")[2] for column in told if column.startswith(f"{name}.")))
    required = tuple(column.name for column in stream.columns if column.required)
    kinds = tuple(
        kind
        for kind, connector in sorted(KINDS.items())
        if name in connector.feeds and not set(wanted) & set(connector.feeds[name].untold)
    )
    exports = tuple(recipe.name for recipe in recipes() if recipe.stream == name)
    effort = "S" if kinds or exports else "M" if len(required) + len(wanted) <= _FEW_COLUMNS else "L"
    return Part(name, stream.doc, required, wanted, kinds, exports, is_connected, effort)


def configured_cells(organisation: Organisation, catalogue: Catalogue, today: date) -> list[ReachCell]:
    """Return what would be measured of whom as it is configured, before anything was built.

    Args:
        organisation: The configuration.
        catalogue: What is measured.
        today: Local day.
    """
    weights = {area.id: area.weight for area in catalogue.areas}
    excluded = {
        (row.team_id, row.metric_id) for row in organisation.applicability if row.valid_from <= today < row.valid_to
    }
    everybody = {team.id for team in organisation.teams}
    delivered = {
        name: {
            team
            for delivery in organisation.deliveries_of(name)
            for team in (everybody if "*" in delivery.source.teams else delivery.source.teams)
        }
        for name in organisation.streams
    }
    return [
        ReachCell(
            team.id,
            metric.id,
            metric.area_id,
            metric.header.weight,
            weights[metric.area_id],
            frozenset(name for name in metric.header.needs if team.id not in delivered.get(name, ())),
        )
        for team in organisation.teams
        for metric in catalogue.metrics
        if metric.header.lifecycle == "stable"
        and metric.header.applies_to in {"both", team.type}
        and (team.id, metric.id) not in excluded
    ]


def rests_on_of(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return metric -> optional columns on which it rests."""
    return {metric.id: metric.header.rests_on for metric in catalogue.metrics}

"""The measure itself: areas, metrics, gates and the ruleset, as SQL headers and ``areas.toml`` say it.

The header of a metric's SQL file is the only place where its thresholds and weight stand (architecture D4).
Does not belong here: reading the files (``opsmetrics.catalogue.load``), values (SQL) and points (``scoring``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from opsmetrics.catalogue.obligations import Obligation
from opsmetrics.catalogue.remedies import Remedy
from opsmetrics.catalogue.sqlfile import SqlFile, headed_table
from opsmetrics.catalogue.unscored import Unscored
from opsmetrics.core.declare import Column, Table, at, id_, number, share, text
from opsmetrics.core.model import TypedTable
from opsmetrics.language.bilingual import Text
from opsmetrics.streams import STREAMS

# Samples with longer windows have series by quarter, others by month; a longer census keeps its window (method 3.11).
LONG_WINDOW_DAYS = 120
# How the ids of an organisation's own metrics begin.
OWN_PREFIX = "own_"
# What every metric table holds; stated once for all metric files (architecture D3: no column list twice).
_IDENTITY = (
    id_("team_id", "Team that answers for the items"),
    at("as_of", "Instant of evaluation, UTC; the window ends here", required=True),
    text("grain", "month, tertial, week, latest; series_month and series_quarter for trends", required=True),
)
_ENTITY = (
    id_("entity_id", "SLO, resource or datastore that is scored by itself"),
    number("entity_weight", "Criticality weight 3, 2 or 1"),
)
_VALUES = (
    Column(
        "numerator",
        "any_number",
        "Items or time that keep the obligation (for lower-is-better metrics: that break it);"
        " null = nothing was delivered",
    ),
    Column("denominator", "any_number", "Items or time that the obligation is about; null = nothing was delivered"),
    number("value", "The metric, in its unit; null = nothing to judge, or nothing was delivered", low=None),
    Column("sample_size", "any_integer", "Number of items behind the value", low=0),
    share("completeness", "Share of the window for which the sources delivered, 0..1"),
)
_STANDARD_ERROR = number("standard_error", "Standard error of the value, for its interval")
_WORST_VALUE = number(
    "worst_value",
    "The value if everything undelivered or untold had gone as badly as it can; null = nothing was delivered",
    low=None,
)


class _Header(TypedTable):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MetricHeader(_Header):
    """Header of ``sql/metrics/<area>/<metric>.sql``.

    Attributes:
        window: Days as ``28d``, or ``now`` for a state.
        floor: Value worth 0 points; krav 60 points (None: straight line); mal 100 points.
        n_full: Items for full evidence weight (sample metrics).
        needs: Streams without which the metric says nothing.
        rests_on: Optional columns, as ``stream.column``, without which an item is not measured: where its source cannot
            tell them, or tells nothing, the item is in neither numerator nor denominator.
        better_with: Optional columns that the metric can do without: it then says less and is marked.
        when_empty: What no rows mean although the sources are alive.
        formula: How the value follows from numerator and denominator, in words.
        effort: Default effort of the remedy: S 2, M 5, L 15 team-days.
        interval: How chance enters a sample metric (method 3.10): ``jeffreys`` for a share of items,
            ``survival`` and ``normal`` for values with a standard error of their own.
        worst_value: The SQL gives the value that the worst case of everything unknown would bring.
        shows: How work on it shows (method 3.12): ``work`` as soon as it is done, because only the newest state counts;
            ``items`` as old items leave the window; ``spread`` evenly while the window rolls over; ``window`` when all
            of it has. Default ``work`` for a state, else ``items``.
        counts_after_days: Days from ``item_at`` until an item comes into the window.
        lifecycle: ``stable`` is scored; ``guard`` is a must-have that weighs nothing because a gate watches it (method
            2.1); ``experimental`` is shown and weighs nothing.
        of_oncall_duty: It does not apply to a team without a duty to be on call in the whole window, connected or not.
        undecided_days: Days from ``item_at`` in which an item that counts as missed can still be kept.
    """

    title: Text
    unit: Literal["share", "budgets", "count", "utilisation"]
    kind: Literal["census", "sample"]
    entity: bool = False
    window: Annotated[str, StringConstraints(pattern=r"^(now|[1-9]\d*d)$")]
    floor: float
    krav: float | None = None
    mal: float
    weight: float = Field(ge=0)
    n_full: int | None = Field(default=None, gt=0)
    obligations: list[Annotated[str, StringConstraints(pattern=r"^O\d[0-9A]$")]] = Field(min_length=1)
    applies_to: Literal["both", "product", "platform"] = "both"
    needs: list[str] = Field(min_length=1)
    rests_on: list[str] = Field(default=[])
    better_with: list[str] = Field(default=[])
    when_empty: Literal["no_opportunity", "not_applicable"]
    formula: Text
    why: Text
    remedy: Text
    effort: Literal["S", "M", "L"] = "M"
    interval: Literal["jeffreys", "survival", "normal"] = "jeffreys"
    worst_value: bool = False
    shows: Literal["work", "items", "spread", "window"] | None = None
    counts_after_days: int = Field(default=0, ge=0)
    undecided_days: int = Field(default=0, ge=0)
    of_oncall_duty: bool = False
    lifecycle: Literal["stable", "guard", "experimental"] = "stable"
    started_on: date = date(2025, 1, 1)
    version: int = Field(ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> MetricHeader:
        if self.floor == self.mal:
            raise ValueError("floor and mal must differ; their order gives the direction")
        if self.krav is not None and not min(self.floor, self.mal) < self.krav < max(self.floor, self.mal):
            raise ValueError("krav must lie between floor and mal")
        if (self.kind == "sample") != (self.n_full is not None):
            raise ValueError("sample metrics need n_full, census metrics have none")
        if (self.lifecycle == "guard") != (self.weight == 0):
            raise ValueError("a guard weighs 0 and nothing else does: a gate watches it instead")
        unknown = [name for name in self.needs if name not in STREAMS]
        if unknown:
            raise ValueError(f"needs names unknown streams {unknown}")
        wrong = [name for name in (*self.rests_on, *self.better_with) if not _is_optional(name)]
        if wrong:
            raise ValueError(f"rests_on and better_with name optional columns as stream.column, not {wrong}")
        return self


def _is_optional(name: str) -> bool:
    stream, _, column = name.partition(".")
    return stream in STREAMS and any(c.name == column and not c.required for c in STREAMS[stream].columns)


class GateHeader(_Header):
    """Header of ``sql/gates/<gate>.sql``: a must-have that caps an area's level (method 3.6).

    Attributes:
        cap: Highest level while tripped.
        lifted_by: Metric that is at its target only when the gate has no findings; None where only time lifts it.
        reason: Text with ``{}`` for the number of findings.
    """

    title: str
    key: list[str]
    columns: dict[str, str]
    area: str
    cap: int = Field(ge=0, le=4)
    lifted_by: str | None = None
    needs: list[str]
    reason: Text


class Area(_Header):
    """One of the seven ops areas."""

    id: str
    name: Text
    short: Text
    weight: float = Field(gt=0)


class Ruleset(_Header):
    """Numbers of the method that belong to no single metric (sections 3.3 to 3.7).

    Attributes:
        quiet_from: Completeness from which a window without events was a quiet one; below it is not known.
        evidence_at_least: Smallest evidence weight of a metric with any events at all (method 3.2).
        carry_days: How long the last measured value stands in for one that our own failure hides.
        state_days: How long a state usually stands, for the luck of the next month (method 3.10).
        level_sure: Chance of reaching a level from which it is sure; from its complement up to it, it is on the edge.
        level_days: Days for which a higher level must have been sure at every evaluation before it is given.
        overdue_points: Points of an obligation that nobody measures when its grace is used up; None = unknown.
    """

    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    weakest_share: float = Field(ge=0, le=1)
    area_published_coverage: float
    area_provisional_coverage: float
    team_published_share: float
    team_published_coverage: float
    stale_below: float
    quiet_from: float
    carry_days: int
    grace_days: int
    overdue_points: float | None = None
    waived_share_at_most: float
    level_edges: list[float]
    # Rulesets before 3.0.0 had none of these.
    evidence_at_least: float = Field(default=0.0, ge=0, le=1)
    state_days: float = Field(default=365.0, gt=0)
    level_sure: float = Field(default=0.5, ge=0.5, lt=1)
    level_days: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One number in which an organisation's rules differ from the shipped ones (``rules.toml``).

    Attributes:
        kind: ``metric``, ``area`` or ``method``.
        subject: Metric or area; empty for the method.
        setting: Which number.
        shipped: What the shipped rules say.
        own: What the organisation says.
    """

    kind: str
    subject: str
    setting: str
    shipped: Any
    own: Any


@dataclass(frozen=True, slots=True)
class Metric:
    """A scored metric: its header, where it belongs and its SQL."""

    id: str
    area_id: str
    header: MetricHeader
    file: SqlFile

    @property
    def is_own(self) -> bool:
        """Whether it is one of the organisation's own."""
        return self.id.startswith(OWN_PREFIX)

    @property
    def window_days(self) -> int:
        """Length of the window in local days; 0 for a state."""
        return 0 if self.header.window == "now" else int(self.header.window[:-1])

    @property
    def shows(self) -> str:
        """How work on it shows: ``work``, ``items``, ``spread`` or ``window``."""
        return self.header.shows or ("work" if self.header.window == "now" else "items")

    @property
    def has_standard_error(self) -> bool:
        """Whether the SQL gives the value's standard error, because the items alone do not tell it."""
        return self.header.interval != "jeffreys"

    @property
    def table(self) -> Table:
        """The table that its SQL must make."""
        is_entity = self.header.entity
        columns = (
            *_IDENTITY,
            *(_ENTITY if is_entity else ()),
            *_VALUES,
            *((_STANDARD_ERROR,) if self.has_standard_error else ()),
            *((_WORST_VALUE,) if self.header.worst_value else ()),
        )
        key = ("team_id", "as_of", "grain", *(("entity_id",) if is_entity else ()))
        return Table(self.file.table, self.header.title.en, columns, key)


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate and its SQL."""

    id: str
    header: GateHeader
    file: SqlFile

    @property
    def table(self) -> Table:
        """The table that its SQL must make."""
        return headed_table(self.file.table, self.header.title, self.header.columns, self.header.key)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is measured, under one ruleset.

    Attributes:
        version: Version that scores are published under: the shipped ruleset's, and after ``+`` a digest of what an
            organisation has of its own.
        changes: Numbers in which the organisation's rules differ from the shipped ones.
        why: Why they do.
    """

    areas: tuple[Area, ...]
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...]
    ruleset: Ruleset
    unscored: tuple[Unscored, ...]
    obligations: tuple[Obligation, ...]
    remedies: tuple[Remedy, ...]
    digest: str
    version: str
    changes: tuple[RuleChange, ...] = ()
    why: str = ""

    def measures(self) -> dict[str, list[str]]:
        """Return metric or organisation fact -> the obligations it measures."""
        found = {
            metric.id: list(metric.header.obligations)
            for metric in self.metrics
            # A metric of the organisation's own may measure a duty that is not in the handbook.
            if metric.header.obligations or not metric.is_own
        }
        return found | {fact.id: fact.header.obligations for fact in self.unscored if fact.kind == "organisation"}

    def caps(self) -> dict[str, int]:
        """Return gate -> the highest level of its area while it is tripped."""
        return {gate.id: gate.header.cap for gate in self.gates}

    def remedy_of(self) -> dict[str, str]:
        """Return metric -> the remedy that it shares with others; metrics with one of their own are left out."""
        return {metric: remedy.id for remedy in self.remedies for metric in remedy.metrics}

    def metric(self, metric_id: str) -> Metric:
        """Return a metric by id.

        Raises:
            KeyError: There is no such metric.
        """
        for metric in self.metrics:
            if metric.id == metric_id:
                return metric
        raise KeyError(metric_id)


def gate_id(name: str) -> str:
    """Return the gate's published id: ``g_sik_1`` is G-SIK-1."""
    return re.sub("_", "-", name).upper()

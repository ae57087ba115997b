"""The measure itself: areas, metrics, gates and the ruleset, read from SQL headers and ``areas.toml``.

The header of a metric's SQL file is the only place where its thresholds and weight stand (architecture D4).
Does not belong here: values (SQL) and points (``opsmetrics.scoring``).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from opsmetrics.errors import SqlFileError
from opsmetrics.obligations import Obligation, check_obligations, load_obligations
from opsmetrics.organisation.models import Text
from opsmetrics.rules import check_version, rules_digest
from opsmetrics.sqlfile import SqlFile, load_all, validate_header
from opsmetrics.streams import STREAMS
from opsmetrics.unscored import Unscored, load_unscored

# What every metric table holds; stated once for all metric files (architecture D3: no column list twice).
VALUE_COLUMNS: dict[str, str] = {
    "team_id": "Team that answers for the items",
    "as_of": "Instant of evaluation, UTC; the window ends here",
    "grain": "month, tertial, week, latest; series_month and series_quarter for trends",
    "numerator": "Items or time that keep the obligation (for lower-is-better metrics: that break it)",
    "denominator": "Items or time that the obligation is about",
    "value": "The metric, in its unit",
    "sample_size": "Number of items behind the value",
    "completeness": "Share of the window for which the sources delivered, 0..1",
}
ERROR_COLUMN = {"standard_error": "Standard error of the value, for its interval"}
ENTITY_COLUMNS: dict[str, str] = {
    "entity_id": "SLO, resource or datastore that is scored by itself",
    "entity_weight": "Criticality weight 3, 2 or 1",
}


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricHeader(_Header):
    """Header of ``sql/metrics/<area>/<metric>.sql``.

    Attributes:
        window: Days as ``28d``, or ``now`` for a state.
        floor: Value worth 0 points; krav 60 points (None: straight line); mal 100 points.
        n_full: Items for full evidence weight (sample metrics).
        needs: Streams without which the metric says nothing.
        when_empty: What no rows mean although the sources are alive.
        formula: How the value follows from numerator and denominator, in words.
        effort: Default effort of the remedy: S 2, M 5, L 15 team-days.
        interval: How chance enters a sample metric (method 3.10): ``jeffreys`` for a share of items,
            ``survival`` and ``normal`` for values with a standard error of their own.
    """

    title: Text
    unit: Literal["share", "budgets", "count", "utilisation"]
    kind: Literal["census", "sample"]
    entity: bool = False
    window: Annotated[str, StringConstraints(pattern=r"^(now|[1-9]\d*d)$")]
    floor: float
    krav: float | None = None
    mal: float
    weight: float = Field(gt=0)
    n_full: int | None = Field(default=None, gt=0)
    obligations: list[Annotated[str, StringConstraints(pattern=r"^O\d[0-9A]$")]] = Field(min_length=1)
    applies_to: Literal["both", "product", "platform"] = "both"
    needs: list[str] = Field(min_length=1)
    when_empty: Literal["no_opportunity", "not_applicable"]
    formula: Text
    why: Text
    remedy: Text
    effort: Literal["S", "M", "L"] = "M"
    interval: Literal["jeffreys", "survival", "normal"] = "jeffreys"
    lifecycle: Literal["stable", "experimental"] = "stable"
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
        unknown = [name for name in self.needs if name not in STREAMS]
        if unknown:
            raise ValueError(f"needs names unknown streams {unknown}")
        return self


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
    """Numbers of the method that belong to no single metric (sections 3.3 to 3.7)."""

    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    weakest_share: float = Field(ge=0, le=1)
    area_published_coverage: float
    area_provisional_coverage: float
    team_published_share: float
    team_published_coverage: float
    stale_below: float
    carry_days: int
    grace_days: int
    waived_share_at_most: float
    level_edges: list[float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A scored metric: its header, where it belongs and its SQL."""

    id: str
    area_id: str
    header: MetricHeader
    file: SqlFile

    @property
    def window_days(self) -> int:
        """Length of the window in local days; 0 for a state."""
        return 0 if self.header.window == "now" else int(self.header.window[:-1])

    @property
    def has_standard_error(self) -> bool:
        """Whether the SQL gives the value's standard error, because the items alone do not tell it."""
        return self.header.interval != "jeffreys"

    @property
    def columns(self) -> dict[str, str]:
        """Columns that the metric's table must have, in order."""
        columns = VALUE_COLUMNS | (ERROR_COLUMN if self.has_standard_error else {})
        if not self.header.entity:
            return columns
        names = list(columns)
        return {name: (columns | ENTITY_COLUMNS)[name] for name in [*names[:3], *ENTITY_COLUMNS, *names[3:]]}


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate and its SQL."""

    id: str
    header: GateHeader
    file: SqlFile


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is measured, under one ruleset."""

    areas: tuple[Area, ...]
    metrics: tuple[Metric, ...]
    gates: tuple[Gate, ...]
    ruleset: Ruleset
    unscored: tuple[Unscored, ...]
    obligations: tuple[Obligation, ...]
    digest: str

    def measures(self) -> dict[str, list[str]]:
        """Return metric or organisation fact -> the obligations it measures."""
        found = {metric.id: list(metric.header.obligations) for metric in self.metrics}
        return found | {fact.id: fact.header.obligations for fact in self.unscored if fact.kind == "organisation"}

    def metric(self, metric_id: str) -> Metric:
        """Return a metric by id.

        Raises:
            KeyError: There is no such metric.
        """
        for metric in self.metrics:
            if metric.id == metric_id:
                return metric
        raise KeyError(metric_id)


def load_catalogue(root: Path, files: dict[str, SqlFile]) -> Catalogue:
    """Read the catalogue.

    Raises:
        SqlFileError: A header breaks its form, a metric stands under an unknown area, or an obligation has no metric.
    """
    ruleset, areas, metrics, gates = _read(root, files)
    catalogue = Catalogue(
        areas,
        tuple(metrics),
        tuple(gates),
        ruleset,
        load_unscored(files),
        load_obligations(root),
        _digest(ruleset, areas, metrics, gates),
    )
    check_version(root, ruleset.version, rules_digest(ruleset, areas, metrics, gates))
    check_obligations(catalogue.obligations, catalogue.measures(), root)
    return catalogue


def rules_digest_at(root: Path) -> str:
    """Return the digest under which ``rulesets.toml`` is to record the rules below a folder.

    Raises:
        SqlFileError: A header breaks its form, or a metric stands under an unknown area.
    """
    return rules_digest(*_read(root, load_all(root)))


def _read(root: Path, files: dict[str, SqlFile]) -> tuple[Ruleset, tuple[Area, ...], list[Metric], list[Gate]]:
    path = root / "metrics" / "areas.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    ruleset = validate_header(Ruleset, raw["ruleset"], path)
    areas = tuple(validate_header(Area, item, path) for item in raw["area"])
    area_ids = {area.id for area in areas}
    metrics: list[Metric] = []
    gates: list[Gate] = []
    for file in sorted(files.values(), key=lambda file: file.table):
        if file.schema == "metrics":
            area_id = file.path.parent.name
            if area_id not in area_ids or not file.name.startswith(f"{area_id}_"):
                raise SqlFileError(f"{file.path}: put it in sql/metrics/<area>/ and begin its name with <area>_")
            metrics.append(Metric(file.name, area_id, validate_header(MetricHeader, file.header, file.path), file))
        elif file.schema == "gates":
            header = validate_header(GateHeader, file.header, file.path)
            if header.area not in area_ids:
                raise SqlFileError(f"{file.path}: unknown area {header.area!r}")
            gates.append(Gate(gate_id(file.name), header, file))
    order = {area.id: number for number, area in enumerate(areas)}
    metrics.sort(key=lambda metric: (order[metric.area_id], -metric.header.weight, metric.id))
    return ruleset, areas, metrics, gates


def gate_id(name: str) -> str:
    """Return the gate's published id: ``g_sik_1`` is G-SIK-1."""
    return re.sub("_", "-", name).upper()


def _digest(ruleset: Ruleset, areas: tuple[Area, ...], metrics: list[Metric], gates: list[Gate]) -> str:
    content = {
        "ruleset": ruleset.model_dump(mode="json"),
        "areas": [area.model_dump(mode="json") for area in areas],
        "metrics": {metric.id: metric.header.model_dump(mode="json") for metric in metrics},
        "gates": {gate.id: gate.header.model_dump(mode="json") for gate in gates},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

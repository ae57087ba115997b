"""An organisation's own metrics: ``metrics/own_<name>.sql`` beside its configuration (ADR 0041).

They have the header, the form and the checks of shipped metrics, and an area in the header instead of a folder. They
read facts and reference tables only, name no clock and no file, and shadow nothing: their names begin with ``own_``.
Does not belong here: the organisation's other numbers for shipped metrics (``opsmetrics.catalogue.overlay``).
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from opsmetrics.catalogue.model import OWN_PREFIX, Area, Metric, MetricHeader
from opsmetrics.catalogue.sqlfile import SqlFile, validate_header
from opsmetrics.catalogue.sqltree import CLOCKS, changing_functions, parse_select
from opsmetrics.core.errors import SqlFileError

_NAME = re.compile(r"own_[a-z0-9]+(_[a-z0-9]+)*")
# What an own metric may read by itself; macros are ours and may read more.
SCHEMAS = frozenset({"facts", "ref"})
# Ends a select whose rows are impossible, which is no answer.
_ENDING = frozenset({"error"})


class OwnMetricHeader(MetricHeader):
    """Header of an own metric.

    Attributes:
        area: Ops area that it counts in.
        obligations: Sentences of the handbook, where it measures one; an own duty stands in ``why``.
        lifecycle: No guard: a gate would have to watch it, and gates are shipped.
    """

    area: str
    obligations: list[Annotated[str, StringConstraints(pattern=r"^O\d[0-9A]$")]] = Field(default=[])
    lifecycle: Literal["stable", "experimental"] = "stable"


def own_metric(file: SqlFile, areas: tuple[Area, ...]) -> Metric:
    """Return the metric of an own file.

    Raises:
        SqlFileError: Its name or header breaks its form, it names no area, or reads what it may not.
    """
    if not _NAME.fullmatch(file.name):
        raise SqlFileError(f"{file.path}: name it {OWN_PREFIX}<name>.sql, in small letters, digits and _")
    _check_reads(file)
    header = validate_header(OwnMetricHeader, file.header, file.path)
    if header.area not in {area.id for area in areas}:
        known = ", ".join(area.id for area in areas)
        raise SqlFileError(f"{file.path}: unknown area {header.area!r}; choose from {known}")
    file.evidence()
    return Metric(file.name, header.area, header, file)


def _check_reads(file: SqlFile) -> None:
    """Refuse a select that reads more than facts and reference tables, or says the time, or draws lots."""
    tree = parse_select(file.text, file.path)
    outside = sorted(table for table in tree.tables if table.partition(".")[0] not in SCHEMAS)
    outside += sorted(tree.strangers)
    if outside:
        allowed = " and ".join(f"{schema}.*" for schema in sorted(SCHEMAS))
        raise SqlFileError(
            f"{file.path}: it reads {', '.join(outside)}; an own metric reads {allowed}, macros and its own steps"
        )
    wrong = sorted(tree.functions & (changing_functions() - _ENDING) | tree.words & CLOCKS)
    if wrong:
        raise SqlFileError(
            f"{file.path}: {', '.join(wrong)} gives another answer each time; as_of is the only clock of a metric"
        )

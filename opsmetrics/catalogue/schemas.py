"""The schemas of the warehouse, each named once: what it holds, who makes it and what its SQL files may read.

Does not belong here: the tables of a schema (SQL headers, and declarations beside the code that makes the rows).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Header = Literal["model", "metric", "gate", "unscored"]


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema.

    Attributes:
        name: Name in DuckDB, of the folder below ``sql/`` and of the group in Dagster.
        meaning: What it holds, for readers of the data dictionary.
        reading: Place in the data dictionary; what most people need comes first.
        header: Form of the headers of its SQL files; None where it has no SQL files.
        reads: Schemas that its SQL files may read.
        python: Whether Python makes tables of it too.
        exported: Whether it is exported as Parquet files.
    """

    name: str
    meaning: str
    reading: int
    header: Header | None = None
    reads: frozenset[str] = frozenset()
    python: bool = False
    exported: bool = False


# In the order in which a build makes them.
SCHEMAS: tuple[Schema, ...] = (
    Schema("raw", "Every row ever landed, as it came, with its load", 12, python=True),
    Schema("meta", "About the snapshot itself: catalogue, streams, loads, build", 10, python=True),
    Schema(
        "ref",
        "The organisation's configuration, the calendar and the instants of evaluation",
        9,
        "model",
        frozenset({"ref", "meta"}),
        python=True,
    ),
    Schema(
        "staging",
        "The rows of each stream that count: of the winning loads, one per key",
        11,
        "model",
        frozenset({"raw", "meta"}),
    ),
    Schema(
        "facts",
        "What happened, whoever reported it: incidents, outages, deployments and states",
        8,
        "model",
        frozenset({"staging", "facts", "ref", "meta"}),
    ),
    Schema(
        "metrics",
        "The value of each scored metric, per team and instant; all tables share their columns",
        3,
        "metric",
        frozenset({"facts", "staging", "ref", "meta"}),
    ),
    Schema(
        "gates",
        "Findings of each must-have that caps an area's level",
        4,
        "gate",
        frozenset({"facts", "metrics", "staging", "ref", "meta"}),
    ),
    Schema(
        "diagnostics",
        "Numbers that explain and are never scored; all tables share their columns",
        5,
        "unscored",
        frozenset({"facts", "metrics", "staging", "ref", "meta"}),
    ),
    Schema(
        "organisation",
        "What the organisation as a whole answers for; all tables share their columns",
        6,
        "unscored",
        frozenset({"facts", "ref", "meta"}),
    ),
    Schema(
        "scores",
        "Points, scores, levels, trends and plans: the results",
        1,
        "model",
        frozenset({"raw", "scores", "ref", "meta"}),
        python=True,
        exported=True,
    ),
    Schema(
        "alarms",
        "Signs that a number was made to look good; all tables share their columns",
        7,
        "unscored",
        frozenset({"facts", "scores", "staging", "ref", "meta"}),
    ),
    Schema(
        "marts",
        "Tables ready to read, whose columns are versioned",
        2,
        "model",
        frozenset({"facts", "staging", "marts", "scores", "alarms", "ref", "meta"}),
        exported=True,
    ),
    Schema("macros", "What many SQL files say alike, once: functions to select from or to compute with", 13),
)
BY_NAME: dict[str, Schema] = {schema.name: schema for schema in SCHEMAS}
NAMES: tuple[str, ...] = tuple(BY_NAME)
# Schemas whose folder holds its SQL files directly; metrics lie one folder deeper, by area.
FLAT: tuple[str, ...] = tuple(schema.name for schema in SCHEMAS if schema.header not in {None, "metric"})
UNSCORED: tuple[str, ...] = tuple(schema.name for schema in SCHEMAS if schema.header == "unscored")
EXPORTED: tuple[str, ...] = tuple(schema.name for schema in SCHEMAS if schema.exported)
READING_ORDER: tuple[str, ...] = tuple(schema.name for schema in sorted(SCHEMAS, key=lambda schema: schema.reading))

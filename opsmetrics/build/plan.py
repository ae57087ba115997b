"""What a run does, as data: its stages in order, the tables that each makes and needs, and how each is repaired.

Dagster's assets, the command line, previews and replays all execute this one plan or a part of it.
Does not belong here: what a stage does (``build.stages``) and who executes it (``build.execute``, ``assets``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.scoring.tables import TABLES
from opsmetrics.streams import STREAMS

REFERENCE_TABLE = "meta.reference"
"""Stands for every table that comes from configuration: ``ref`` tables without a file of their own, and ``meta``."""
SNAPSHOT_TABLE = "published.snapshot"
FACTS_OF_SCORES = (
    "measured_windows",
    "undated_windows",
    "hidden_windows",
    "weaker_metrics",
    "outcome_quarters",
    "due_items",
)
"""Facts that the computation of scores reads itself, beside metrics and gates."""


@unique
class Kind(StrEnum):
    """What a stage is, in the order of a run."""

    PULL = "pull"
    INGEST = "ingest"
    COMPARE = "compare"
    REFERENCE = "reference"
    SQL = "sql"
    SCORES = "scores"
    FINISH = "finish"
    PUBLISH = "publish"


@unique
class Repair(StrEnum):
    """What a stage does about damage that it meets."""

    LOADS = "loads"
    """Damaged loads are restored from the backup, or pulled again, and what is missing is ingested."""
    WORKING_FILE = "working file"
    """The damaged file was set aside: this stage and every one before it that writes the file are done again, once."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a run.

    Attributes:
        name: Unique in the plan; of a stage that makes one table, the table's qualified name.
        kind: What it is.
        makes: Qualified names of the tables that it makes; none where it only decides or marks something.
        needs: Qualified names of the tables that it reads.
        repairs: What it does about damage.
    """

    name: str
    kind: Kind
    makes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = (Repair.WORKING_FILE,)


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages in an order in which each comes after what it needs."""

    stages: tuple[Stage, ...]

    def of(self, *kinds: Kind) -> tuple[Stage, ...]:
        """Return the stages of some kinds, in order."""
        return tuple(stage for stage in self.stages if stage.kind in kinds)

    def part(self, first: Kind, last: Kind) -> Plan:
        """Return the stages from the first one of kind ``first`` to the last one of kind ``last``."""
        kinds = [stage.kind for stage in self.stages]
        return Plan(self.stages[kinds.index(first) : len(kinds) - kinds[::-1].index(last)])

    @property
    def writing(self) -> tuple[Stage, ...]:
        """The stages that work in the working file: all but the pulls."""
        return tuple(stage for stage in self.stages if stage.kind is not Kind.PULL)

    def until(self, wanted: Collection[Stage]) -> tuple[Stage, ...]:
        """Return ``wanted`` and every stage before them that works in the working file."""
        last = max(self.stages.index(stage) for stage in wanted)
        return tuple(stage for stage in self.stages[: last + 1] if stage.kind is not Kind.PULL)


def make_plan(files: Mapping[str, SqlFile], catalogue: Catalogue) -> Plan:
    """Return the plan of a whole run.

    Args:
        files: SQL files by table, each after what it reads.
        catalogue: Their metrics and gates, on which the scores rest.
    """
    pulls = [Stage(f"landing.{name}", Kind.PULL, (f"landing.{name}",), repairs=()) for name in STREAMS]
    landed, raw = (tuple(f"{schema}.{name}" for name in STREAMS) for schema in ("landing", "raw"))
    before, after = _around_scores(files)
    inputs = [item.file.table for item in (*catalogue.metrics, *catalogue.gates)]
    scores = tuple(f"scores.{name}" for name in TABLES)
    stages = [
        Stage("ingest", Kind.INGEST, raw, landed, (Repair.LOADS, Repair.WORKING_FILE)),
        Stage("compare", Kind.COMPARE, (), raw),
        Stage("reference", Kind.REFERENCE, (REFERENCE_TABLE,), raw),
        *(_sql_stage(file, files) for file in before),
        Stage(
            "scores",
            Kind.SCORES,
            scores,
            (*inputs, *(f"facts.{name}" for name in FACTS_OF_SCORES), "ref.untold_columns", REFERENCE_TABLE),
        ),
        *(_sql_stage(file, files) for file in after),
    ]
    made = tuple(table for stage in stages for table in stage.makes)
    stages += [Stage("finish", Kind.FINISH, (), made), Stage("publish", Kind.PUBLISH, (SNAPSHOT_TABLE,), made)]
    return Plan((*pulls, *stages))


def _sql_stage(file: SqlFile, files: Mapping[str, SqlFile]) -> Stage:
    needs = dict.fromkeys(_made_by(table, files) for table in sorted(file.dependencies))
    return Stage(file.table, Kind.SQL, (file.table,), tuple(needs))


def _made_by(table: str, files: Mapping[str, SqlFile]) -> str:
    is_reference = table.startswith("meta.") or (table.startswith("ref.") and table not in files)
    return REFERENCE_TABLE if is_reference else table


def _around_scores(files: Mapping[str, SqlFile]) -> tuple[list[SqlFile], list[SqlFile]]:
    """Files that the scores may rest on, and files that read scores, directly or through others; both in order."""
    after: dict[str, SqlFile] = {}
    for table, file in files.items():
        if any(name.startswith("scores.") or name in after for name in file.dependencies):
            after[table] = file
    return [file for table, file in files.items() if table not in after], list(after.values())

"""Rebuild what rests on a changed staging table, for a few instants, and read what a leader would be told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from opsmetrics.build import Context
from opsmetrics.scoring.aggregate import area_scores
from opsmetrics.scoring.cells import score_cells
from opsmetrics.scoring.inputs import ScoreInputs, encoded
from opsmetrics.scoring.outlook import DUE, ITEMS
from opsmetrics.streams import Stream
from opsmetrics.warehouse.score_tables import INPUTS, applicability_select, gates_select, values_select

# Tables that most readers take a part of: those rows in which a column has the value that they ask for.
PARTS = {
    **dict.fromkeys(("meta.delivered_days", "meta.load_days"), "stream"),
    **dict.fromkeys(("ref.metric_windows", "facts.measured_windows"), "metric_id"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of every team at some instants.

    Attributes:
        cells: ``scores.metric``.
        areas: ``scores.area``.
        tripped: (gate or alarm, team, instant, grain).
    """

    cells: pl.DataFrame
    areas: pl.DataFrame
    tripped: frozenset[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Changed:
    """What of a table has changed.

    Attributes:
        columns: In which columns; None: in any.
        rows: In which parts of it (``PARTS``); None: in any.
    """

    columns: frozenset[str] | None = None
    rows: frozenset[object] | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """How a select reads a table.

    Attributes:
        columns: The columns that it takes.
        filters: Conditions on its rows; they may name further columns.
        rows: The only part that it reads, or None.
    """

    columns: frozenset[str]
    filters: str
    rows: str | None

    def meets(self, change: Changed) -> bool:
        """Whether it reads what has changed."""
        if change.rows is not None and self.rows is not None and self.rows not in change.rows:
            return False
        named = self.columns | {*re.findall(r"\w+", self.filters)}
        return change.columns is None or bool(named & change.columns)


def _scans_of(plan: Any) -> Iterator[tuple[str, Scan]]:
    """Tables and how they are read, of a plan as ``explain (format json)`` tells it."""
    for node in plan if isinstance(plan, list) else [plan]:
        told = node.get("extra_info")
        if isinstance(told, dict) and "Table" in told:
            name = ".".join(told["Table"].replace('"', "").split(".")[-2:])
            taken, filters = (_listed(told.get(key)) for key in ("Projections", "Filters"))
            only = [
                found[1]
                for text in filters
                if name in PARTS and (found := re.fullmatch(rf"\(?{PARTS[name]} ?= ?'(\w+)'\)?", text))
            ]
            yield name, Scan(frozenset(taken), " ".join(filters), only[0] if only else None)
        yield from _scans_of(node["children"])


def _listed(told: object) -> list[str]:
    return told if isinstance(told, list) else [str(told)] if told else []


class Warehouse:
    """A copy of the demo's warehouse, with a few instants of evaluation, in which staging may be changed.

    Args:
        con: A writable copy, attached and in use.
        context: Catalogue and SQL files.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, context: Context) -> None:
        self.con, self.context = con, context
        self._planned: dict[str, dict[str, list[Scan]]] = {}
        self.order = [table for table in context.files if not table.startswith(("staging.", "marts.", "scores."))]
        # Tables that others of them rest on.
        self.read = {name for table in self.order for name in context.files[table].dependencies}
        self.judged = {item.file.table for item in (*context.catalogue.metrics, *context.catalogue.gates)}

    def keep_instants(self, condition: str) -> None:
        """Evaluate only at instants that meet a condition on ``ref.as_of``, and build what rests on instants again."""
        self.con.execute(f"delete from ref.as_of where not ({condition})")
        self.con.execute("delete from ref.windows where (as_of, grain) not in (select (as_of, grain) from ref.as_of)")
        self.rebuild({"ref.as_of", "ref.windows"})

    def only_scores(self) -> None:
        """From now on build only what metrics and gates rest on."""
        needed = {*self.judged, "ref.untold_columns", "facts.weaker_metrics"}
        for table in reversed(self.order):
            if table in needed:
                needed |= self.context.files[table].dependencies
        self.order = [table for table in self.order if table in needed]

    def rebuild(self, changed: Iterable[str] | Mapping[str, Changed]) -> None:
        """Build every table again that reads what has changed, as far as the tables below it came to say something else.

        Args:
            changed: Tables, or what of each has changed.
        """
        touched = dict(changed) if isinstance(changed, Mapping) else dict.fromkeys(changed, Changed())
        for table in self.order:
            file = self.context.files[table]
            if not any(self._is_read(table, name, touched[name]) for name in touched.keys() & file.dependencies):
                continue
            before = self._digests(table) if table in self.read else {}
            self.con.execute(f"create or replace table {table} as {file.text}")
            after = self._digests(table) if table in self.read else {}
            if others := {name for name in before | after if before.get(name) != after.get(name)}:
                touched[table] = Changed(rows=frozenset(others) if table in PARTS else None)

    def _is_read(self, table: str, name: str, change: Changed) -> bool:
        """Whether a table reads rows and columns of another that have changed, as the database plans to."""
        scans = self._scans(table).get(name)
        # What is not seen in the plan may be read all the same.
        return scans is None or any(scan.meets(change) for scan in scans)

    def _scans(self, table: str) -> dict[str, list[Scan]]:
        """What a table's select reads of each table; of every column and row that the plan does not exclude."""
        if table not in self._planned:
            # What the data happen to be decides nothing.
            self.con.execute("set disabled_optimizers = 'statistics_propagation'")
            text = self.context.files[table].text
            ((_, plan),) = self.con.execute(f"explain (format json) {text}").fetchall()
            self.con.execute("reset disabled_optimizers")
            found: dict[str, list[Scan]] = {}
            for name, scan in _scans_of(json.loads(plan)):
                found.setdefault(name, []).append(scan)
            self._planned[table] = found
        return self._planned[table]

    def _digests(self, table: str) -> dict[object, tuple[object, ...]]:
        """What a table says, whatever the order of its rows; by part, where it has parts."""
        part = PARTS.get(table, "null")
        rows = self.con.execute(
            f"select {part}, count(*), sum(cast(hash(said) as hugeint)) from {table} as said group by all"
        ).fetchall()
        return {row[0]: row[1:] for row in rows}

    @contextmanager
    def change(self, *statements: str, changed: Iterable[str] | Mapping[str, Changed]) -> Iterator[Warehouse]:
        """The warehouse after a change, which is taken back afterwards."""
        self.con.execute("begin")
        try:
            for statement in statements:
                self.con.execute(statement)
            self.rebuild(changed)
            yield self
        finally:
            self.con.execute("rollback")

    def told(self) -> Told:
        """Read scores, gates and alarms as they stand."""
        catalogue = self.context.catalogue
        values = self.con.sql(values_select(catalogue)).pl()
        wanted = {field.name for field in fields(ScoreInputs)}
        tables = {name: self.con.sql(select).pl() for name, select in INPUTS.items() if name in wanted}
        gates = self.con.sql(gates_select(catalogue)).pl()
        tables["applicability"] = self.con.sql(applicability_select(catalogue)).pl()
        # Dates of plans are not asked for.
        later = {"items": pl.DataFrame(schema=ITEMS), "due": pl.DataFrame(schema=DUE)}
        inputs = ScoreInputs(values=values, gates=gates, frozen=values.clear(), **tables, **later)
        cells = score_cells(catalogue, encoded(catalogue, inputs)).waived
        areas = area_scores(cells, catalogue.ruleset)
        tripped = gates.select("gate_id", "team_id", "as_of", "grain").rows()
        return Told(*(_plain(frame) for frame in (cells, areas)), frozenset(tripped))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Enum).cast(pl.String), pl.col(pl.Categorical).cast(pl.String))


def optional(stream: Stream) -> list[str]:
    """Columns of a stream's contract that a source may leave out."""
    return [column.name for column in stream.columns if not column.required and column.name not in stream.key]


@contextmanager
def copied_warehouse(whole: Warehouse, path: Path, instants: str) -> Iterator[Warehouse]:
    """A copy of a warehouse that holds some instants only, which a test may change."""
    ((source,),) = whole.con.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchall()
    whole.con.execute("checkpoint")
    shutil.copy(source, path)
    with duckdb.connect(str(path)) as con:
        con.execute("set timezone = 'UTC'")
        warehouse = Warehouse(con, whole.context)
        warehouse.only_scores()
        warehouse.keep_instants(instants)
        yield warehouse

"""Rebuild what rests on a changed staging table, for a few instants, and read what a leader would be told."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.build import Context
from opsmetrics.scoring.aggregate import area_scores
from opsmetrics.scoring.cells import score_cells
from opsmetrics.scoring.inputs import ScoreInputs, encoded
from opsmetrics.scoring.outlook import DUE, ITEMS
from opsmetrics.streams import Stream
from opsmetrics.warehouse.score_tables import INPUTS, applicability_select, gates_select, values_select


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


class Warehouse:
    """A copy of the demo's warehouse, with a few instants of evaluation, in which staging may be changed.

    Args:
        con: A writable copy, attached and in use.
        context: Catalogue and SQL files.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, context: Context) -> None:
        self.con, self.context = con, context
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

    def rebuild(self, changed: Iterable[str]) -> None:
        """Build every table again that rests on the changed ones, as far as they came to say something else."""
        touched = set(changed)
        for table in self.order:
            file = self.context.files[table]
            if touched & file.dependencies:
                before = self._digest(table) if table in self.read else None
                self.con.execute(f"create or replace table {table} as {file.text}")
                if before is None or before != self._digest(table):
                    touched.add(table)

    def _digest(self, table: str) -> tuple[object, ...]:
        """What a table says, whatever the order of its rows."""
        ((count, total),) = self.con.execute(
            f"select count(*), sum(cast(hash(said) as hugeint)) from {table} as said"
        ).fetchall()
        return count, total

    @contextmanager
    def change(self, *statements: str, changed: Iterable[str]) -> Iterator[Warehouse]:
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

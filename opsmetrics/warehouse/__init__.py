"""The working DuckDB file: disposable, rebuilt from landing and configuration at any time (architecture D8, D9).

Belongs here: opening it, ingesting loads, running SQL files under their contract, writing scores.
Does not belong here: what people read (``opsmetrics.snapshots.store``) and what numbers mean (``sql``, ``scoring``).
"""

import duckdb

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.warehouse.connection import connect
from opsmetrics.warehouse.ingest import Ingested, ingest
from opsmetrics.warehouse.materialize import build_table, table_inputs
from opsmetrics.warehouse.reference.write import write_reference

__all__ = ["Ingested", "build_table", "connect", "ingest", "table_inputs", "write_reference", "write_scores"]


def write_scores(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, files: dict[str, SqlFile]) -> dict[str, int]:
    """Bring the ``scores`` tables up to date in one transaction, as ``score_tables.write_scores`` says.

    The scoring core and numpy, on which it stands, are imported only by who computes scores.
    """
    from opsmetrics.warehouse.score_tables import write_scores as write  # noqa: PLC0415 - see above

    return write(con, catalogue, files)

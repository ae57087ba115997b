"""The working DuckDB file: disposable, rebuilt from landing and configuration at any time (architecture D8, D9).

Belongs here: opening it, ingesting loads, running SQL files under their contract, writing scores.
Does not belong here: what people read (``opsmetrics.snapshot``) and what numbers mean (``sql``, ``scoring``).
"""

from opsmetrics.warehouse.build import build_table, table_inputs
from opsmetrics.warehouse.connection import connect
from opsmetrics.warehouse.ingest import Ingested, ingest
from opsmetrics.warehouse.reference import write_reference
from opsmetrics.warehouse.scores import write_scores

__all__ = ["Ingested", "build_table", "connect", "ingest", "table_inputs", "write_reference", "write_scores"]

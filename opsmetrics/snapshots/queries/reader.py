"""The only reader of snapshots: one connection per snapshot file, one cursor per query, answers kept by size.

A page asks for a snapshot once per run and passes it on, so that it never mixes two snapshots. Nothing here knows
Streamlit: downloads ask the same way from their own threads, and frames are shared, not copied (they never change).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, TypeVar

import duckdb
import polars as pl
from cachetools import LRUCache

from opsmetrics.core.errors import OTHER_SHAPE, SnapshotError
from opsmetrics.snapshots.queries.rows import Rows
from opsmetrics.snapshots.store import NO_SNAPSHOT, Snapshot, fixed_in_utc

KEPT_READERS = 3
KEPT_BYTES = 64 * 1024 * 1024
_OVERHEAD = 2048  # bytes of an empty answer and its key, about
R = TypeVar("R")

_lock = threading.Lock()
# The connection of the oldest snapshot is let go; cursors that still run keep it open.
_readers: LRUCache[str, duckdb.DuckDBPyConnection] = LRUCache(KEPT_READERS)
_answers: LRUCache[Any, pl.DataFrame] = LRUCache(KEPT_BYTES, getsizeof=lambda f: f.estimated_size() + _OVERHEAD)


def _cursor(path: str) -> duckdb.DuckDBPyConnection:
    with _lock:
        if path not in _readers:
            # Snapshots have unique names: reconnecting to a replaced path would return the old database.
            try:
                opened = duckdb.connect(path, read_only=True, config={"enable_external_access": False})
            except duckdb.IOException as error:
                raise SnapshotError(f"{path}: {NO_SNAPSHOT}") from error
            fixed_in_utc(opened)
            _readers[path] = opened
        return _readers[path].cursor()


def query(snapshot: Snapshot, row_type: type[R], sql: str, parameters: Mapping[str, Any] | None = None) -> Rows[R]:
    """Run one select on a snapshot and return its rows typed.

    Raises:
        SnapshotError: The answer has not the columns that the row type names.
    """
    return Rows(row_type, frame(snapshot, sql, parameters))


def frame(snapshot: Snapshot, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
    """Run one select on a snapshot; values are bound, answers kept per snapshot and parameters.

    Raises:
        SnapshotError: The file is no snapshot that this version reads.
    """
    path, names = str(snapshot.path), dict(parameters or {})
    key = (path, sql, tuple(sorted(names.items())))
    with _lock:
        if key in _answers:
            return _answers[key]
    with _cursor(path) as cursor:
        try:
            found = cursor.sql(sql, params=names).pl() if names else cursor.sql(sql).pl()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise SnapshotError(f"{path}: {OTHER_SHAPE}") from error
    with _lock:
        if found.estimated_size() + _OVERHEAD <= KEPT_BYTES // 4:
            _answers[key] = found
    return found

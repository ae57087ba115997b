"""Parquet files of what analysts read, for tools that do not open DuckDB: one file a table, comments included.

Each export is a folder of its own, named after its snapshot; ``current`` points to the newest, so that a path can be
configured once. Does not belong here: the downloads of the app (``scorecard_app.exports``).
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.catalogue.schemas import EXPORTED
from opsmetrics.core.atomic import draft, settle, sync_folder, sync_tree
from opsmetrics.core.errors import SnapshotError
from opsmetrics.snapshots.store import NAME, current, opened

COLUMNS = "columns.parquet"
KEEP = 3
CURRENT = "current"
# What a process that was killed left half-written. Nobody writes for so long.
_DRAFT = re.compile(rf"\.(?:{NAME.pattern})\.[0-9a-f]{{8}}\.tmp")
_LEFT_SECONDS = 24 * 3600


def export(snapshots: Path, target: Path) -> tuple[Path, int]:
    """Write ``<target>/<snapshot>/<schema>/<table>.parquet`` of the current snapshot and let ``current`` point to it.

    Every file carries its table's comment as metadata; ``columns.parquet`` lists table, column, type and meaning.

    Returns:
        The folder, and the number of tables in it; an export that is there already is not written again.

    Raises:
        SnapshotError: Nothing was published yet, or ``current`` is somebody else's there.
    """
    found = current(snapshots)
    folder = target / found.path.stem
    if (target / CURRENT).exists() and not (target / CURRENT).is_symlink():
        raise SnapshotError(f"{target / CURRENT}: this is not ours to replace\n    fix: export to another folder")
    with opened(found) as con:
        columns = _columns(con)
        if not folder.exists():
            _write(con, columns, folder)
    _point(target, folder.name)
    return folder, columns["table"].n_unique()


def _columns(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    return con.sql(
        'select c.schema_name || \'.\' || c.table_name as "table", c.column_name as "column", c.data_type as "type",'
        " c.comment as meaning, coalesce(t.comment, v.comment) as table_comment"
        " from duckdb_columns() as c"
        " left join duckdb_tables() as t on t.table_oid = c.table_oid and t.schema_name = c.schema_name"
        " left join duckdb_views() as v on v.view_oid = c.table_oid and v.schema_name = c.schema_name"
        f" where c.schema_name in {EXPORTED} order by 1, c.column_index"
    ).pl()


def _write(con: duckdb.DuckDBPyConnection, columns: pl.DataFrame, folder: Path) -> None:
    """Write under another name first: whoever finds the folder finds all of it."""
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        for name, text in columns.select("table", "table_comment").unique(maintain_order=True).iter_rows():
            schema, table = name.split(".")
            path = temporary / schema / f"{table}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            told = {"comment": text or "", "snapshot": folder.name}
            # By its handle: the library takes no name that is not UTF-8.
            with path.open("wb") as file:
                con.sql(f"from {name}").pl().write_parquet(file, metadata=told)
        with (temporary / COLUMNS).open("wb") as file:
            columns.drop("table_comment").write_parquet(file)
        # An export that is there is not written again: after a power cut its name must not stand over empty files.
        sync_tree(temporary)
        try:
            temporary.replace(folder)
        except OSError:
            # Another process was quicker: what it wrote is the same.
            if not (folder / COLUMNS).is_file():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder.parent)


def _point(target: Path, name: str) -> None:
    with draft(target, CURRENT) as link:
        link.symlink_to(name)
        settle(link, target / CURRENT)
    for path in target.glob(".ops-*.tmp"):
        is_old = _DRAFT.fullmatch(path.name) is not None and time.time() - path.lstat().st_mtime > _LEFT_SECONDS
        if is_old and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
    # The folder may be anybody's: only what we wrote is removed.
    found = (path for path in target.glob("ops-*") if NAME.fullmatch(path.name) and (path / COLUMNS).is_file())
    exports = sorted((path for path in found if not path.is_symlink()), key=lambda path: path.stat().st_mtime_ns)
    for old in exports[:-KEEP]:
        if old.name != name:
            shutil.rmtree(old)

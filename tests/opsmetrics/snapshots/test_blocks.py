"""A broken block of the working file is found when it is published, whatever the build read of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from opsmetrics.core.errors import WarehouseDamagedError
from opsmetrics.snapshots import store
from opsmetrics.snapshots.blocks import has_broken_blocks
from opsmetrics.warehouse import connect

HEADERS, BLOCK = 3 * 4096, 256 * 1024


@pytest.fixture
def working_file(tmp_path) -> Path:
    """Two tables of some blocks each, and the blocks of a third that is gone."""
    path = tmp_path / "ops.duckdb"
    with connect(path) as con:
        for table in ("gone", "read", "unread"):
            con.execute(f"create table meta.{table} as select range as day, hash(range) as said from range(200_000)")
        con.execute("checkpoint")
    return path


def blocks_of(path: Path, table: str) -> list[int]:
    with duckdb.connect(str(path), read_only=True) as con:
        select = "select distinct block_id from pragma_storage_info($1) where persistent and block_id >= 0 order by 1"
        return [number for (number,) in con.execute(select, [table]).fetchall()]


def flip(path: Path, block: int) -> None:
    content = bytearray(path.read_bytes())
    content[HEADERS + block * BLOCK + BLOCK // 2] ^= 4
    path.write_bytes(content)


def published(path: Path) -> store.Snapshot:
    with connect(path) as con:
        assert con.execute("select count(*), sum(day) from meta.read").fetchall() == [(200_000, 19_999_900_000)]
        return store.publish(con, path, path.parent / "snapshots", build_id="1", now=datetime(2026, 9, 2, tzinfo=UTC))


def test_a_broken_block_that_no_build_read_is_not_published(working_file):
    """The checksums are DuckDB's own: here it also shows when a newer one writes another form."""
    assert not has_broken_blocks(working_file)
    flip(working_file, blocks_of(working_file, "meta.unread")[-1])
    assert has_broken_blocks(working_file)
    with pytest.raises(WarehouseDamagedError, match="is set aside"):
        published(working_file)
    assert store.read_pointer(working_file.parent / "snapshots") is None
    with connect(working_file) as con:
        assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]


def test_a_broken_block_that_is_in_use_no_more_is_nothing(working_file):
    free = blocks_of(working_file, "meta.gone")[0]
    with connect(working_file) as con:
        con.execute("drop table meta.gone")
    flip(working_file, free)
    assert has_broken_blocks(working_file)
    assert published(working_file).path.exists()

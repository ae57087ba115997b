"""A load that unpacks to more than memory, or tells of more than it holds, is set aside by name; the others come in."""

from __future__ import annotations

import hashlib
import json
import resource
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.core.settings import Settings
from opsmetrics.landing import Batch, compact, damaged_paths, land, load_paths, names
from opsmetrics.landing.backup_copies import repair_loads
from opsmetrics.landing.loads import FACTS_KEY, SEPARATOR
from opsmetrics.landing.unpacking import MOST_BYTES, MOST_CELLS
from opsmetrics.warehouse import connect, ingest
from tests.conftest import settings_in

STREAM = "deployments"
NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)


def load_of(root: Path, number: int) -> Path:
    from tests.resilience.crashing import batch_of  # noqa: PLC0415 - loads pandas, which takes a second

    batch = batch_of(number, date(2026, 5, 1 + number))
    return land(root, STREAM, batch, loaded_at=datetime(2026, 5, 1 + number, 9, tzinfo=UTC)).path


def forged(path: Path, table: pa.Table, changes: dict | None = None) -> Path:
    """Write a load again as whoever can write to a backup can: with a checksum that is right."""
    facts = json.loads(pq.read_schema(path).metadata[FACTS_KEY.encode()])
    facts |= {"rows": table.num_rows} | (changes or {})
    draft = path.with_name("draft")
    table = table.replace_schema_metadata()
    with pq.ParquetWriter(draft, table.schema, compression="zstd", store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({FACTS_KEY: json.dumps(facts)})
    digest = hashlib.sha256(draft.read_bytes()).hexdigest()[:16]
    path.unlink()
    return draft.rename(path.with_name(path.name.partition(SEPARATOR)[0] + f"{SEPARATOR}{digest}.parquet"))


def with_text(path: Path, rows: int, length: int) -> pa.Table:
    """Rows that all have the same long text, which the file holds once."""
    table = pq.read_table(path)
    same = {
        name: pa.array([table[name][0].as_py()], table.schema.field(name).type).take(pa.array([0] * rows))
        for name in table.column_names
    }
    same["deployment_id"] = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * length])
    return pa.table(same)


def long_texts(path: Path) -> Path:
    return forged(path, with_text(path, MOST_BYTES // 20_000 + 1, 20_000))


def many_cells(path: Path) -> Path:
    table = pq.read_table(path)
    nothing = pa.nulls(MOST_CELLS // 6 + 1, pa.int8())
    return forged(path, pa.table(dict.fromkeys(table.column_names, nothing)))


def other_rows(path: Path) -> Path:
    return forged(path, pq.read_table(path), {"rows": 7})


def many_days(path: Path) -> Path:
    return forged(path, pq.read_table(path), {"unproven": [["0001-01-01", "9999-12-31", "silent"]] * 2000})


def other_types(path: Path) -> Path:
    table = pq.read_table(path)
    return forged(path, table.set_column(2, "_day", pa.array(["yesterday"] * table.num_rows)))


def other_reasons(path: Path) -> Path:
    """Rows that are set aside, where the facts tell of none."""
    table = pq.read_table(path)
    return forged(path, table.set_column(4, "_reason", pa.array(["why not"] * table.num_rows)))


SAID = {
    long_texts: "unpacks to more than a load may hold",
    many_cells: "unpacks to more than a load may hold",
    other_rows: "does not hold the 7 rows",
    many_days: "tells of more than 366000 days",
    other_types: "its rows are not those of a load",
    other_reasons: "its rows are not those of a load",
}


@pytest.fixture
def settings(tmp_path) -> Settings:
    return replace(settings_in(tmp_path), keep_replaced=None)


@pytest.mark.parametrize("forge", [long_texts, many_cells, other_rows, many_days, other_types, other_reasons])
def test_a_load_that_is_none_of_ours_is_set_aside_alone(settings, forge):
    root = settings.landing
    paths = [load_of(root, number) for number in range(3)]
    bad = forge(paths[1])
    assert bad.stat().st_size < 2_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with connect(settings.warehouse) as con:
        done = ingest(con, root)
        assert con.execute(f"select count(*) from raw.{STREAM}").fetchall() == [(4,)]
    assert [bad.name in text and SAID[forge] in text for text in done.damaged[STREAM]] == [True]
    assert damaged_paths(root, STREAM) == [root / STREAM / "damaged" / bad.name]
    if forge not in {other_types, other_reasons}:
        # Those read whole as a file: only the working file knows better.
        assert repair_loads(settings, [STREAM]) == []
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    assert grown < 1500


@pytest.mark.parametrize("forge", [long_texts, many_cells, other_rows, many_days])
def test_compaction_reads_none_of_it(settings, forge):
    root = settings.landing
    bad = forge([load_of(root, number) for number in range(3)][1])
    done = compact(root, STREAM, NOW)
    assert (done.damaged, done.packed) == ((bad,), 2)
    assert load_paths(root, STREAM) == [bad]


def test_what_a_build_would_refuse_is_never_landed(settings):
    day = date(2026, 5, 1)
    frame = pl.DataFrame({"deployment_id": pl.Series(["x"]).new_from_index(0, 1), "_day": [day]})
    frame = frame.with_columns(_reason=pl.lit(None, pl.String)).select(pl.all().repeat_by(1).explode())
    long = frame.with_columns(_raw=pl.lit("x" * 30_000)).select(
        pl.all().gather(pl.repeat(0, MOST_BYTES // 30_000 + 1, dtype=pl.UInt32))
    )
    batch = Batch(long, (day, day + timedelta(days=1)), "a/file.csv", "1")
    with pytest.raises(SourceError, match=r"a/file\.csv: .* more than a load may hold"):
        land(settings.landing, STREAM, batch, loaded_at=NOW)
    assert names(settings.landing, STREAM) == []


def test_a_folder_with_signs_of_a_pattern_is_itself(tmp_path):
    """``state[1]`` beside ``state1``, ``s*`` beside ``state1``: each knows its own loads."""
    homes = [tmp_path / name for name in ("state1", "state[1]", "s*")]
    for number, home in enumerate(homes):
        path = load_of(home / "landing", 0)
        table = pq.read_table(path)
        ids = pa.array([f"{number}"] * table.num_rows)
        forged(path, table.set_column(0, "deployment_id", ids)).rename(path)
        other = path.with_name(path.name.partition(SEPARATOR)[0] + ".parquet")
        path.rename(other)
    for number, home in enumerate(homes):
        with connect(home / "working.duckdb") as con:
            assert ingest(con, home / "landing").damaged == {}
            assert con.execute(f"select distinct deployment_id from raw.{STREAM}").fetchall() == [(f"{number}",)]

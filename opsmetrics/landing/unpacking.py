"""How much a load may hold once it is unpacked: kilobytes of Parquet may be more than any memory.

Loads of our own never are, because what is landed is held to the same bounds. Those of a backup may be anybody's.
Does not belong here: bounds of what sources deliver (``opsmetrics.sources``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import duckdb
import polars as pl

from opsmetrics.core.atomic import literal
from opsmetrics.core.errors import DamagedLoadError
from opsmetrics.landing.listing import told_apart

MOST_CELLS = 500_000_000
MOST_BYTES = 2 << 30
# A pack holds the loads of a month, each of which is read by itself.
MOST_IN_A_PACK = 20
# What counting takes at most, and the files that it looks at in one go.
_MEMORY = "1GB"
_AT_ONCE = 64


def check_footer(path: Path, rows: int, times: int = 1) -> None:
    """Hold what a file says of its own size against what its facts tell and against the bounds.

    Args:
        path: The file.
        rows: Rows that its facts tell.
        times: How many loads of the largest kind it may hold.

    Raises:
        DamagedLoadError: It holds other rows, or more than a load may.
        VanishedError: It is gone.
        UnreadableError: The system does not let us read it.
    """
    import pyarrow.parquet as pq

    with told_apart(path), path.open("rb") as content:
        footer = pq.read_metadata(content)
        size = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
    if footer.num_rows != rows:
        raise DamagedLoadError(path, f"it does not hold the {rows} rows that were landed")
    if footer.num_rows * footer.num_columns > MOST_CELLS * times or size > MOST_BYTES * times:
        raise _error(path)


def check_frame(frame: pl.DataFrame) -> str | None:
    """Return why a frame cannot be landed: what builds refuse must never lie in landing."""
    texts = frame.select(pl.col(pl.String).str.len_bytes().sum()).row(0) if frame.width else ()
    if frame.height * frame.width > MOST_CELLS or sum(map(int, filter(None, texts))) > MOST_BYTES:
        return f"{frame.height} rows are more than a load may hold"
    return None


def overfull(paths: Sequence[Path], times: int = 1) -> Iterator[DamagedLoadError]:
    """Yield an error for each file whose texts unpack to more than a load may hold, whatever its footer says.

    Values that stand once in a file may stand in millions of rows: lengths are counted, within bounded memory.

    Raises:
        UnreadableError: The system does not let us read one.
    """
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        try:
            sizes = _sizes(some)
        except duckdb.Error:
            # One of them cannot be counted; each tells for itself.
            yield from (error for path in some if (error := _overfull(path, times)) is not None)
        else:
            yield from (_error(path) for path in some if sizes[str(path)] > MOST_BYTES * times)


def _overfull(path: Path, times: int) -> DamagedLoadError | None:
    try:
        with told_apart(path):
            if not path.exists():
                # It was packed or moved meanwhile, which is for the caller to find.
                return None
            try:
                size = _sizes([path])[str(path)]
            except duckdb.OutOfMemoryException as error:
                # "(953.6 MiB/953.6 MiB used)": it is the bound, not the machine.
                if "used)" in str(error):
                    return _error(path)
                raise
    except DamagedLoadError as error:
        return error
    return _error(path) if size > MOST_BYTES * times else None


def _error(path: Path) -> DamagedLoadError:
    return DamagedLoadError(path, "it unpacks to more than a load may hold")


@cache
def _counter() -> duckdb.DuckDBPyConnection:
    """A database of its own for its bound on memory; one a process, because to open it takes longer than to count."""
    return duckdb.connect(":memory:", config={"memory_limit": _MEMORY, "temp_directory": "", "threads": 2})


def _sizes(paths: Sequence[Path]) -> dict[str, int]:
    """Return the bytes of text in each file.

    Raises:
        duckdb.Error: They cannot be counted, or not within the memory.
    """
    named = [str(path) for path in paths]
    with _counter().cursor() as con:
        files = con.read_parquet([literal(path) for path in paths], filename=True, union_by_name=True)
        texts = [
            f"""coalesce(sum(strlen("{name.replace('"', '""')}")), 0)"""
            for name, kind in zip(files.columns, files.types, strict=True)
            if kind == "VARCHAR" and name != "filename"
        ]
        counted = files.aggregate(f"filename, ({' + '.join(texts) or '0'})::bigint", "filename").fetchall()
    return dict.fromkeys(named, 0) | dict(counted)

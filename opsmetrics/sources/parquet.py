"""Read Parquet: only the wanted columns, within bounds, and every type brought to one of those that contracts know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from opsmetrics.core.errors import is_out_of_memory
from opsmetrics.sources.raw_table import LIST, NUL, OBJECT, RawTable, check_names, folded, unreadable

if TYPE_CHECKING:
    import pyarrow as pa

# Decoded, a small file can be larger than any memory: bounds on cells and on text, known before either is read.
MAX_CELLS = 50_000_000
MAX_TEXT_BYTES = 1024**3
_PER_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
# Days since 1970 of 0001-01-02 and 9999-12-30: what any zone still shows as a year of four digits.
_FIRST, _LAST = -719_161, 2_932_895


def parquet_names(path: Path) -> tuple[tuple[str, ...], int]:
    """Return the names of a Parquet file's columns, and how many rows it has; none of what is no Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError):
        return (), 0


def read_parquet(path: Path, wanted: frozenset[str]) -> RawTable:
    """Read a Parquet file.

    Args:
        path: The file.
        wanted: Folded names of the columns to keep.

    Raises:
        SourceError: It is no Parquet file, is cut off, or is larger than memory once decoded.
        MemoryError: There is not as much memory as it takes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
        check_names(path, schema.names)
        kept = [name for name in schema.names if folded(name) in wanted]
        if rows * max(len(kept), 1) > MAX_CELLS:
            raise unreadable(path, None, f"the file holds {rows} rows, more than are read at once", "split it by day")
        texts = [name for name in kept if _is_text(schema.field(name).type)]
        if texts and _decoded_bytes(path, texts) > MAX_TEXT_BYTES:
            message = f"the file holds more than {MAX_TEXT_BYTES} bytes of text once decoded"
            raise unreadable(path, None, message, "look at what wrote it, or split it by day")
        frame = pl.read_parquet(path, columns=kept, glob=False) if kept else pl.DataFrame()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, OSError) as error:
        if is_out_of_memory(error):
            raise MemoryError from error  # the file is whole
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        message, fix = f"no readable Parquet file ({reason})", "it may be cut off: export it again"
        raise unreadable(path, None, message, fix) from error
    data: dict[str, pl.Series] = {}
    odd: dict[str, pl.Series] = {}
    for series in frame:
        data[series.name], what = known_type(series)
        if what is not None:
            odd[series.name] = what
    height = frame.height if kept else rows
    lines = pl.int_range(1, height + 1, dtype=pl.Int64, eager=True)
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, height)
    return RawTable(tuple(schema.names), pl.DataFrame(data), lines, nothing, odd)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _decoded_bytes(path: Path, texts: list[str]) -> int:
    """Return what text columns take once decoded; counting stops beyond the bound.

    A value that stands once in the file may stand in a million rows: lengths are counted, values are not.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    total = 0
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        chunks = (file.metadata.row_group(group) for group in range(file.metadata.num_row_groups))
        total = sum(chunk.total_byte_size for chunk in chunks)
        if total > MAX_TEXT_BYTES:
            return total
        total = 0
        for batch in file.iter_batches(columns=texts):
            for column in batch.columns:
                # Not by way of NumPy: pyarrow imports pandas for that, in the process of every file anew.
                lengths = pc.call_function("binary_length", [column.dictionary])
                each = pc.call_function("take", [lengths, column.indices.drop_null()])
                total += pc.call_function("sum", [each]).as_py() or 0
            if total > MAX_TEXT_BYTES:
                break
    return total


def known_type(series: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Bring a column to a type that contracts know.

    Returns:
        Text, Boolean, number, date or timestamp; and, per row, what a cell is that no column can hold, or None.
    """
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        return _timestamps(series, dtype)
    if dtype == pl.Date:
        return _where(series, series.to_physical().is_between(_FIRST, _LAST), "a day before year 1 or after year 9999")
    if isinstance(dtype, pl.Categorical | pl.Enum | pl.Null):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        return _where(series, ~series.str.contains("\0", literal=True), NUL)
    if dtype == pl.Boolean or dtype.is_integer() or dtype.is_float():
        return series, None
    if dtype.is_decimal():
        return series.cast(pl.Float64), None
    what = f"a value of the type {_name(dtype)}"
    if isinstance(dtype, pl.List | pl.Array | pl.Struct):
        what = OBJECT if isinstance(dtype, pl.Struct) else LIST
    nothing = pl.Series(series.name, [None], dtype=pl.String).new_from_index(0, len(series))
    return nothing, _marks(series.is_not_null(), what)


def _name(dtype: pl.DataType) -> str:
    return str(dtype).partition("(")[0].lower()


def _timestamps(series: pl.Series, dtype: pl.Datetime) -> tuple[pl.Series, pl.Series | None]:
    per_day = _PER_DAY[dtype.time_unit]
    whole = series.to_physical().is_between(_FIRST * per_day, _LAST * per_day)
    inside, odd = _where(series, whole, "an instant before year 1 or after year 9999")
    return inside.cast(pl.Datetime("us", "UTC" if dtype.time_zone else None)), odd


def _where(series: pl.Series, good: pl.Series, what: str) -> tuple[pl.Series, pl.Series | None]:
    """Blank what is not good, and say what it is."""
    bad = ~good & series.is_not_null()
    if not bad.any():
        return series, None
    blank = pl.select(pl.when(good).then(series)).to_series().alias(series.name)
    return blank, _marks(bad, what)


def _marks(where: pl.Series, what: str) -> pl.Series:
    return pl.select(pl.when(where.fill_null(value=False)).then(pl.lit(what))).to_series()

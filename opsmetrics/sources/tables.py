"""Read CSV, JSON Lines and Parquet files into tables with source line numbers; nothing is guessed.

Text formats give text columns; their typing is ``contract``'s job. A line that cannot be split into cells comes back
with a reason instead of values.
"""

from __future__ import annotations

from pathlib import Path

from opsmetrics.core.errors import SourceError
from opsmetrics.sources.delimited import read_csv
from opsmetrics.sources.json_lines import read_json_lines
from opsmetrics.sources.parquet import read_parquet
from opsmetrics.sources.raw_table import RawTable, unreadable

MAX_FILE_BYTES = 4 * 1024**3
READERS = {".csv": read_csv, ".jsonl": read_json_lines, ".ndjson": read_json_lines, ".parquet": read_parquet}


def read_table(path: Path, wanted: frozenset[str]) -> RawTable:
    """Read one file.

    Args:
        path: The file.
        wanted: Columns to keep, as :func:`opsmetrics.sources.raw_table.folded` writes their names.

    Raises:
        SourceError: The file is missing, empty, too large, not UTF-8, of unknown format or truncated.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise unreadable(path, None, f"unknown format {path.suffix!r}", f"use one of {', '.join(READERS)}")
    if not path.exists():
        raise _missing(path)
    if not path.is_file():
        raise unreadable(path, None, "this is not a file", "name one file in sources.toml; {date} stands for the day")
    size = path.stat().st_size
    if size == 0:
        quiet = "a quiet period still has a header line"
        if reader is read_json_lines:
            quiet = "JSON Lines cannot show a quiet period: write CSV or Parquet, where column names stand without rows"
        raise unreadable(path, None, "the file is empty", f"export it again; {quiet}")
    if size > MAX_FILE_BYTES:
        raise unreadable(path, None, f"the file has {size} bytes, more than {MAX_FILE_BYTES}", "split it by day")
    return reader(path, wanted)


def _missing(path: Path) -> SourceError:
    """Return the error of a file that is not there; where its folder is not, that is what is missing."""
    gone = [folder for folder in path.parents if not folder.exists()]
    if gone:
        return unreadable(
            gone[-1], None, "the folder does not exist", "check path and root in sources.toml, and --data"
        )
    return unreadable(path, None, "the file does not exist", "check path and root in sources.toml")

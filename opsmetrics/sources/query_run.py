"""Run a query over its inputs in a process of its own, and return its rows as any other source's.

Belongs here: preparing the inputs, starting the process, and telling what is wrong in the query's own words. Does not
belong here: what a row must be (``contract``): rows of a query are held against it as rows of a file are.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.sources import query_sandbox
from opsmetrics.sources.border import one_error
from opsmetrics.sources.database_tables import read_table_of
from opsmetrics.sources.file_days import said_to_be_made
from opsmetrics.sources.parquet import known_type
from opsmetrics.sources.query_inputs import (
    LINE,
    RECORD,
    WRITTEN,
    Everything,
    Input,
    InputFile,
    files_of,
    names_there,
    read_files,
    written_at,
)
from opsmetrics.sources.query_tree import QueryTree, parsed
from opsmetrics.sources.raw_table import FILE, RawTable, folded
from opsmetrics.streams import STREAMS

# What the process may take beyond the time of the select: to start, and to read its inputs.
_GRACE_SECONDS = 15
_NARROW = "write less at once: fewer files, or a filter; or raise -- memory_mb and -- seconds in the header"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gave.

    Attributes:
        table: Its rows, and those of its inputs that could not be split.
        is_whole: Whether all rows of all inputs were read.
        tree: What stands in it.
        names: All columns that it gave.
    """

    table: RawTable
    is_whole: bool
    tree: QueryTree
    names: tuple[str, ...]


def answer(query: QuerySource, bases: tuple[Path, ...], here: str, *, most_rows: int | None = None) -> Answer:
    """Run a query.

    Args:
        query: The query.
        bases: Folders that its paths begin in.
        here: Its file, for messages.
        most_rows: Rows to read of each input file; None for all.

    Raises:
        SourceError: It is no select of its inputs, one of them cannot be read, or it breaks its limits.
    """
    tree = parsed(query, here)
    found = files_of(query, bases, here)
    wanted = Everything() if tree.columns is None else frozenset(map(folded, tree.columns))
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as folder:
        named = tree.named if tree.columns is not None else tree.named | {*STREAMS[query.name].names}
        inputs = {name: _read(query, name, found, wanted, most_rows, named) for name in sorted(tree.inputs)}
        result = _run(query, inputs, tree, Path(folder), here, found)
    is_whole = all(each.is_whole for each in inputs.values())
    broken = [row for each in inputs.values() for row in each.broken]
    return Answer(_table(result, broken), is_whole, tree, tuple(result.columns))


def _read(
    query: QuerySource,
    name: str,
    found: Mapping[str, list[InputFile]],
    wanted: Container[str],
    most_rows: int | None,
    named: frozenset[str],
) -> Input:
    if name in found:
        with one_error(found[name][0].name):
            return read_files(query.files[name], found[name], wanted, most_rows, named)
    return Input(read_table_of(query.tables[name], wanted, most_rows))


def _run(
    query: QuerySource,
    inputs: Mapping[str, Input],
    tree: QueryTree,
    folder: Path,
    here: str,
    found: Mapping[str, list[InputFile]],
) -> pl.DataFrame:
    """Return the rows of the select."""
    out = folder / "out.parquet"
    job = {
        "sql": query.sql,
        "out": str(out),
        "memory_mb": query.memory_mb,
        "seconds": query.seconds,
        "naive_time": query.naive_time,
        "inputs": {name: _parts(name, each, inputs, tree, folder) for name, each in inputs.items()},
        "names": {file.name: said_to_be_made(file.name, written_at(file.path).date()) for file in _all(found)},
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    try:
        done = carried_out(path, query.seconds + _GRACE_SECONDS)
        ended = {0: done.stdout, -signal.SIGXCPU: '{"kind": "late"}'}
        said = json.loads(ended.get(done.returncode, '{"kind": "died"}'))
    except subprocess.TimeoutExpired:
        said = {"kind": "late"}
    if said["kind"] != "ok":
        raise SourceError(_problem(said, query, here, lambda: names_there(query, found)))
    return pl.read_parquet(out, glob=False)


def carried_out(job: Path, seconds: int) -> subprocess.CompletedProcess[bytes]:
    """Start the process of a job, in the job's folder, and wait for its end."""
    # Isolated: neither variables nor the folder that we stand in decide what it imports.
    command = [sys.executable, "-I", query_sandbox.__file__, str(job)]
    return subprocess.run(command, capture_output=True, timeout=seconds, check=False, env={}, cwd=job.parent)  # noqa: S603 - our own script


def _parts(name: str, each: Input, inputs: Mapping[str, Input], tree: QueryTree, folder: Path) -> list[dict[str, str]]:
    """Return the files that make up an input for the select."""
    if each.frame is None:
        return [{"path": str(file.path), "name": file.name, "written": _written(file.path)} for file in each.parquet]
    frame = each.frame
    if each.is_open and tree.columns is not None:
        others = {
            folded(column) for other in inputs.values() if other.frame is not None for column in other.frame.columns
        }
        missing = sorted(column for column in tree.columns if folded(column) not in others)
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(column) for column in missing)
    path = folder / f"{name}.parquet"
    frame.write_parquet(path, compression="lz4")
    return [{"path": str(path)}]


def _all(found: Mapping[str, list[InputFile]]) -> Iterator[InputFile]:
    return (file for files in found.values() for file in files)


def _written(path: Path) -> str:
    return written_at(path).isoformat(timespec="seconds")


def _problem(said: Mapping[str, Any], query: QuerySource, here: str, names: Callable[[], str]) -> Problem:
    """Return what is wrong, without what a row holds."""
    line = said.get("line")
    match said["kind"]:
        case "late" | "InterruptException":
            return Problem(here, None, f"the query took longer than {query.seconds} seconds", _NARROW)
        case "input":
            message = f"the files of {said['message']!r} are no readable Parquet, or differ in the types of a column"
            return Problem(here, None, message, "they may be cut off: export them again")
        case "died" | "OutOfMemoryException":
            message = f"the query wanted more than {query.memory_mb} MB of memory, or much more time than it has"
            return Problem(here, None, message, _NARROW)
        case "ParserException" | "BinderException" | "CatalogException":
            fix = "correct the select; names of columns are those of the files' headers, in double quotes where needed"
            return Problem(here, line, str(said["message"]), fix + names())
        case "ConversionException" | "InvalidInputException" | "OutOfRangeException":
            return Problem(here, line, *_unreadable_value(said))
        case kind:
            return Problem(here, line, f"the select cannot be carried out ({kind})", "look at what it asks for")


def _unreadable_value(said: Mapping[str, Any]) -> tuple[str, str]:
    """Message and fix for a value that an expression of the select cannot read, without the value."""
    column, place = said.get("column"), said.get("place")
    if said.get("is_json"):
        fix = f'write case when json_valid("{column}") then ... else "{column}" end around what asks it'
        return f"{column!r} is no JSON in {place}", fix
    where = f"a value of {column!r} ({place})" if column else "a value of the files"
    fix = "read it with instant(), instant_of_ms(), mapped() or matched(): these keep what they cannot read"
    return f"{where} cannot be read as this expression wants it", fix


def _table(result: pl.DataFrame, broken: Sequence[tuple[str, int, str]]) -> RawTable:
    """Return rows of a select as those of a file: lines and files where it tells them, else the rows' numbers."""
    height, count = result.height, len(broken)
    lines = result[LINE] if LINE in result.columns else pl.int_range(1, height + 1, eager=True)
    lines = pl.concat(
        [lines.cast(pl.Int64, strict=False).fill_null(0), pl.Series([line for _, line, _ in broken], dtype=pl.Int64)]
    )
    told = result[FILE] if FILE in result.columns else pl.Series([None], dtype=pl.String).new_from_index(0, height)
    files = pl.concat([told.cast(pl.String), pl.Series([file for file, _, _ in broken], dtype=pl.String)])
    reasons = [*([None] * height), *(reason for _, _, reason in broken)]
    # What the inputs have beside their files' columns is none of the source's, as `select *` gives it on.
    names = [name for name in result.columns if name not in {FILE, LINE, WRITTEN, RECORD}]
    data: dict[str, pl.Series] = {}
    odd: dict[str, pl.Series] = {}
    for name in names:
        data[name], what = known_type(result[name])
        data[name] = data[name].extend_constant(None, count)
        if what is not None:
            odd[name] = what.extend_constant(None, count)
    frame = pl.DataFrame(data) if data else pl.DataFrame()
    return RawTable(tuple(names), frame, lines.alias("line"), pl.Series("broken", reasons, dtype=pl.String), odd, files)

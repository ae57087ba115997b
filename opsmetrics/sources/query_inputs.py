"""What a query reads: its files below the configured folders, each row as text with the file and line it stands in.

Cells of CSV, JSON, workbooks and databases are text, as they are written there; those of Parquet keep their type. Rows
that cannot be split into cells never reach the select: they are kept apart with a reason.
Does not belong here: the select itself (``query_run``).
"""

from __future__ import annotations

import codecs
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.places import pattern_of
from opsmetrics.organisation.queries import QueryFiles, QuerySource
from opsmetrics.sources.calendars import read_calendar
from opsmetrics.sources.database_tables import read_sqlite
from opsmetrics.sources.delimited import Dialect, read_csv
from opsmetrics.sources.file_days import said_to_be_made
from opsmetrics.sources.input_heads import Head, refuse_lacking, respelled, spelling
from opsmetrics.sources.json_lines import json_cell, object_of, parsed_json
from opsmetrics.sources.json_pages import says_more
from opsmetrics.sources.parquet import parquet_names
from opsmetrics.sources.raw_table import (
    FILE,
    LIST,
    OBJECT,
    SURROGATE,
    Collector,
    RawTable,
    folded,
    numbered_lines,
    unreadable,
)
from opsmetrics.sources.sheets import read_sheet, sheets_like
from opsmetrics.sources.tables import MAX_FILE_BYTES

# Columns that every input has beside its file: line (of JSON, Parquet, workbooks and tables: number of the record),
# instant at which the file was written, and of JSON the whole record.
LINE, WRITTEN, RECORD = "_line", "_modified_at", "_json"
MAX_FILES = 10_000
# Of columns that a message names.
_MOST_NAMES = 20
# A JSON file is held as a whole while it is read.
MAX_JSON_BYTES = 512 * 1024**2
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class Everything(Container[str]):
    """All names of columns."""

    def __contains__(self, _name: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of a query.

    Attributes:
        path: Where it is; links are followed.
        name: Path below the folder that the query names it from.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Input:
    """One table of a query.

    Attributes:
        frame: Its rows; None of Parquet, which the select reads itself.
        parquet: Files of Parquet.
        broken: Rows that could not be split: file, line and reason.
        is_open: Whether columns that no record has are to be taken as empty: a file of JSON or a calendar without any
            that could be read.
        is_whole: Whether all rows were read.
    """

    frame: pl.DataFrame | None = None
    parquet: tuple[InputFile, ...] = ()
    broken: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])
    is_open: bool = False
    is_whole: bool = True


def files_of(query: QuerySource, bases: tuple[Path, ...], here: str) -> dict[str, list[InputFile]]:
    """Return the files of each input of a query, by name of the input.

    Args:
        query: The query.
        bases: Folders that its paths begin in: the root of sources.toml and the configuration's own.
        here: The query's file, for messages.

    Raises:
        SourceError: A path leads out of these folders, or there is no such file.
    """
    return {name: _matched(name, files, bases, here) for name, files in query.files.items()}


def _matched(name: str, files: QueryFiles, bases: tuple[Path, ...], here: str) -> list[InputFile]:
    pattern = Path(files.path)
    if pattern.is_absolute() or ".." in pattern.parts:
        message = f"{name}: the path {files.path!r} leads out of the configured folder"
        raise SourceError(Problem(here, None, message, "write it from `root` of sources.toml on, without .."))
    for base in bases:
        found = [path for path in _glob(base, files.path) if path.is_file()]
        if len(found) > MAX_FILES:
            message = f"{name}: {files.path!r} names more than {MAX_FILES} files"
            raise SourceError(Problem(here, None, message, "name fewer, by year or by month"))
        strays = [path for path in found if not path.resolve().is_relative_to(base.resolve())]
        if strays:
            message = f"{name}: {strays[0].relative_to(base)} is a link that leads out of the configured folder"
            raise SourceError(Problem(here, None, message, "copy the file into the folder"))
        if found:
            named = [InputFile(path.resolve(), path.relative_to(base).as_posix()) for path in found]
            return [max(named, key=made_at)] if files.newest else named
    where = " or ".join(dict.fromkeys(str(base) for base in bases))
    message = f"{name}: there is no file {files.path!r} in {where}"
    raise SourceError(Problem(here, None, message, "check path and root, or name the folder with --data"))


def made_at(file: InputFile) -> tuple[tuple[str, str], datetime]:
    """Return what orders the files of an input: when they were made by their names, and else by their own time."""
    written = written_at(file.path)
    return said_to_be_made(file.name, written.date()), written


def is_meant(path: Path, pattern: str) -> bool:
    """Whether a file that fits a pattern is one of its files, not what an open program or an archive leaves there."""
    return not path.name.startswith((".", "~$")) or Path(pattern).name.startswith((".", "~$"))


def _glob(base: Path, pattern: str) -> list[Path]:
    """Return the files that a pattern names, by name; a plain name is taken as it is, whatever signs it holds."""
    plain = base / pattern
    if plain.is_file():
        return [plain]
    if not base.is_dir():
        return []
    return sorted(path for path in base.glob(pattern_of(pattern)) if is_meant(path, pattern))


def names_there(query: QuerySource, found: Mapping[str, list[InputFile]]) -> str:
    """Return the columns that the files of each input have, as the end of a sentence; empty where nobody can tell."""
    said: list[str] = []
    for name, files in found.items():
        with suppress(SourceError):
            frame = read_files(query.files[name], files[:1], Everything(), 1).frame
            if frame is None:
                continue
            names = [column for column in frame.columns if column not in {FILE, LINE, WRITTEN, RECORD}]
            said.append(f"; {name} has {', '.join(names[:_MOST_NAMES])}{', ...' if len(names) > _MOST_NAMES else ''}")
            lists = [key for key in names if str(frame[key][0]).startswith("[{")]
            if query.files[name].kind == "json" and frame.height == 1 and lists:
                said.append(f'; its rows may be those of a list: write records = "{lists[0]}" in the header')
    return "".join(said)


def content_digest(files: dict[str, list[InputFile]]) -> str:
    """Digest of the bytes and names of all files of a query."""
    total = hashlib.sha256()
    for name in sorted(files):
        for file in files[name]:
            total.update(f"{name}\0{file.name}\0".encode())
            with file.path.open("rb") as content:
                total.update(hashlib.file_digest(content, "sha256").digest())
    return total.hexdigest()


def read_files(
    files: QueryFiles,
    found: list[InputFile],
    wanted: Container[str],
    most_rows: int | None,
    named: frozenset[str] = frozenset(),
) -> Input:
    """Read the files of one input.

    Args:
        files: How they are written.
        found: The files.
        wanted: Folded names of the columns that the select may name.
        most_rows: Rows to read of each file; None for all.
        named: Names of columns that the select may mean, as it spells them: no file may be without one that another
            has, and a column that is spelled otherwise is called so.

    Raises:
        SourceError: A file cannot be read, or lacks a column that another one has.
    """
    if files.kind == "parquet":
        heads = [(file, *parquet_names(file.path)) for file in found] if len(found) > 1 else []
        refuse_lacking(files, [Head(file.path, names, has_rows=rows > 0) for file, names, rows in heads], named)
        return Input(parquet=tuple(found))
    pieces = [(file, each) for file in found for each in _pieces(files, file, named)]
    tables = [(file, *_table(file, _reader(each, wanted))) for file, each in pieces]
    for file, table, _ in tables:
        _refuse_cut_off(files, file.path, table.height)
    heads = [
        Head(_place(files, file, each), table.names, has_rows=table.height > 0, usual=table.usual)
        for (file, each), (_, table, _) in zip(pieces, tables, strict=True)
    ]
    refuse_lacking(files, heads, named)
    spelled = spelling(named, (table for _, table, _ in tables))
    tables = [(file, respelled(table, spelled), written) for file, table, written in tables]
    is_open = files.kind in {"json", "jsonl", "calendar"} and all(
        table.broken.null_count() == 0 for _, table, _ in tables
    )
    frames = [_framed(file, table, written, most_rows) for file, table, written in tables]
    broken = [
        (file.name, line, reason)
        for file, table, _ in tables
        for line, reason in zip(table.lines, table.broken, strict=True)
        if reason is not None
    ]
    is_whole = most_rows is None or all(table.height <= most_rows for _, table, _ in tables)
    frame = pl.concat(frames, how="diagonal")
    there = set(map(folded, frame.columns))
    absent = [spelled.get(folded(name), name) for name in files.may_lack if folded(name) not in there]
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    return Input(frame, broken=broken, is_open=is_open, is_whole=is_whole)


def _pieces(files: QueryFiles, file: InputFile, named: frozenset[str]) -> list[QueryFiles]:
    """Return what is read of a file: where its sheet is a pattern, each sheet that it names."""
    if files.sheet is None or "*" not in files.sheet:
        return [files]
    asked = frozenset(map(folded, named)) or Everything()
    return [
        files.model_copy(update={"sheet": sheet})
        for sheet in sheets_like(file.path, files.sheet, files.skip_lines or 0, asked)
    ]


def _place(files: QueryFiles, file: InputFile, each: QueryFiles) -> Path:
    """Return a file for messages, with its sheet where there are several."""
    return file.path if files.sheet == each.sheet else file.path.with_name(f"{file.path.name} ({each.sheet})")


def _refuse_cut_off(files: QueryFiles, path: Path, rows: int) -> None:
    """Refuse a file with just as many records as its tool gives at once: what is beyond would be silence."""
    if rows in files.cut_at:
        message = f"the file has {rows} records, as many as the tool exports at once: the others are missing"
        fix = "export fewer days at once, or raise its limit; if the file is whole, change cut_at in the query's header"
        raise unreadable(path, None, message, fix)


Reader = Callable[[Path], RawTable]


def _table(file: InputFile, reader: Reader) -> tuple[RawTable, str]:
    size = file.path.stat().st_size
    if size > MAX_FILE_BYTES:
        message = f"the file has {size} bytes, more than {MAX_FILE_BYTES}"
        raise unreadable(file.path, None, message, "split it by month")
    if size == 0:
        fix = "export it again; a quiet period still has a header line"
        raise unreadable(file.path, None, "the file is empty", fix)
    return reader(file.path), written_at(file.path).isoformat(timespec="seconds")


def written_at(path: Path) -> datetime:
    """Return when a file was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)


def _framed(file: InputFile, table: RawTable, written: str, most_rows: int | None) -> pl.DataFrame:
    """Return the rows that could be split, and where they stand."""
    place = {FILE: pl.lit(file.name), LINE: table.lines, WRITTEN: pl.lit(written)}
    taken = {folded(name) for name in place}
    data = table.data.select(name for name in table.data.columns if folded(name) not in taken)
    rows = data.with_columns(**place) if data.columns else pl.DataFrame({LINE: table.lines}).with_columns(**place)
    rows = rows.filter(table.broken.is_null())
    return rows if most_rows is None else rows.head(most_rows)


def _reader(files: QueryFiles, wanted: Container[str]) -> Reader:
    """Return how a file of an input is read."""
    match files.kind:
        case "csv":
            return lambda path: _csv(path, files, wanted)
        case "json":
            return lambda path: _json(path, files, wanted)
        case "jsonl":
            return lambda path: _json_lines(path, files, wanted)
        case "calendar":
            return lambda path: read_calendar(path, _text(path, files), wanted)
        case "sheet":
            return lambda path: read_sheet(path, files.sheet, files.skip_lines or 0, wanted)
        case _:
            return lambda path: read_sqlite(path, files.table or "", wanted)


def _encoding(path: Path, files: QueryFiles) -> str:
    """Return the encoding that the file's first bytes mark, else the one that is configured.

    A tool changes to UTF-8 from one file to the next: text that is UTF-8 beyond ASCII is of no other encoding.
    """
    with path.open("rb") as content:
        head = content.read(3)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None or files.encoding is None or "utf" in files.encoding:
        return marked or files.encoding or "utf-8"
    return "utf-8" if head.startswith(codecs.BOM_UTF8) or _is_utf8(path) else files.encoding


def _is_utf8(path: Path) -> bool:
    """Whether a file is UTF-8, and more than ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_more = False
    with path.open("rb") as content:
        try:
            while chunk := content.read(1 << 20):
                is_more = not decoder.decode(chunk).isascii() or is_more
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return is_more


def _explained(error: SourceError) -> SourceError:
    """Tell what to write where a file is of another encoding than it was read in."""
    if " at this line" not in error.problem.message:
        return error
    fix = 'say in the header how it is written, such as encoding = "windows-1252", or save it as UTF-8'
    return SourceError(replace(error.problem, fix=fix))


def _csv(path: Path, files: QueryFiles, wanted: Container[str]) -> RawTable:
    dialect = Dialect(
        encoding=_encoding(path, files),
        delimiter=files.delimiter,
        quote='"' if files.quote is None else files.quote,
        skip_lines=files.skip_lines or 0,
        names_repeat=True,
    )
    try:
        return read_csv(path, wanted, dialect)
    except SourceError as error:
        raise _explained(error) from error


def _text(path: Path, files: QueryFiles) -> Iterator[tuple[int, str]]:
    try:
        yield from numbered_lines(path, _encoding(path, files), most_bytes=MAX_JSON_BYTES)
    except SourceError as error:
        raise _explained(error) from error


def _json(path: Path, files: QueryFiles, wanted: Container[str]) -> RawTable:
    """Read a JSON file: each record of its list is a row, or the file itself is the one record."""
    if path.stat().st_size > MAX_JSON_BYTES:
        message = f"the file has more than {MAX_JSON_BYTES} bytes"
        raise unreadable(path, None, message, "export fewer days at once, or write one object a line (.jsonl)")
    try:
        value = parsed_json("".join(line for _, line in _text(path, files)))
    except json.JSONDecodeError as error:
        message = f"no valid JSON ({error.msg})"
        lines = error.msg == "Extra data"
        fix = 'one record a line is format = "jsonl"' if lines else "it may be cut off: export it again"
        raise unreadable(path, error.lineno, message, fix) from error
    except (ValueError, RecursionError) as error:
        # The words of programs for numbers that are none, which JSON does not have.
        said = f": it holds {error}" if f"{error}".lstrip("-") in {"NaN", "Infinity"} else ""
        fix = "write null there" if said else "look at the file and export it again"
        raise unreadable(path, None, f"no valid JSON{said}", fix) from error
    on_the_way: list[Any] = []
    for key in files.records.split(".") if files.records else ():
        on_the_way.append(value)
        if not isinstance(value, dict) or key not in value:
            there = ", ".join(map(str, value)) if isinstance(value, dict) else "no keys"
            message = f"there is no {key!r} where records = {files.records!r} is expected"
            raise unreadable(path, None, message, f"correct records in the header; the file has {there[:200]}")
        value = value[key]
    records = value if isinstance(value, list) else [value]
    if not files.pages and any(says_more(each, records) for each in on_the_way):
        message = "the file is one page of an answer, which says that there are more: the others are missing"
        fix = "ask for all pages; where the others are files beside it, write pages = true at this input in the header"
        raise unreadable(path, None, message, fix)
    return _collected(enumerate(records, 1), wanted)


def _json_lines(path: Path, files: QueryFiles, wanted: Container[str]) -> RawTable:
    def records() -> Iterator[tuple[int, Any]]:
        for line, text in _text(path, files):
            if text.strip():
                try:
                    yield line, parsed_json(text)
                except (ValueError, RecursionError):
                    yield line, ValueError()

    return _collected(records(), wanted)


def _collected(records: Iterator[tuple[int, Any]] | enumerate[Any], wanted: Container[str]) -> RawTable:
    """Return records as rows: texts, numbers as they are spelled, and JSON of what is nested."""
    collector = Collector()
    kept: dict[str, None] = {RECORD: None} if RECORD in wanted else {}
    there = Counter[str]()
    for number, value in records:
        row, reason = ({}, "no valid JSON") if isinstance(value, ValueError) else object_of(value)
        cells: dict[str, str | None] = {RECORD: _nested(value)} if RECORD in wanted and not reason else {}
        there.update(row.keys())
        for name, cell in row.items():
            if folded(name) not in wanted:
                continue
            kept[name] = None
            text, odd = json_cell(cell)
            if odd in {LIST, OBJECT}:
                text = _nested(cell)
            if text is None and odd is not None:
                reason = reason or (SURROGATE if odd in {LIST, OBJECT} else odd)
            cells[name] = text
        collector.add(number, {} if reason else cells, reason)
    table = collector.table(list(there), list(kept))
    return replace(table, usual=frozenset(name for name, times in there.items() if 2 * times > table.height))


def _nested(value: Any) -> str | None:
    """Return JSON of a value; None where it holds text that is none."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text

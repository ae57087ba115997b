"""``opsmetrics check``: the heads of the configured files read as a pull would read them; nothing is landed.

Belongs here: what one file of a source says. Does not belong here: names that lead nowhere across all of them
(``opsmetrics.operations.names_seen``) and the configuration's own text (``opsmetrics.organisation.advice``).
"""

from __future__ import annotations

import difflib
import glob
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation, StreamSource
from opsmetrics.organisation.advice import Finding, line_of
from opsmetrics.organisation.queries import FORMATS, QuerySource
from opsmetrics.recipes.shape import shapes_of
from opsmetrics.sources import files
from opsmetrics.sources.border import one_error
from opsmetrics.sources.claims import reasons
from opsmetrics.sources.contract import Judged
from opsmetrics.sources.file_days import undated
from opsmetrics.sources.query_inputs import LINE, files_of
from opsmetrics.sources.query_run import answer
from opsmetrics.sources.raw_table import FILE
from opsmetrics.streams import STREAMS, Stream

# Of larger files only the head is read: a check is to take seconds.
WHOLE_BYTES, HEAD_BYTES, HEAD_ROWS = 8 << 20, 1 << 20, 5000
_SHOWN = 3
_AT_THE_SOURCE = "correct them at the source"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands in a configured file.

    Attributes:
        source: The file's table in sources.toml.
        frame: Its rows as they would land, or the first of them; of a file that cannot be read, none.
        is_whole: Whether these are all.
        findings: What is wrong with it.
    """

    source: StreamSource
    frame: pl.DataFrame | None = None
    is_whole: bool = False
    findings: list[Finding] = field(default_factory=list[Finding])


def heads(settings: Settings, organisation: Organisation, today: date) -> Iterator[Head]:
    """Read the head of every configured file; of daily files that of the newest."""
    root = files.files_root(organisation, settings.data)
    found = [
        _head(organisation, source, number, root, today) for number, source in enumerate(organisation.sources.stream)
    ]
    found += [query_head(organisation, query, root, today) for query in organisation.queries]
    if root.is_dir():
        yield from found
        return
    # Without its folder no file is there: that is one thing, not one a stream.
    missing = [head for head in found if head.frame is None]
    yield from (head for head in found if head.frame is not None)
    if missing:
        here = organisation.folder / "sources.toml"
        message = f"there is no folder {str(root)!r}, so {len(missing)} streams have no file"
        fix = "write its path as root, or name it with --data"
        problem = Problem(str(here), line_of(organisation.folder, here.name, ("root",)), message, fix)
        yield Head(missing[0].source, findings=[Finding(problem, is_error=True)])
        yield from (replace(head, findings=[]) for head in missing[1:])


def _head(organisation: Organisation, source: StreamSource, number: int, root: Path, today: date) -> Head:
    line = line_of(organisation.folder, "sources.toml", ("stream", number, "path"))
    here = str(organisation.folder / "sources.toml")
    try:
        reading = files.Reading(organisation, source, STREAMS[source.name], root, today)
        path = _newest(reading)
        rows, is_whole = _read(reading, path)
    except SourceError as error:
        problem = error.problem
        if problem.line is None:
            said = problem.message if problem.file == here else f"{problem.file}: {problem.message}"
            problem = Problem(here, line, f"stream {source.name!r}: {said}", _fix(source, problem))
        return Head(source, findings=[Finding(problem, is_error=True)])
    wrong = [*_set_aside(rows.frame, path, here, line), *_idle(rows, path, here, line)]
    wrong += _strays(organisation, source, path.parent, here, line)
    return Head(source, rows.frame.filter(pl.col("_reason").is_null()), is_whole and not source.is_daily, wrong)


def query_head(organisation: Organisation, query: QuerySource, root: Path, today: date) -> Head:
    """Read the head of every file of a query and hold what it makes of them against the contract."""
    stream = STREAMS[query.name]
    reading = files.Reading(organisation, query, stream, root, today)
    path = organisation.folder / query.path
    here = str(path)
    try:
        with one_error(here):
            found = answer(query, reading.bases, here, most_rows=HEAD_ROWS if _is_large(reading, path) else None)
            rows = files.judged(reading, path, found.table)
    except SourceError as error:
        return Head(query, findings=[Finding(error.problem, is_error=True)])
    wrong = [*_strange_columns(rows, stream, here), *_set_aside(rows.frame, path, here, None, query.name)]
    wrong += [_forgiving(here, line) for line in found.tree.forgiving]
    wrong += [_overtaken(here, line) for line in found.tree.overtaken]
    wrong += _beside(organisation, query, reading, here)
    if not {LINE, FILE} <= set(found.names):
        message = "rows that are set aside cannot be found: the select gives no _file and _line"
        wrong.append(Finding(Problem(here, None, message, f"let it begin with: select {FILE}, {LINE},"), False))
    return Head(query, rows.frame.filter(pl.col("_reason").is_null()), found.is_whole, wrong)


def _is_large(reading: files.Reading, path: Path) -> bool:
    return sum(each.stat().st_size for each in files.paths_of(reading, path)) > WHOLE_BYTES


def _strange_columns(rows: Judged, stream: Stream, here: str) -> Iterator[Finding]:
    """Columns of a select that the contract does not know: a mistyped one is not told."""
    for name in rows.dropped:
        near = difflib.get_close_matches(name, stream.names, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"its columns are {', '.join(stream.names)}"
        yield Finding(Problem(here, None, f"the stream {stream.name!r} has no column {name!r}", fix), True)


def _forgiving(here: str, line: int) -> Finding:
    message = "try_cast and try_strptime turn a value that they cannot read into none: it would count as not there"
    fix = "use instant(), day_of(), mapped() or matched(), which keep it, so that its row is set aside"
    return Finding(Problem(here, line, message, fix), False)


def _overtaken(here: str, line: int) -> Finding:
    message = "where comes before the choice of the newest file: what that one leaves out an older one still tells"
    fix = "move the condition of where behind the rank: qualify rank() over (...) = 1 and (...)"
    return Finding(Problem(here, line, message, fix), False)


def _newest(reading: files.Reading) -> Path:
    """Return the file of a source; of daily files the newest.

    Raises:
        SourceError: The path leaves the root, or there is no daily file.
    """
    found = list(files.planned(reading, None))
    if not found:
        fix = "check path, root and the form of the file's names: {date} stands for 2026-01-31"
        raise SourceError(Problem(str(reading.root / reading.source.path), None, "no file of these days exists", fix))
    return found[-1][0]


def _fix(source: StreamSource, problem: Problem) -> str:
    """A fix for what people write that a pull cannot know of."""
    if Path(source.path).suffix.lower() in {".xls", ".xlsx", ".ods"}:
        return "save the sheet as CSV (UTF-8) and name that file"
    return problem.fix


def _read(reading: files.Reading, path: Path) -> tuple[Judged, bool]:
    """Read a file as a pull would, whatever days it covers; of a large one only its first rows."""
    with tempfile.TemporaryDirectory(prefix="opsmetrics-") as folder:
        head = _cut(path, Path(folder))
        try:
            rows = files.read_rows(reading, head or path)
        except SourceError as error:
            problem = error.problem
            raise SourceError(replace(problem, file=problem.file.replace(str(head), str(path)))) from error
        return rows, head is None


def _cut(path: Path, folder: Path) -> Path | None:
    """Write the head of a large file, or nothing where the file is small, missing or cannot be read."""
    try:
        if path.stat().st_size <= WHOLE_BYTES:
            return None
        head = folder / path.name
        if path.suffix.lower() == ".parquet":
            pl.scan_parquet(path, glob=False).head(HEAD_ROWS).collect().write_parquet(head)
        else:
            with path.open("rb") as content:
                text = content.read(HEAD_BYTES)
            head.write_bytes(text[: text.rfind(b"\n") + 1])
    except (OSError, pl.exceptions.PolarsError):
        # The reading itself says what is wrong with it.
        return None
    return head


def _strays(
    organisation: Organisation, source: StreamSource, folder: Path, here: str, line: int | None
) -> Iterator[Finding]:
    """Files beside those of a source that were probably meant to be such, and that nobody reads."""
    before, is_named_by_day, after = Path(source.path).name.partition("{date}")
    if not is_named_by_day:
        fix = f"{before!r} names one day or month: write {{month}} or {{exported}} there, or move them away"
        yield from _unread(organisation, folder, [before], here, line, fix)
        return
    others = [Path(other.path).name for other in organisation.sources.stream]
    strays = [
        path.name
        for path in sorted(folder.iterdir())
        if path.name.lower().startswith(before.lower())
        and path.name.lower().endswith(after.lower())
        and not any(_is_named(path.name, other) for other in others)
    ]
    if strays:
        more = f" and {len(strays) - _SHOWN} more" if len(strays) > _SHOWN else ""
        message = f"nobody reads {', '.join(strays[:_SHOWN])}{more} in {folder}"
        fix = f"name each file by its day, such as {before}2026-01-31{after}, or move it elsewhere"
        yield Finding(Problem(here, line, message, fix), False)


def _beside(organisation: Organisation, query: QuerySource, reading: files.Reading, here: str) -> Iterator[Finding]:
    """Files beside those that a query reads, of other days by their names, and that nobody reads."""
    for name, found in files_of(query, reading.bases, here).items():
        yield from _unread_sheets(query, name, found[0].path, here)
        for folder in sorted({file.path.parent for file in found}):
            names = [file.path.name for file in found if file.path.parent == folder]
            pattern = undated(names[0]) or _with_copies(names[0])
            fix = f"let files.{name} name them too, as in {pattern!r}, or move them away"
            yield from _unread(organisation, folder, names, here, None, fix)


def _unread_sheets(query: QuerySource, name: str, path: Path, here: str) -> Iterator[Finding]:
    """Sheets with the same columns as the one that is read: one for each month."""
    read = query.files[name]
    if read.kind != "sheet" or read.sheet is not None:
        return
    if any(shape.sheet == "*" and shape.skip_lines == (read.skip_lines or 0) for shape in shapes_of(path)):
        message = f"{path} has other sheets with the same columns, and nobody reads them"
        fix = f'write sheet = "*" at files.{name} in the header for all of them, or the name of the one that is meant'
        yield Finding(Problem(here, None, message, fix), False)


def _unread(
    organisation: Organisation, folder: Path, names: list[str], here: str, line: int | None, fix: str
) -> Iterator[Finding]:
    """Files of a folder that are called as others are but for the day, in whatever format, and that no source names."""
    paths = [source.path for source in organisation.sources.stream]
    paths += [each.path for query in organisation.queries for each in query.files.values()]
    known = [re.sub(r"\{\w+\}", "*", path) for path in paths]
    forms = {undated(Path(name).stem) or f"{glob.escape(Path(name).stem)}*" for name in names}
    strays = [
        path.name
        for path in (sorted(folder.iterdir()) if forms and folder.is_dir() else ())
        if path.suffix.lower() in FORMATS
        and undated(path.stem) in forms
        and path.is_file()
        and not any(path.match(name) or path.match(glob.escape(name)) for name in known)
    ]
    if strays:
        more = f" and {len(strays) - _SHOWN} more" if len(strays) > _SHOWN else ""
        message = f"nobody reads {', '.join(strays[:_SHOWN])}{more} in {folder}"
        yield Finding(Problem(here, line, message, fix), False)


def _with_copies(name: str) -> str:
    """Return the pattern of a file's name and of what browsers call the next file of that name: ``inc (1).csv``."""
    path = Path(name)
    return f"{glob.escape(path.stem)}*{glob.escape(path.suffix)}"


def _is_named(name: str, pattern: str) -> bool:
    """Whether a file's name is that of a source, of daily ones on some day."""
    before, is_daily, after = pattern.partition("{date}")
    if not is_daily:
        return name == pattern
    try:
        day = date.fromisoformat(name[len(before) : len(name) - len(after)])
    except ValueError:
        return False
    return name == f"{before}{day.isoformat()}{after}"


def _idle(rows: Judged, path: Path, here: str, line: int | None) -> Iterator[Finding]:
    """Assumptions of which the file knows better."""
    for name in rows.idle:
        message = f"{path} has the column {name!r} itself: what is assumed of it counts for files without it only"
        yield Finding(Problem(here, line, message, "take it out of assume, unless older files lack the column"), False)


def _set_aside(
    frame: pl.DataFrame, path: Path, here: str, line: int | None, query: str | None = None
) -> Iterator[Finding]:
    """Rows that would be set aside; where all would be, nothing is left."""
    counts = reasons(frame)
    if not counts:
        return
    said = "; ".join(f"{each.text} ({each.rows})" for each in counts[:_SHOWN])
    aside = sum(each.rows for each in counts)
    is_all = aside == frame.height
    count = "all" if is_all else f"{aside} of {frame.height}"
    message = f"{count} rows looked at would be set aside: {said}"
    if "naive_time" in said:
        where = "in the header" if query else "at the stream"
        fix = f'name the zone of the source {where}: naive_time = "Europe/Oslo"'
        yield Finding(Problem(here, line, f"{path}: {message}", fix), is_all)
    else:
        first = min(counts, key=lambda each: each.line)
        fix = (
            f"look at them with opsmetrics source try {query}, and correct the query or the export"
            if query
            else _AT_THE_SOURCE
        )
        yield Finding(Problem(first.file or str(path), first.line, message, fix), is_all)

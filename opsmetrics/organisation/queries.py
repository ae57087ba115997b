"""``sources/<stream>.sql``: one select that makes the rows of a stream out of files or of tables of a database.

Belongs here: the header of such a file, and that its name is that of a stream. Does not belong here: what the select
says and what comes of it (``opsmetrics.sources``).
"""

from __future__ import annotations

import codecs
import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints, model_validator

from opsmetrics.core import words
from opsmetrics.core.model import Model, Slug
from opsmetrics.core.sqlheader import HeaderError, header_text, read_header
from opsmetrics.organisation.connectors.base import Connector, Variable
from opsmetrics.organisation.file_sources import READ, StreamSource
from opsmetrics.streams import FILES, STREAMS

ModelT = TypeVar("ModelT", bound=BaseModel)

FOLDER = "sources"
Format = Literal["csv", "json", "jsonl", "parquet", "sheet", "sqlite", "calendar"]
FORMATS: dict[str, Format] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".log"), "csv"),
    ".json": "json",
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    ".parquet": "parquet",
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "sheet"),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), "sqlite"),
    ".ics": "calendar",
}
# Setting -> formats that it says something of.
_OF: dict[str, tuple[Format, ...]] = {
    "encoding": ("csv", "json", "jsonl", "calendar"),
    "delimiter": ("csv",),
    "quote": ("csv",),
    "skip_lines": ("csv", "sheet"),
    "records": ("json",),
    "pages": ("json",),
    "sheet": ("sheet",),
    "table": ("sqlite",),
}
# What the select says itself, or what follows from the file's name.
_IN_THE_SELECT = {"columns", "assume"}
_IN_THE_NAME = {"name", "path"}
# What is of daily files.
_OF_DAILY = {"cut"}


def _text_encoding(name: str) -> str:
    """Refuse codecs that are none of text, such as ``zip``."""
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"{name!r} is not an encoding; write utf-8, utf-16, windows-1252 or latin-1") from error


Table = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$")]


class QueryFiles(Model):
    """Files that a query reads as one table.

    Attributes:
        path: Path below the root or below the configuration's folder; ``*``, ``?``, ``[ab]`` and ``**`` name several.
        format: What they are, where their names do not tell it.
        encoding: Of text that is not UTF-8; UTF-16 is known by the mark that such a file begins with.
        delimiter: Between the cells of a CSV file; default: of comma, semicolon and tab the one that the header has
            most of.
        quote: Around cells of a CSV file that hold a delimiter; empty for none.
        skip_lines: Lines before the header.
        records: Where in a JSON file the list of records is: keys with dots between; default: the whole file.
        sheet: Of a workbook; default its first that is not hidden. With ``*`` all that are called so, such as one for
            each month.
        table: Of a SQLite file.
        cut_at: Numbers of records at which the tool cuts an export off: a file of just so many is refused.
        pages: Whether JSON files are the pages of one answer: one that says that there are more is refused otherwise.
        newest: Whether each file is all there is, so that only the newest is read.
        may_lack: Columns that some of the files, or all, may be without: their rows have nothing there.
    """

    path: str = Field(min_length=1)
    format: Format | None = None
    encoding: Annotated[str, AfterValidator(_text_encoding)] | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, StringConstraints(max_length=1)] | None = None
    skip_lines: int | None = Field(default=None, ge=0, le=1000)
    records: Annotated[str, StringConstraints(min_length=1)] | None = None
    sheet: Annotated[str, StringConstraints(min_length=1)] | None = None
    table: Table | None = None
    cut_at: list[Annotated[int, Field(ge=1)]] = []
    pages: bool | None = None
    newest: bool = False
    may_lack: list[Annotated[str, StringConstraints(min_length=1)]] = []

    @model_validator(mode="after")
    def _fits(self) -> QueryFiles:
        kind = self.kind
        if kind is None:
            known = ", ".join(FORMATS)
            fix = f'write format = "csv" if it is text with columns, or save it as one of {known}'
            raise ValueError(f"{self.path!r} does not tell its format; {fix}")
        for name, formats in _OF.items():
            if getattr(self, name) is not None and kind not in formats:
                raise ValueError(f"{name} says nothing of {kind}")
        if kind == "sqlite" and self.table is None:
            raise ValueError('a SQLite file needs table = "..."')
        return self

    @property
    def kind(self) -> Format | None:
        """What the files are."""
        return self.format or FORMATS.get(Path(self.path).suffix.lower())


class QueryTable(Model):
    """A table of a database that a query reads.

    Attributes:
        connection_env: Environment variable with the address: ``postgresql://...`` or ``mysql://...``.
        table: Table or view, with its schema where it needs one.
        tls: Beyond this machine: ``checked`` for a server that proves by TLS who it is, ``unchecked`` for whatever the
            address says, in a network that nobody else is in.
    """

    connection_env: Variable
    table: Table
    tls: Literal["checked", "unchecked"] = "checked"


def _as_files(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


InputName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class QuerySource(StreamSource):
    """``sources/<stream>.sql``: header and select.

    Attributes:
        source: Name of the source, which its loads carry.
        files: Name that the select uses -> files.
        tables: Name that the select uses -> table of a database.
        seconds: Longest time that the select may take.
        memory_mb: Most memory that it may take.
        sql: Header and select.
    """

    NOT_WRITTEN: ClassVar[frozenset[str]] = frozenset({*_IN_THE_SELECT, *_IN_THE_NAME, *_OF_DAILY, "sql"})

    source: Slug
    files: dict[InputName, Annotated[QueryFiles, BeforeValidator(_as_files)]] = {}
    tables: dict[InputName, QueryTable] = {}
    seconds: int = Field(default=60, ge=1, le=3600)
    memory_mb: int = Field(default=1024, ge=256, le=16384)
    sql: str = Field(repr=False)

    @property
    def origin(self) -> str:
        """Name under which its loads are told apart."""
        return self.source

    @property
    def described_in(self) -> str:
        """Where its settings stand, for messages."""
        return f"the header of {self.path}"

    @property
    def is_daily(self) -> bool:
        """A query is never one file a day: its files are read as one table."""
        return False

    @property
    def is_several(self) -> bool:
        """A query is one table."""
        return False


class Sink(Protocol):
    """What reading the queries needs of the reader of the folder."""

    folder: Path
    texts: dict[str, str]
    ids: dict[str, set[str] | None]

    def text(self, file: str) -> str | None:
        """Return a file's text."""
        ...

    def add(self, file: str, line: int | None, message: str, fix: str) -> None:
        """Record one problem."""
        ...

    def model(self, file: str, model: type[ModelT], data: Any, path: tuple[str | int, ...]) -> ModelT | None:
        """Validate one table."""
        ...


def load_queries(
    sink: Sink, connectors: Iterable[Connector], team_of: Callable[[str], str] = str
) -> tuple[QuerySource, ...]:
    """Read ``sources/*.sql`` of a folder; what is wrong with their headers is recorded.

    Args:
        sink: The reader of the folder.
        connectors: The other sources, whose names they may not have.
        team_of: Returns the id that a team has now.
    """
    folder = sink.folder / FOLDER
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    read = [_load(sink, path, team_of) for path in paths if path.is_file() and not path.name.startswith(".")]
    found = [query for query in read if query is not None]
    seen = {(stream, each.origin): "a connector" for each in connectors for stream in each.streams}
    for query in found:
        other = seen.setdefault((query.name, query.origin), query.path)
        if other != query.path:
            message = f"{query.name} has a source {query.origin!r} already: {other}"
            sink.add(query.path, 1, message, "give each source of a stream a name of its own")
    return tuple(found)


def _load(sink: Sink, path: Path, team_of: Callable[[str], str]) -> QuerySource | None:
    file = f"{FOLDER}/{path.name}"
    stream = path.name.partition(".")[0]
    if path.suffix != ".sql":
        if path.suffix != ".md":
            sink.add(file, None, "nobody reads this file", "write <stream>.sql here, and put exports elsewhere")
        return None
    if stream not in STREAMS:
        near = difflib.get_close_matches(stream, sorted(STREAMS), n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"known streams: {', '.join(sorted(STREAMS))}"
        sink.add(file, None, f"the file is named for no stream ({stream!r})", fix)
        return None
    text = sink.text(file)
    if text is None:
        return None
    try:
        header = read_header(text)
    except HeaderError as error:
        begin = 'begin with -- source = "..." and -- files = { name = "path" }'
        sink.add(
            file,
            *(
                words.of_toml(error.said, header_text(text))
                if error.said
                else (error.line, "the header is missing", begin)
                if not header_text(text)
                else (error.line, str(error), "correct the syntax")
            ),
        )
        return None
    for name in sorted(header.keys() & (_IN_THE_SELECT | _IN_THE_NAME | _OF_DAILY)):
        fix = "say it in the select" if name in _IN_THE_SELECT else "the file's own name says it"
        fix = "it is of files of one day each: take it out" if name in _OF_DAILY else fix
        sink.add(file, _line(text, name), f"{name!r} does not belong into the header of a query", fix)
        header.pop(name)
    query = sink.model(file, QuerySource, header | {"name": stream, "path": file, "sql": text}, ())
    if query is None:
        return None
    query = query.model_copy(update={"teams": [team_of(team) for team in query.teams]})
    return query if _is_right(sink, file, query) else None


def _is_right(sink: Sink, file: str, query: QuerySource) -> bool:
    """Check what the model cannot: names of teams and of inputs."""
    said: list[tuple[str, str, str]] = []
    if not query.files and not query.tables:
        said.append(("source", "the query reads nothing", 'name what it reads: -- files = { name = "path" }'))
    said += [
        (name, f"{name!r} is named twice, as files and as a table", "give each its own name")
        for name in sorted(query.files.keys() & query.tables.keys())
    ]
    if (query.exported == READ) != (not query.files and query.exported is not None):
        fix = "a table is as it is when it is read; of files their name, manifest or time of writing tells"
        said.append(("exported", f"exported = {query.exported!r} does not fit what the query reads", fix))
    if query.source == FILES:
        said.append(("source", f"the name {FILES!r} is that of the files of sources.toml", "choose another name"))
    if STREAMS[query.name].is_register:
        idle = {"covers": query.covers, "remembers_days": query.remembers_days}
        said += [
            (name, f"{name} says nothing of a register", "take it out: what is read is the whole state")
            for name in (name for name, value in idle.items() if value is not None)
        ]
    if query.covers is not None and query.covers[1] < query.covers[0]:
        said.append(("covers", "covers ends before it begins", "write covers = [first day, last day]"))
    teams = sink.ids.get("teams.toml")
    for team in query.teams:
        if team != "*" and teams is not None and team not in teams:
            near = difflib.get_close_matches(team, sorted(teams), n=1)
            fix = f"did you mean {near[0]!r}?" if near else "write the id of a team of teams.toml"
            said.append(("teams", f"there is no team {team!r}", fix))
    for key, message, fix in said:
        sink.add(file, _line(sink.texts[file], key), message, fix)
    return not said


def _line(text: str, key: str) -> int:
    """Return the line of a key of a header, or the first line."""
    lines = header_text(text).splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.strip().startswith(key)), 1)

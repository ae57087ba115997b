"""One ``.sql`` file = one table = one asset (architecture D3): a TOML header in ``--`` lines, then one select.

Dependencies are read from the SQL itself: schema-qualified names are tables, bare names are CTEs.
Does not belong here: running the SQL (``opsmetrics.warehouse``) and the meaning of metric headers
(``opsmetrics.catalogue``).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, TypeVar

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from opsmetrics.errors import SqlFileError

ModelT = TypeVar("ModelT", bound=BaseModel)

FLAT_SCHEMAS = ("ref", "staging", "facts", "gates", "diagnostics", "organisation", "alarms", "scores", "marts")


class ModelHeader(BaseModel):
    """Header of a table that is no metric.

    Attributes:
        title: What a row is.
        key: Columns that identify a row; none of them may be null.
        columns: Column -> meaning and unit, in the order of the select list.
        like_stream: Instead of key and columns (staging): those of the stream's contract, plus ``day``.
        ranges: Column -> smallest and largest allowed value; null passes.
        incremental: ``day`` rebuilds only days (column ``day``) whose winning load changed.
        view: Made as a view instead of a table (marts).
        version: Of a mart's columns: a change that breaks a query gets the next number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    key: list[str] = []
    columns: dict[str, str] = {}
    like_stream: str | None = None
    ranges: dict[str, tuple[float, float]] = {}
    incremental: str | None = None
    view: bool = False
    version: int = 1


@dataclass(frozen=True)
class SqlFile:
    """A parsed SQL file.

    Attributes:
        path: Where it lies.
        schema: Schema of its table.
        name: Name of its table.
        header: The parsed TOML header.
        text: The whole file; can be pasted into a DuckDB shell.
    """

    path: Path
    schema: str
    name: str
    header: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)

    @property
    def table(self) -> str:
        """Qualified table name."""
        return f"{self.schema}.{self.name}"

    @cached_property
    def model(self) -> ModelHeader:
        """The header of a table that is no metric.

        Raises:
            SqlFileError: The header breaks its form.
        """
        return validate_header(ModelHeader, self.header, self.path)

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """Qualified names of the tables that the select reads."""
        return dependencies(self.text, self.path)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def evidence(self) -> str:
        """Return the select that lists the rows behind a metric's numbers: its CTE ``items``.

        Raises:
            SqlFileError: The file has no final select at the start of a line.
        """
        body, found, _ = self.text.rpartition("\nselect")
        if not found:
            raise SqlFileError(f"{self.path}: the final select must start a line")
        return f"{body}\nselect * from items"


def validate_header(model: type[ModelT], header: dict[str, Any], path: Path) -> ModelT:
    """Validate a header, with errors that name the file and the key."""
    try:
        return model.model_validate(header)
    except ValidationError as error:
        lines = [f"{path}: header key {'.'.join(map(str, e['loc']))!r}: {e['msg']}" for e in error.errors()]
        raise SqlFileError("\n".join(lines)) from error


def parse(path: Path, schema: str) -> SqlFile:
    """Parse one file.

    Raises:
        SqlFileError: Not UTF-8, no header, or a header that is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SqlFileError(f"{path}: the file is not UTF-8; save it as UTF-8") from error
    header_lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        header_lines.append(line[2:].removeprefix(" "))
    if not header_lines:
        raise SqlFileError(f'{path}:1: the header is missing; start with lines such as -- title = "..."')
    try:
        header = tomllib.loads("\n".join(header_lines))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SqlFileError(f"{path}: the header is no valid TOML: {error}") from error
    return SqlFile(path, schema, path.stem, header, text)


def dependencies(text: str, path: Path) -> frozenset[str]:
    """Return the schema-qualified tables of one select, from DuckDB's own parser.

    Raises:
        SqlFileError: The text is not exactly one select.
    """
    tree = json.loads(_serialized(text))
    if tree.get("error"):
        raise SqlFileError(f"{path}: {tree.get('error_message', 'not a select')}")
    if len(tree["statements"]) != 1:
        raise SqlFileError(f"{path}: write exactly one select")
    found: set[str] = set()
    _collect(tree["statements"], found, path)
    return frozenset(found)


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """One connection for all texts: opening one costs ten times what parsing a text does."""
    return duckdb.connect()


@cache
def _serialized(text: str) -> str:
    """DuckDB's parse tree of a text; each text is parsed once a process (every Dagster step reads all files)."""
    with _parser().cursor() as con:
        ((tree,),) = con.execute("select json_serialize_sql($1::varchar)", [text]).fetchall()
    return tree


def _collect(node: Any, found: set[str], path: Path) -> None:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE" and node.get("schema_name"):
            found.add(f"{node['schema_name']}.{node['table_name']}")
        if node.get("type") == "TABLE_FUNCTION":
            name = node.get("function", {}).get("function_name", "")
            if name not in {"unnest", "generate_series", "range"}:
                raise SqlFileError(f"{path}: table function {name!r} reads outside the warehouse")
        for value in node.values():
            _collect(value, found, path)
    elif isinstance(node, list):
        for value in node:
            _collect(value, found, path)


def load_all(root: Path) -> dict[str, SqlFile]:
    """Parse every SQL file below ``root``, ordered so that each comes after what it reads.

    Raises:
        SqlFileError: A file is malformed, two share a name, or they form a cycle.
    """
    files: dict[str, SqlFile] = {}
    paths = [(path, schema) for schema in FLAT_SCHEMAS for path in sorted((root / schema).glob("*.sql"))]
    paths += [(path, "metrics") for path in sorted((root / "metrics").glob("*/*.sql"))]
    for path, schema in paths:
        file = parse(path, schema)
        if file.table in files:
            raise SqlFileError(f"{path}: {file.table} is also made by {files[file.table].path}")
        files[file.table] = file
    graph = {name: sorted(file.dependencies & files.keys()) for name, file in sorted(files.items())}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise SqlFileError(f"{root}: these files read each other in a circle: {' -> '.join(error.args[1])}") from error
    return {name: files[name] for name in order}

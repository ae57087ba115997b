"""One ``.sql`` file = one table = one asset (architecture D3): a TOML header in ``--`` lines, then one select.

Dependencies are read from the SQL itself, through macros too (``catalogue.sqltree``, ``catalogue.macros``).
Does not belong here: running the SQL (``opsmetrics.warehouse``) and the meaning of metric headers
(``opsmetrics.catalogue``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from opsmetrics.catalogue.macros import Macro, MacroHeader, Reads, load_macros, reads
from opsmetrics.catalogue.schemas import FLAT
from opsmetrics.catalogue.sqltree import MACROS, parse_select, trees
from opsmetrics.core.declare import Column, Table
from opsmetrics.core.errors import SqlFileError
from opsmetrics.core.sqlheader import HeaderError, read_header

ModelT = TypeVar("ModelT", bound=BaseModel)


class ModelHeader(BaseModel):
    """Header of a table that is not a metric.

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
        known_macros: Macros that it may call, by name.
    """

    path: Path
    schema: str
    name: str
    header: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)
    known_macros: Mapping[str, Macro] = field(default_factory=dict[str, Macro], repr=False)

    @property
    def table(self) -> str:
        """Qualified table name."""
        return f"{self.schema}.{self.name}"

    @property
    def place(self) -> str:
        """Path below the folder of the SQL files; metrics lie in a folder of their area."""
        return "/".join(self.path.parts[-3 if self.schema == "metrics" else -2 :])

    @cached_property
    def model(self) -> ModelHeader:
        """The header of a table that is not a metric.

        Raises:
            SqlFileError: The header breaks its form.
        """
        return validate_header(ModelHeader, self.header, self.path)

    @cached_property
    def _reads(self) -> Reads:
        return reads(parse_select(self.text, self.path), self.path, self.known_macros)

    @property
    def dependencies(self) -> frozenset[str]:
        """Qualified names of the tables that the select reads, through macros too."""
        return self._reads.tables

    @property
    def macros(self) -> tuple[Macro, ...]:
        """Macros that the select calls, through macros too, each after those that it calls itself."""
        return self._reads.macros

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text and of the macros it calls: a changed macro changes what uses it."""
        texts = (self.text, *(macro.text for macro in self.macros))
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()

    def evidence(self) -> str:
        """Return the select that lists the rows behind a metric's numbers: its CTE ``items``.

        An item that is not known has neither numerator nor denominator, so that the rows add up to the numbers.

        Raises:
            SqlFileError: The file has no final select at the start of a line.
        """
        body, found, _ = self.text.rpartition("\nselect")
        if not found:
            raise SqlFileError(f"{self.path}: the final select must start a line")
        known = "case when numerator is not null then denominator end as denominator"
        return f"{body}\nselect * replace ({known})\nfrom items"


def headed_table(
    name: str,
    title: str,
    columns: Mapping[str, str],
    key: Iterable[str],
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Table:
    """Return the table that a header declares by names and meanings; the select decides the types.

    Args:
        name: Qualified name.
        title: What a row is.
        columns: Column -> meaning, in order.
        key: Columns that identify a row; none of them may be null.
        ranges: Column -> smallest and largest value.

    Raises:
        ValueError: The key or a range names no column.
    """
    key, limits = tuple(key), ranges or {}
    unknown = sorted(set(limits) - set(columns))
    if unknown:
        raise ValueError(f"{name}: ranges of unknown columns {unknown}")
    declared = tuple(
        Column(column, "any", doc, column in key, low=low, high=high)
        for column, doc in columns.items()
        for low, high in [limits.get(column, (None, None))]
    )
    return Table(name, title, declared, key)


def validate_header(model: type[ModelT], header: dict[str, Any], path: Path) -> ModelT:
    """Validate a header, with errors that name the file and the key."""
    try:
        return model.model_validate(header)
    except ValidationError as error:
        lines = [f"{path}: header key {'.'.join(map(str, e['loc']))!r}: {e['msg']}" for e in error.errors()]
        raise SqlFileError("\n".join(lines)) from error


def parse(path: Path, schema: str, macros: Mapping[str, Macro] | None = None) -> SqlFile:
    """Parse the file of one table.

    Args:
        path: The file.
        schema: Schema of its table.
        macros: Macros that it may call, by name.

    Raises:
        SqlFileError: Not UTF-8, no header, or a header that is not TOML.
    """
    text, header = _read(path)
    return SqlFile(path, schema, path.stem, header, text, macros or {})


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return a file's text and its header."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SqlFileError(f"{path}: the file is not UTF-8; save it as UTF-8") from error
    try:
        header = read_header(text)
    except HeaderError as error:
        where = f"{path}:{error.line}" if error.line is not None else str(path)
        raise SqlFileError(f"{where}: {error}") from error
    return text, header


def _load_macros(root: Path) -> dict[str, Macro]:
    """Read the macros below ``root``."""
    sources: dict[Path, tuple[str, MacroHeader]] = {}
    for path in sorted((root / MACROS).glob("*.sql")):
        text, header = _read(path)
        sources[path] = (text, validate_header(MacroHeader, header, path))
    return load_macros(sources)


def load_all(root: Path, organisation: Path | None = None) -> dict[str, SqlFile]:
    """Parse every SQL file below ``root``, ordered so that each comes after what it reads.

    Args:
        root: Folder of the shipped files.
        organisation: Folder of a configuration, whose ``metrics/`` holds metrics of its own.

    Raises:
        SqlFileError: A file is malformed, two share a name, or they form a cycle.
    """
    macros = _load_macros(root)
    files: dict[str, SqlFile] = {}
    paths = [(path, schema) for schema in FLAT for path in sorted((root / schema).glob("*.sql"))]
    paths += [(path, "metrics") for path in sorted((root / "metrics").glob("*/*.sql"))]
    if organisation is not None:
        paths += [(path, "metrics") for path in sorted((organisation / "metrics").glob("*.sql"))]
    for path, schema in paths:
        file = parse(path, schema, macros)
        if file.table in files:
            raise SqlFileError(f"{path}: {file.table} is also made by {files[file.table].path}")
        files[file.table] = file
    graph = {name: sorted(file.dependencies & files.keys()) for name, file in sorted(files.items())}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise SqlFileError(f"{root}: these files read each other in a circle: {' -> '.join(error.args[1])}") from error
    trees().save()
    return {name: files[name] for name in order}


def macros_of(files: Mapping[str, SqlFile]) -> list[Macro]:
    """Return the macros that some files call, by name."""
    found = {macro.name: macro for file in files.values() for macro in file.macros}
    return [found[name] for name in sorted(found)]

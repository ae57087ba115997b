"""Read an organisation's folder as a whole and report every problem with file, line and fix."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.organisation import checks
from opsmetrics.organisation.connectors import KINDS
from opsmetrics.organisation.models import (
    Applicability,
    Datastore,
    Effort,
    Goal,
    MaintenanceWindow,
    Organisation,
    OrganisationSettings,
    Roster,
    Service,
    Slo,
    Sources,
    StreamSource,
    Team,
    Waiver,
)
from opsmetrics.organisation.working_time import WorkingHours

ModelT = TypeVar("ModelT", bound=BaseModel)

# Tables of one TOML file -> the model of their items.
_TABLES: dict[str, tuple[str, type[BaseModel]]] = {
    "teams.toml": ("team", Team),
    "services.toml": ("service", Service),
    "slo.toml": ("slo", Slo),
    "datastores.toml": ("datastore", Datastore),
}
REGISTERS: dict[str, type[BaseModel]] = {
    "waivers": Waiver,
    "applicability": Applicability,
    "maintenance_windows": MaintenanceWindow,
    "rosters": Roster,
    "efforts": Effort,
    "goals": Goal,
}
_REQUIRED = ("organisation.toml", "teams.toml", "services.toml", "sources.toml")
# Every TOML file of the configuration that a score depends on.
FILES = tuple(dict.fromkeys((*_REQUIRED, *_TABLES)))


class Reader:
    """Collects problems while files are read, so that one check shows all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.texts: dict[str, str] = {}
        self.ids: dict[str, set[str] | None] = {}

    def add(self, file: str, line: int | None, message: str, fix: str) -> None:
        """Record one problem."""
        self.problems.append(Problem(str(self.folder / file), line, message, fix))

    def text(self, file: str) -> str | None:
        """Return a file's text (UTF-8, with or without byte order mark), or None with a problem recorded."""
        path = self.folder / file
        if not path.exists():
            return None
        raw = path.read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            self.add(file, line, "the file is not UTF-8", "save it as UTF-8 and try again")
            return None
        self.texts[file] = text
        return text

    def toml(self, file: str) -> dict[str, Any]:
        """Return a parsed TOML file; an absent or broken one gives an empty table."""
        text = self.text(file)
        if text is None:
            return {}
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"at line (\d+)", str(error))
            self.add(file, int(at[1]) if at else None, f"no valid TOML: {error}", "mend the syntax at that line")
            return {}
        except RecursionError:
            self.add(file, None, "no valid TOML: brackets within brackets without end", "mend the syntax")
            return {}

    def model(self, file: str, model: type[ModelT], data: Any, path: tuple[str | int, ...]) -> ModelT | None:
        """Validate one table; problems carry the line of the key they are about."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for item in error.errors():
                self._explain(file, model, item, path)
            return None

    def _explain(self, file: str, model: type[BaseModel], item: ErrorDetails, path: tuple[str | int, ...]) -> None:
        loc = item["loc"]
        line = toml_line(self.texts.get(file, ""), (*path, *loc))
        key = ".".join(str(part) for part in loc)
        if item["type"] == "extra_forbidden":
            known = [field.alias or name for name, field in _table_model(model, loc).model_fields.items()]
            near = difflib.get_close_matches(str(loc[-1]), known, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
            self.add(file, line, f"unknown key {key!r}", fix)
        elif item["type"] == "missing":
            self.add(file, line, f"key {key!r} is missing", f"add {key} = ...")
        else:
            message, fix = _in_words(item)
            self.add(file, line, f"{key or 'table'}: {message} (found {repr(item['input'])[:60]})", fix)

    def tables(self, file: str) -> list[Any]:
        """Return the models of an array-of-tables file."""
        table, model = _TABLES[file]
        data = self.toml(file)
        for key in data.keys() - {table}:
            self.add(file, toml_line(self.texts[file], (key,)), f"unknown table {key!r}", f"use [[{table}]]")
        items = data.get(table, [])
        if not isinstance(items, list):
            self.add(file, 1, f"{table!r} must be written as [[{table}]]", f"use double brackets: [[{table}]]")
            return []
        # What is wrong with an item is said at the item, not at everything that names it.
        said = [item.get("id") for item in items if isinstance(item, dict)]
        self.ids[file] = {name for name in said if isinstance(name, str)} if data else None
        found = [self.model(file, model, item, (table, number)) for number, item in enumerate(items)]
        return [item for item in found if item is not None]

    def register(self, name: str) -> list[tuple[int, Any]]:
        """Return (line, model) of each row of a register CSV; an absent register is an empty one."""
        file = f"registers/{name}.csv"
        text = self.text(file)
        if text is None:
            return []
        model = REGISTERS[name]
        first = text.partition("\n")[0]
        rows = csv.DictReader(io.StringIO(text), strict=True, delimiter=max(",;\t", key=first.count))
        known = list(model.model_fields)
        try:
            columns = rows.fieldnames or []
        except csv.Error as error:
            self.add(file, 1, f"no valid CSV: {error}", "mend the quoting of the header line")
            return []
        for column in columns:
            if column not in known:
                near = difflib.get_close_matches(column, known, n=1)
                self.add(
                    file,
                    1,
                    f"unknown column {column!r}",
                    f"did you mean {near[0]!r}?" if near else str(known),
                )
        missing = [name for name, field in model.model_fields.items() if field.is_required() and name not in columns]
        if missing:
            # Said once, not at every row.
            self.add(file, 1, f"column {missing[0]!r} is missing", f"the columns are {', '.join(known)}")
            return []
        found: list[tuple[int, Any]] = []
        try:
            for row in rows:
                values = {key: value for key, value in row.items() if key in known and value not in (None, "")}
                if None in row:
                    self.add(file, rows.line_num, "more fields than the header names", "quote fields with commas")
                item = self._row(file, rows.line_num, model, values)
                if item is not None:
                    found.append((rows.line_num, item))
        except csv.Error as error:
            self.add(file, rows.line_num, f"no valid CSV: {error}", "mend the quoting at that line")
        return found

    def _row(self, file: str, line: int, model: type[BaseModel], values: dict[str, str]) -> BaseModel | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for item in error.errors():
                column = ".".join(str(part) for part in item["loc"]) or "row"
                message, fix = _in_words(item)
                self.add(file, line, f"{column}: {message}", fix)
            return None


def _in_words(item: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong with a value and what to write instead, without the words of a library."""
    kind, message = item["type"], item["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        return "it is no id", "write small letters, digits, '-', '_' and '.' only, a letter or digit first"
    if kind == "model_type" and item["loc"][-1:] == ("name",):
        return "the name is not in both languages", 'write { nb = "...", en = "..." }'
    if kind.startswith("date_"):
        return "it is no day", "write it as 2026-01-31"
    return message, "correct the value"


def _table_model(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model of the table that a problem is about: sources.toml holds two kinds of tables."""
    if model is Sources and loc[:1] == ("stream",):
        return StreamSource
    if model is Sources and loc[:1] == ("connector",) and len(loc) > 2:
        return KINDS[str(loc[2])]
    return model


def toml_line(text: str, path: Sequence[str | int]) -> int | None:
    """Find the line of a key path in TOML text: the deepest part of the path that can be found.

    tomllib keeps no positions and no maintained parser that does was found (ADR 0004), so this looks for
    the n-th ``[[table]]`` and then for the key below it.
    """
    lines = text.splitlines()
    start, found = 0, None
    for position, part in enumerate(path):
        if isinstance(part, int):
            continue
        number = path[position + 1] if position + 1 < len(path) and isinstance(path[position + 1], int) else None
        header = re.compile(rf"^\s*\[\[?\s*{re.escape(part)}\s*\]?\]")
        headers = [i for i, line in enumerate(lines) if header.match(line)]
        if headers and position == 0:
            start = headers[int(number or 0)] if int(number or 0) < len(headers) else headers[0]
            found = start
            continue
        key = re.compile(rf"(^|[{{,\s]){re.escape(part)}\s*=")
        for i in range(start, len(lines)):
            if i > start and lines[i].lstrip().startswith("["):
                break
            if key.search(lines[i].split("#", 1)[0]):
                start = found = i
                break
    return None if found is None else found + 1


def load_organisation(folder: Path) -> Organisation:
    """Load and validate an organisation's folder as a whole.

    Raises:
        ConfigurationError: With every problem found, each with file, line and fix.
    """
    reader = Reader(folder)
    if not folder.is_dir():
        raise ConfigurationError([Problem(str(folder), None, "no such folder", "pass --org DIR")])
    for file in _REQUIRED:
        if not (folder / file).exists():
            reader.add(file, None, "the file is missing", "see examples/demo for one that works")
    settings = reader.model("organisation.toml", OrganisationSettings, reader.toml("organisation.toml"), ())
    sources = reader.model("sources.toml", Sources, reader.toml("sources.toml"), ())
    tables = {file: reader.tables(file) for file in _TABLES}
    registers = {name: reader.register(name) for name in REGISTERS}
    usual = settings.working_hours if settings else WorkingHours()
    checks.check_all(reader, tables, registers, sources, usual)
    if reader.problems or settings is None or sources is None:
        raise ConfigurationError(reader.problems)
    return Organisation(
        folder=folder,
        settings=settings,
        teams=tuple(tables["teams.toml"]),
        services=tuple(tables["services.toml"]),
        slos=tuple(tables["slo.toml"]),
        datastores=tuple(tables["datastores.toml"]),
        waivers=tuple(row for _, row in registers["waivers"]),
        applicability=tuple(row for _, row in registers["applicability"]),
        maintenance_windows=tuple(row for _, row in registers["maintenance_windows"]),
        rosters=tuple(row for _, row in registers["rosters"]),
        efforts=tuple(row for _, row in registers["efforts"]),
        goals=tuple(row for _, row in registers["goals"]),
        sources=sources,
        digest=_digest(reader.texts),
    )


def _digest(texts: dict[str, str]) -> str:
    total = hashlib.sha256()
    for name in sorted(texts):
        total.update(f"{name}\0{texts[name]}\0".encode())
    return total.hexdigest()

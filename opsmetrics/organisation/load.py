"""Read an organisation's folder as a whole and report every problem with file, line and fix."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opsmetrics.core import words
from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.model import is_slug, parts_of
from opsmetrics.core.toml_lines import toml_line
from opsmetrics.core.toml_text import TomlError, toml_table
from opsmetrics.organisation import checks, spreadsheets
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.organisation.file_sources import Sources, StreamSource
from opsmetrics.organisation.models import (
    Applicability,
    Datastore,
    Effort,
    Goal,
    MaintenanceWindow,
    OrganisationSettings,
    Roster,
    Service,
    Slo,
    Team,
    Waiver,
)
from opsmetrics.organisation.organisation import Organisation
from opsmetrics.organisation.queries import QueryFiles, QuerySource, QueryTable, load_queries
from opsmetrics.organisation.renames import Renames
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
# Far above what people write, far below what fills a memory.
MOST_BYTES = 64 * 1024 * 1024
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
        # Place of each item that is right among all of its file.
        self.numbers: dict[str, list[int]] = {}
        # Ids as they are given, also those that are none.
        self.said: set[str] = set()
        # Files that are missing or cannot be parsed: what they lack is not said once more.
        self.unread: set[str] = set()

    def add(self, file: str, line: int | None, message: str, fix: str) -> None:
        """Record one problem."""
        self.problems.append(Problem(str(self.folder / file), line, message, fix))

    def text(self, file: str) -> str | None:
        """Return a file's text (UTF-8, with or without byte order mark), or None with a problem recorded."""
        raw = self._bytes(file)
        if raw is None:
            return None
        try:
            # Line ends are the editor's; a file that came by way of Windows says the same, and has the same digest.
            text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            self.add(file, line, "the file is not UTF-8", "save it as UTF-8 and try again")
            self.unread.add(file)
            return None
        self.texts[file] = text
        return text

    def _bytes(self, file: str) -> bytes | None:
        """Return a file's content; None where there is none, or with a problem where it is no file that ends."""
        path = self.folder / file
        if not path.exists():
            return None
        said = None
        if not path.is_file():
            said = "this is not a file", "put the file itself here: a pipe or a device never ends, a folder has no text"
        elif path.stat().st_size > MOST_BYTES:
            said = f"the file has more than {MOST_BYTES} bytes", "look at it: configuration is written by people"
        if said is not None:
            self.add(file, None, *said)
            self.unread.add(file)
            return None
        return path.read_bytes()

    def toml(self, file: str) -> dict[str, Any]:
        """Return a parsed TOML file; an absent or broken one gives an empty table."""
        text = self.text(file)
        if text is None:
            return {}
        try:
            return toml_table(text)
        except TomlError as error:
            self.add(file, error.line, error.message, error.fix)
        self.unread.add(file)
        return {}

    def model(self, file: str, model: type[ModelT], data: Any, path: tuple[str | int, ...]) -> ModelT | None:
        """Validate one table; problems carry the line of the key they are about, and one cause is one problem."""
        if file in self.unread:
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for item in words.causes(error.errors(), lambda place: _keys(_table_model(model, place))):
                self._explain(file, model, item, path)
            return None

    def _explain(self, file: str, model: type[BaseModel], item: ErrorDetails, path: tuple[str | int, ...]) -> None:
        loc = item["loc"]
        line = toml_line(self.texts.get(file, ""), (*path, *loc))
        key = words.key_of(loc)
        if item["type"] == "extra_forbidden":
            known = _keys(_table_model(model, loc))
            near = difflib.get_close_matches(str(loc[-1]), known, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
            self.add(file, line, f"unknown key {key!r}", fix)
        elif item["type"] == "missing":
            self.add(file, line, f"key {key!r} is missing", f"add {key} = ...")
        elif not (loc[-1:] in {("team",), ("service",)} and self._is_said(item["input"])):
            message, fix = words.of_value(item)
            self.add(file, line, f"{key or 'kind'}: {message}{words.shown(item)}", fix)

    def _is_said(self, name: object) -> bool:
        """Whether a team or service goes by this name: that it is no id is said where it is given."""
        return name in self.said

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
        said = {str(item.get("id")) for item in items if isinstance(item, dict)}
        self.said |= said
        # Where an id is none, nobody knows what others call the thing.
        # Of a file that cannot be read, or has other tables, nobody knows; one without any has no ids.
        is_whole = file not in self.unread and data.keys() <= {table}
        self.ids[file] = said if is_whole and all(map(is_slug, said)) else None
        found = [self.model(file, model, item, (table, number)) for number, item in enumerate(items)]
        self.numbers[file] = [number for number, item in enumerate(found) if item is not None]
        return [item for item in found if item is not None]

    def register(self, name: str) -> list[tuple[int, Any]]:
        """Return (line, model) of each row of a register CSV; an absent register is an empty one."""
        file = f"registers/{name}.csv"
        raw = self._bytes(file)
        if raw is None:
            return []
        model = REGISTERS[name]
        self.texts[file] = text = spreadsheets.text_of(raw).replace("\r\n", "\n")
        sheet = spreadsheets.rows_of(text, list(model.model_fields), spreadsheets.required(model))
        for problem in sheet.problems:
            self.add(file, *problem)
        rows = [(line, self._row(file, line, model, values)) for line, values in sheet.rows]
        return [(line, row) for line, row in rows if row is not None]

    def _row(self, file: str, line: int, model: type[BaseModel], values: dict[str, str]) -> BaseModel | None:
        try:
            return model.model_validate(spreadsheets.typed(model, values))
        except ValidationError as error:
            found = words.causes(error.errors(), lambda _: list(model.model_fields))
            empty = [str(item["loc"][-1]) for item in found if item["type"] == "missing"]
            if empty:
                self.add(file, line, f"{', '.join(empty)}: empty", "fill it in, or delete the row")
            for item in found:
                if item["type"] != "missing":
                    message, fix = words.of_value(item)
                    self.add(file, line, f"{words.key_of(item['loc']) or 'row'}: {message}", fix)
            return None


def _keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table as they are written."""
    unwritten: frozenset[str] = getattr(model, "NOT_WRITTEN", frozenset())
    return [field.alias or name for name, field in model.model_fields.items() if name not in unwritten]


def _table_model(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model of the table that a problem is about: sources.toml holds two kinds of tables."""
    if model is Sources and loc[:1] == ("stream",):
        model, loc = StreamSource, loc[1:]
    if model is Sources and loc[:1] == ("connector",) and len(loc) > 2:
        model, loc = KINDS[str(loc[2])], loc[3:]
    if model is QuerySource and loc[0] in {"files", "tables"} and len(loc) > 2:
        return QueryFiles if loc[0] == "files" else QueryTable
    for part in loc[:-1]:
        model = _inner(model, part) or model
    return model


def _inner(model: type[BaseModel], key: str | int) -> type[BaseModel] | None:
    """Return the table that stands at a key of a table, or whose items do; None where there is none, or several."""
    field = next((field for name, field in model.model_fields.items() if key in {name, field.alias}), None)
    found = [part for part in parts_of(field.annotation) if _is_table(part)] if field else []
    return found[0] if len(found) == 1 else None


def _is_table(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


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
            reader.unread.add(file)
            reader.add(file, None, "the file is missing", "`opsmetrics init` writes one to begin with")
    settings = reader.model("organisation.toml", OrganisationSettings, reader.toml("organisation.toml"), ())
    sources = reader.model("sources.toml", Sources, reader.toml("sources.toml"), ())
    tables = {file: reader.tables(file) for file in _TABLES}
    registers = {name: reader.register(name) for name in REGISTERS}
    names = Renames(tables["teams.toml"], tables["services.toml"])
    tables["services.toml"] = [names.of_service(service) for service in tables["services.toml"]]
    tables |= {file: [names.of_row(item) for item in tables[file]] for file in ("slo.toml", "datastores.toml")}
    registers = {name: [(line, names.of_row(row)) for line, row in rows] for name, rows in registers.items()}
    sources = names.of_sources(sources) if sources else None
    usual = settings.working_hours if settings else WorkingHours()
    checks.check_all(reader, tables, registers, sources, usual)
    queries = load_queries(reader, sources.connector if sources else (), lambda team: names.team(team, None))
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
        queries=queries,
        digest=_digest(reader.texts),
        register_lines={name: tuple(line for line, _ in rows) for name, rows in registers.items()},
    )


def _digest(texts: dict[str, str]) -> str:
    total = hashlib.sha256()
    for name in sorted(texts):
        total.update(f"{name}\0{texts[name]}\0".encode())
    return total.hexdigest()

"""Macros: what many SQL files would say alike stands once, in ``sql/macros/<name>.sql`` (ADR 0018).

A file is a TOML header in ``--`` lines and one ``create or replace macro macros.<name>(...)``. Macros are made in the
warehouse before the first table that uses them and travel inside the snapshot, so that every SQL file can be pasted
into a DuckDB shell.
Does not belong here: running SQL (``opsmetrics.warehouse``) and the files of tables (``catalogue.sqlfile``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from opsmetrics.catalogue.sqltree import Call, Tree, parse_select
from opsmetrics.core.errors import SqlFileError

_DEFINITION = re.compile(
    r"\s*create or replace macro macros\.(?P<name>\w+)\s*\((?P<arguments>[^()]*)\)\s*as\s+"
    r"(?P<table>table\s+)?(?P<body>.*)",
    re.DOTALL,
)
_QUERY_TABLE = frozenset({"query_table"})


class MacroHeader(BaseModel):
    """Header of a macro.

    Attributes:
        title: What it stands for.
        arguments: Argument -> meaning and unit, in order.
        names_table: Argument -> schema: the argument is the name of a table of that schema, written as a literal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    arguments: dict[str, str] = {}
    names_table: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Macro:
    """A parsed macro file.

    Attributes:
        name: Its name in the schema ``macros``.
        header: Meaning of the macro and of its arguments.
        text: The whole file; its one statement makes the macro.
        is_table: It stands where a table stands, not where a value stands.
        tables: Qualified names of the tables that it reads, through other macros too.
        uses: The macros that it calls, each after those that it calls itself.
    """

    name: str
    header: MacroHeader
    text: str = field(repr=False)
    is_table: bool
    tables: frozenset[str]
    uses: tuple[Macro, ...]


@dataclass(frozen=True, slots=True)
class Reads:
    """What a select reads, through macros too: qualified tables, and macros in the order in which they are made."""

    tables: frozenset[str]
    macros: tuple[Macro, ...]


def reads(tree: Tree, path: Path, macros: Mapping[str, Macro]) -> Reads:
    """Follow the calls of macros in a select.

    Raises:
        SqlFileError: It calls a macro that does not exist, or names a table by other than a literal.
    """
    tables = tree.tables
    found: dict[str, Macro] = {}
    for call in tree.calls:
        if call.macro not in macros:
            raise SqlFileError(f"{path}: there is no macro {call.macro!r}; write it as sql/macros/{call.macro}.sql")
        macro = macros[call.macro]
        found |= {used.name: used for used in (*macro.uses, macro)}
        tables |= macro.tables | frozenset(_named_tables(call, macro, path))
    return Reads(tables, tuple(found.values()))


def _named_tables(call: Call, macro: Macro, path: Path) -> Iterator[str]:
    for argument, literal in zip(macro.header.arguments, call.literals, strict=False):
        if argument in macro.header.names_table:
            if literal is None:
                raise SqlFileError(f"{path}: {argument} of macros.{macro.name} names a table; write it as a literal")
            yield f"{macro.header.names_table[argument]}.{literal}"


def load_macros(sources: Mapping[Path, tuple[str, MacroHeader]]) -> dict[str, Macro]:
    """Return the macros of some files by name.

    Args:
        sources: Path of each file -> its text and its header.

    Raises:
        SqlFileError: A file is malformed, or macros call each other in a circle.
    """
    trees = {path: _parse(path, *source) for path, source in sources.items()}
    paths = {path.stem: path for path in sources}
    graph = {path.stem: sorted({call.macro for call in tree.calls}) for path, (tree, _) in trees.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise SqlFileError(f"these macros call each other in a circle: {' -> '.join(error.args[1])}") from error
    macros: dict[str, Macro] = {}
    for path in (paths[name] for name in order if name in paths):
        tree, is_table = trees[path]
        found = reads(tree, path, macros)
        text, header = sources[path]
        macros[path.stem] = Macro(path.stem, header, text, is_table, found.tables, found.macros)
    return macros


def _parse(path: Path, text: str, header: MacroHeader) -> tuple[Tree, bool]:
    """Return what stands in a macro, and whether it is one of tables."""
    found = _DEFINITION.fullmatch("\n".join(line for line in text.splitlines() if not line.startswith("--")))
    if found is None or found["name"] != path.stem:
        raise SqlFileError(f"{path}: write `create or replace macro macros.{path.stem}(...) as ...` and nothing else")
    # A default stands behind the name, as in `days := 14`.
    arguments = [part.split(":=")[0].strip() for part in found["arguments"].split(",") if part.strip()]
    if arguments != list(header.arguments):
        raise SqlFileError(f"{path}: the macro takes {arguments}, the header tells of {list(header.arguments)}")
    if unknown := set(header.names_table) - set(arguments):
        raise SqlFileError(f"{path}: names_table tells of {sorted(unknown)}, which the macro does not take")
    select = found["body"] if found["table"] else f"select {found['body']}"
    allowed = _QUERY_TABLE if header.names_table else frozenset[str]()
    return parse_select(select, path, allowed=allowed), bool(found["table"])

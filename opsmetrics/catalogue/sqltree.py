"""What a select reads, from DuckDB's own parse tree: its tables and the macros it calls.

Schema-qualified names are tables, bare names are common table expressions; functions of the schema ``macros`` are
calls of macros.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from opsmetrics.core.errors import SqlFileError
from opsmetrics.core.text_cache import TextCache

MACROS = "macros"
# Table functions that read nothing.
_HARMLESS = frozenset({"unnest", "generate_series", "range"})
# Words of SQL that ask the clock without being called.
CLOCKS = frozenset({"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"})
# Asks the clock behind a macro, or the program; DuckDB counts both as constant.
_ASKING = frozenset({"ago", "version"})
# Parts of a tree that are names alone.
_NAMES = ("tables", "strangers", "functions", "words")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a macro: its name and its arguments, None for each that is not a text literal."""

    macro: str
    literals: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """What stands in one select.

    Attributes:
        tables: Qualified tables.
        calls: Calls of macros.
        strangers: Bare names that no step of the select has, such as files, and tables of other databases.
        functions: Names of the functions that it calls, macros left out.
        words: Names of columns without a table, among which DuckDB has words for the time.
    """

    tables: frozenset[str]
    calls: tuple[Call, ...]
    strangers: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


@cache
def parse_select(text: str, path: Path, *, allowed: frozenset[str] = frozenset()) -> Tree:
    """Return what stands in one select. Each text is parsed once a process, and not again by the next (:func:`trees`).

    Args:
        text: The select.
        path: Its file, for messages.
        allowed: Table functions that may stand in it besides those that read nothing.

    Raises:
        SqlFileError: The text is not exactly one select, or reads outside the warehouse.
    """
    kept = trees()
    question = "\0".join((text, *sorted(allowed)))
    if (known := _read(kept.get(question))) is not None:
        return known
    tree = _parsed(text, path, allowed)
    kept.add(question, _written(tree))
    return tree


def _parsed(text: str, path: Path, allowed: frozenset[str]) -> Tree:
    tree = json.loads(serialized(text))
    if tree.get("error"):
        raise SqlFileError(f"{path}: {tree.get('error_message', 'not a select')}")
    if len(tree["statements"]) != 1:
        raise SqlFileError(f"{path}: write exactly one select")
    found = list(nodes(tree["statements"]))
    tables: set[str] = set()
    calls: list[Call] = []
    for node in found:
        match node:
            case {"type": "BASE_TABLE", "schema_name": str(schema), "table_name": str(name)} if schema:
                tables.add(f"{schema}.{name}")
            case {"type": "FUNCTION", "schema": "macros", "function_name": str(name)}:
                calls.append(Call(name, tuple(map(_literal, node["arguments"]))))
            case {"type": "TABLE_FUNCTION", "function": {"function_name": str(name), "schema": str(schema)}}:
                if schema != MACROS and name not in _HARMLESS | allowed:
                    raise SqlFileError(f"{path}: table function {name!r} reads outside the warehouse")
            case _:
                pass
    return _with_names(found, frozenset(tables), tuple(calls))


@cache
def trees() -> TextCache:
    """What stands in selects, as far as earlier processes have parsed them.

    Parsing all shipped files takes a third of what a short command takes.
    """
    return TextCache("selects", f"{duckdb.__version__} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}")


def _written(tree: Tree) -> dict[str, Any]:
    """A tree as JSON holds it."""
    names = {field: sorted(getattr(tree, field)) for field in _NAMES}
    return names | {"calls": [[call.macro, list(call.literals)] for call in tree.calls]}


def _read(kept: Any) -> Tree | None:
    """A tree out of JSON, or None where it is none."""
    try:
        calls = tuple(Call(macro, tuple(literals)) for macro, literals in kept["calls"])
        return Tree(calls=calls, **{field: frozenset(kept[field]) for field in _NAMES})
    except (TypeError, KeyError, ValueError):
        return None


def _with_names(found: list[dict[str, Any]], tables: frozenset[str], calls: tuple[Call, ...]) -> Tree:
    """Add the names that a select uses beside tables and macros."""
    bare, steps, functions, words = set[str](), set[str](), set[str](), set[str]()
    for node in found:
        match node:
            case {"type": "BASE_TABLE", "catalog_name": str(other), "table_name": str(name)} if other:
                bare.add(f"{other}.{node['schema_name']}.{name}")
            case {"type": "BASE_TABLE", "schema_name": "", "table_name": str(name)}:
                bare.add(name.lower())
            case {"type": "FUNCTION", "schema": str(schema), "function_name": str(name)} if schema != MACROS:
                functions.add(name.lower())
            case {"type": "COLUMN_REF", "column_names": [str(name)]}:
                words.add(name.lower())
            case {"key": str(name), "value": {"query_node": _}}:
                steps.add(name.lower())
            case _:
                pass
    return Tree(tables, calls, frozenset(bare - steps), frozenset(functions), frozenset(words))


def _literal(argument: dict[str, Any]) -> str | None:
    match argument:
        case {"expression": {"literal": {"kind": "STRING", "text": str(text)}}}:
            return text
        case _:
            return None


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a parse tree, each before what it holds."""
    todo = [node]
    while todo:
        match todo.pop():
            case dict() as found:
                yield found
                # Most of what a tree holds is empty or a word: only what can hold an object is looked at again.
                todo.extend(value for value in reversed(found.values()) if value and isinstance(value, dict | list))
            case list() as found:
                todo.extend(reversed(found))
            case _:
                pass


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """One connection for all texts: opening one costs ten times what parsing a text does."""
    return duckdb.connect()


def serialized(text: str) -> str:
    """DuckDB's parse tree of a text."""
    with _parser().cursor() as con:
        ((tree,),) = con.execute("select json_serialize_sql($1::varchar)", [text]).fetchall()
    return tree


@cache
def changing_functions() -> frozenset[str]:
    """Return the functions that answer differently from call to call or from run to run, as DuckDB itself says."""
    with duckdb.connect() as con:
        rows = con.execute(
            "select distinct function_name from duckdb_functions()"
            " where function_type = 'scalar' and stability <> 'CONSISTENT'"
        ).fetchall()
    return _ASKING.union(name for (name,) in rows)

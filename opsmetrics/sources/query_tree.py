"""What the select of a query says, from DuckDB's own parse tree: what it reads, and that it can read nothing else.

A query names its inputs in its header and reads them as tables. It calls no function that reads files, settings or the
clock: the same files always give the same rows. Does not belong here: running it (``query_run``).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from opsmetrics.catalogue.sqltree import CLOCKS, changing_functions, nodes, serialized
from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.organisation.queries import QuerySource

# Table functions that read nothing but their arguments.
_TABLE_FUNCTIONS = frozenset({"unnest", "generate_series", "range", "json_each", "json_tree"})
# Parts of a tree that are queries; all others change something or show what the database holds.
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
# What turns a value that it cannot read into nothing.
_FORGIVING = frozenset({"try_strptime", "try"})


@dataclass(frozen=True, slots=True)
class QueryTree:
    """What stands in a select.

    Attributes:
        inputs: Names of the header that it reads.
        columns: Names, in small letters, that may be those of columns of its inputs; None where it takes all.
        named: Names, as they are spelled, of whatever it calls by name.
        forgiving: Lines of functions that turn what they cannot read into nothing.
        overtaken: Lines of a choice of the newest file that a ``where`` beside it comes before.
    """

    inputs: frozenset[str]
    columns: frozenset[str] | None
    named: frozenset[str]
    forgiving: tuple[int, ...]
    overtaken: tuple[int, ...] = ()


def parsed(query: QuerySource, file: str) -> QueryTree:
    """Return what stands in a query.

    Args:
        query: The query.
        file: Its file, for messages.

    Raises:
        SourceError: It is not exactly one select, reads what its header does not name, or calls what it may not.
    """
    tree = json.loads(serialized(query.sql))
    if tree.get("error"):
        raise _unparsed(tree, query.sql, file)
    if len(tree["statements"]) != 1:
        raise _wrong(file, 1, "there is more than one statement", "write exactly one select")
    statement = tree["statements"][0]
    for node in nodes(statement):
        _check(node, query.sql, file)
    read = _tables(statement, query, file)
    forgiving = [_line(query.sql, node) for node in nodes(statement) if _is_forgiving(node)]
    return QueryTree(
        read, _columns(statement), _named(statement), tuple(sorted(set(forgiving))), _overtaken(statement, query.sql)
    )


def _unparsed(tree: dict[str, Any], sql: str, file: str) -> SourceError:
    said = str(tree.get("error_message", "it is no select"))
    if "Only SELECT statements" in said:
        message = "this is no select: a query may only read"
        return _wrong(file, 1, message, "write one select; for pivot write sums with filter")
    place = str(tree.get("position", "0"))
    line = _line_at(sql, int(place) if place.isdigit() else 0)
    return _wrong(file, line, f"no valid SQL: {said.splitlines()[0]}", "correct it at that line")


def _check(node: dict[str, Any], sql: str, file: str) -> None:
    """Refuse what reads anything but the inputs, or tells another thing each time."""
    line = _line(sql, node)
    match node:
        case {"type": str(kind)} if kind.endswith("_NODE") and "modifiers" in node and kind not in _QUERIES:
            raise _wrong(file, line, "a query may only read", "write one select")
        case {"type": "SHOW_REF"}:
            raise _wrong(file, line, "describe, show and summarize are not tables", "select from the inputs")
        case {"class": "PARAMETER"}:
            raise _wrong(file, line, "a query has no parameters", "write the value itself")
        case {"type": "TABLE_FUNCTION", "function": {"function_name": str(name)}} if name not in _TABLE_FUNCTIONS:
            fix = 'name the files in the header (-- files = { name = "path" }) and write: from name'
            raise _wrong(file, line, f"{name}() cannot be called in a query", fix)
        case {"class": "FUNCTION" | "WINDOW", "function_name": str(name), "schema": str(schema)}:
            if schema:
                raise _wrong(file, line, f"{schema}.{name}() cannot be called in a query", "call it without schema")
            if name in changing_functions():
                raise _changes(file, line, f"{name}()")
        case {"class": "COLUMN_REF", "column_names": [str(name)]} if name.lower() in CLOCKS:
            raise _changes(file, line, name)
        case _:
            pass


def _changes(file: str, line: int, name: str) -> SourceError:
    message = f"{name} says another thing on another day or machine"
    return _wrong(file, line, message, "make rows of what the files say: _modified_at is when a file was written")


def _tables(statement: dict[str, Any], query: QuerySource, file: str) -> frozenset[str]:
    """Return the inputs that are read; every other name of a table must be one of the query's own."""
    own = {str(entry["key"]).lower() for node in nodes(statement) for entry in _own(node)}
    inputs = {*query.files, *query.tables}
    found: set[str] = set()
    for node in nodes(statement):
        if node.get("type") != "BASE_TABLE":
            continue
        name, line = str(node["table_name"]).lower(), _line(query.sql, node)
        known = ", ".join(sorted(inputs)) or "none"
        if node["schema_name"] or node["catalog_name"] or name not in inputs | own:
            near = difflib.get_close_matches(name, sorted(inputs | own), n=1)
            said = f"did you mean {near[0]!r}? " if near else ""
            fix = f'{said}the header names {known}; files stand there, as -- files = {{ name = "path" }}'
            raise _wrong(file, line, f"there is no input {node['table_name']!r}", fix)
        if name in inputs:
            found.add(name)
    return frozenset(found)


def _own(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the entries of common table expressions of a node."""
    match node:
        case {"cte_map": {"map": list(entries)}}:
            yield from entries
        case {"type": "RECURSIVE_CTE_NODE" | "CTE_NODE", "cte_name": str(name)}:
            yield {"key": name}
        case _:
            pass


def _columns(statement: dict[str, Any]) -> frozenset[str] | None:
    for node in nodes(statement):
        if node.get("class") == "STAR" or (node.get("join_type") and node.get("ref_type") == "NATURAL"):
            return None
    return frozenset(name.lower() for name in _named(statement))


def _named(statement: dict[str, Any]) -> frozenset[str]:
    return frozenset(
        str(name)
        for node in nodes(statement)
        for key in ("column_names", "using_columns")
        for name in node.get(key, ())
    )


def _is_forgiving(node: dict[str, Any]) -> bool:
    return bool(node.get("try_cast")) or node.get("function_name") in _FORGIVING or node.get("type") == "OPERATOR_TRY"


def _overtaken(statement: dict[str, Any], sql: str) -> tuple[int, ...]:
    """Return where a select chooses the newest file of a record out of those rows only that ``where`` keeps."""
    found: set[int] = set()
    for node in nodes(statement):
        if node.get("type") != "SELECT_NODE" or not node.get("where_clause") or not node.get("qualify"):
            continue
        for window in nodes(node["qualify"]):
            orders = [each for order in window.get("orders") or () for each in nodes(order)]
            if any(
                each.get("function_name") == "made_at" or "_modified_at" in (each.get("column_names") or ())
                for each in orders
            ):
                found.add(_line(sql, window))
    return tuple(sorted(found))


def _line(sql: str, node: dict[str, Any]) -> int:
    place = node.get("query_location")
    return _line_at(sql, place if isinstance(place, int) and place < len(sql.encode()) else 0)


def _line_at(sql: str, place: int) -> int:
    return sql.encode()[:place].count(b"\n") + 1


def _wrong(file: str, line: int, message: str, fix: str) -> SourceError:
    return SourceError(Problem(file, line, message, fix))

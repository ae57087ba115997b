"""The columns of the files that a query reads as one table: which file lacks one, and how each is spelled.

A row of a file without a column has nothing there, which would say that an incident is still open. So a file that lacks
what another one has is refused, unless the query's header says that it may.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from opsmetrics.organisation.queries import QueryFiles
from opsmetrics.sources.raw_table import RawTable, folded, unreadable

# Records of these leave out what they have nothing to say of: a file lacks a key only where one much like it is there,
# or where most records have a new one, as most have the other elsewhere.
_SPARSE = frozenset({"json", "jsonl", "calendar"})
_LIKE = 0.6


@dataclass(frozen=True, slots=True)
class Head:
    """Names of the columns, or of the keys of any record, of one file, and of those that most records have."""

    path: Path
    names: tuple[str, ...]
    has_rows: bool
    usual: frozenset[str] = frozenset()


def refuse_lacking(files: QueryFiles, heads: Sequence[Head], named: Iterable[str]) -> None:
    """Refuse files of which one lacks a column that the select names and another one has.

    Args:
        files: How they are written, and what they may lack.
        heads: What each of them has.
        named: Names that the select uses.

    Raises:
        SourceError: One lacks a column.
    """
    may = set(map(folded, files.may_lack))
    told = [(head, {folded(name): name for name in head.names}) for head in heads if head.has_rows]
    for name in sorted(named):
        key = folded(name)
        other = next((head for head, there in told if key in there), None)
        if other is None or key in may:
            continue
        known = {each for _, there in told if key in there for each in there}
        is_usual = any(key in map(folded, head.usual) for head, _ in told)
        for head, there in told:
            if key in there:
                continue
            new = {each: spelled for each, spelled in there.items() if each not in known}
            like = difflib.get_close_matches(key, new, n=1, cutoff=_LIKE)
            if not like and is_usual and files.kind in _SPARSE:
                like = sorted(new.keys() & set(map(folded, head.usual)))
            if files.kind in _SPARSE and not like:
                continue
            became = f"; {new[like[0]]!r} is new in it" if like else ""
            message = f"column {name!r} is missing, which {other.path.name} has{became}"
            fix = (
                "give files with other columns a name of their own in the header, and join both by union all by name;"
                f" if nothing is right there, write may_lack = [{name!r}] beside their path".replace("'", '"')
            )
            raise unreadable(head.path, 1 if files.kind == "csv" else None, message, fix)


def spelling(named: Iterable[str], tables: Iterable[RawTable]) -> dict[str, str]:
    """Return folded names -> how a select spells them, else the first of its files."""
    found: dict[str, str] = {}
    for name in (*sorted(named), *(name for table in tables for name in table.data.columns)):
        found.setdefault(folded(name), name)
    return found


def respelled(table: RawTable, spelled: Mapping[str, str]) -> RawTable:
    """Return a table whose columns are called as the select calls them; DuckDB knows the case of ASCII only.

    Args:
        table: A file.
        spelled: Folded names -> as the select spells them.
    """
    names = table.data.columns
    keys = [folded(name) for name in names]
    new = {
        name: spelled[key]
        for name, key in zip(names, keys, strict=True)
        if key in spelled and name != spelled[key] and keys.count(key) == 1
    }
    return replace(table, data=table.data.rename(new)) if new else table

"""Frames as typed rows: a frozen dataclass says which columns a question needs, and a type checker knows their names.

A field ``title: Text`` takes the two columns ``title_nb`` and ``title_en``. Columns without a field stay in the frame,
for whoever writes the whole answer to a file.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints, overload

import polars as pl

from opsmetrics.core.errors import SnapshotError
from opsmetrics.language.bilingual import Text
from opsmetrics.language.texts import LANGUAGES

R = TypeVar("R")
K = TypeVar("K")

_KEPT_TEXTS = 4096
_FITS: dict[type, Callable[[pl.DataType], bool]] = {
    str: lambda kind: kind == pl.String,
    bool: lambda kind: kind == pl.Boolean,
    int: lambda kind: kind.is_integer(),
    float: lambda kind: kind.is_float(),
    Decimal: lambda kind: kind.is_decimal(),
    date: lambda kind: kind == pl.Date,
    datetime: lambda kind: isinstance(kind, pl.Datetime),
    list: lambda kind: isinstance(kind, pl.List),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a row type: the columns it is made of, the types it takes, and whether it may be missing."""

    name: str
    columns: tuple[str, ...]
    types: tuple[type, ...]
    is_optional: bool


class Rows(Sequence[R], Generic[R]):
    """The answer to a query: typed rows, made as they are asked for, and the frame that they stand in."""

    __slots__ = ("_row_type", "frame")

    def __init__(self, row_type: type[R], frame: pl.DataFrame) -> None:
        _check(row_type, tuple(frame.schema.items()))
        self._row_type, self.frame = row_type, frame

    def __len__(self) -> int:
        return self.frame.height

    def __iter__(self) -> Iterator[R]:
        return _made(self._row_type, self.frame)

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> Rows[R]: ...
    def __getitem__(self, index: int | slice) -> R | Rows[R]:
        if isinstance(index, slice):
            return Rows(self._row_type, self.frame[index])
        place = range(self.frame.height)[index]
        return next(_made(self._row_type, self.frame.slice(place, 1)))

    def first(self) -> R | None:
        """Return the first row, or None where there is none."""
        return self[0] if len(self) else None

    def where(self, **values: str) -> Rows[R]:
        """Return the rows whose columns have some values, without making the others.

        Raises:
            polars.exceptions.ColumnNotFoundError: There is no such column.
        """
        return Rows(self._row_type, self.frame.filter(**values)) if values else self

    def among(self, column: str, values: Iterable[str]) -> Rows[R]:
        """Return the rows whose column has one of some values, without making the others.

        Raises:
            polars.exceptions.ColumnNotFoundError: There is no such column.
        """
        return Rows(self._row_type, self.frame.filter(pl.col(column).is_in(list(values))))

    def missing(self) -> list[str]:
        """Return the columns with gaps in which a field says that there are none; a correct row type has none."""
        wanted = [column for field in _fields(self._row_type) if not field.is_optional for column in field.columns]
        return [column for column in wanted if self.frame[column].null_count()]


def index_by(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, R]:
    """Return rows by a key, in their order."""
    return {key(row): row for row in rows}


def group_by(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, list[R]]:
    """Return lists of rows by a key, in the order in which the keys first occur."""
    found: dict[K, list[R]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


@cache
def _fields(row_type: type) -> tuple[_Field, ...]:
    hints: dict[str, Any] = get_type_hints(row_type)
    return tuple(_field(item.name, hints[item.name]) for item in fields(row_type))


def _field(name: str, hint: Any) -> _Field:
    options: tuple[Any, ...] = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    kinds = tuple(get_origin(option) or option for option in options if option is not types.NoneType)
    columns = tuple(f"{name}_{language}" for language in LANGUAGES) if kinds == (Text,) else (name,)
    return _Field(name, columns, (str,) if kinds == (Text,) else kinds, types.NoneType in options)


@cache
def _check(row_type: type, schema: tuple[tuple[str, pl.DataType], ...]) -> None:
    """Compare a row type with the columns of an answer, once for each pair.

    Raises:
        SnapshotError: A column is missing or of another type: the snapshot is of another version than the program.
    """
    found = dict(schema)
    for field in _fields(row_type):
        for column in field.columns:
            kind = found.get(column)
            if kind is None or not (kind == pl.Null or any(_FITS[each](kind) for each in field.types)):
                wanted = " or ".join(each.__name__ for each in field.types)
                raise SnapshotError(
                    f"{row_type.__name__}: column {column} is {kind or 'missing'}, {wanted} was expected; "
                    "run `opsmetrics run` to publish a snapshot of this version"
                )


def _made(row_type: type[R], frame: pl.DataFrame) -> Iterator[R]:
    wanted = _fields(row_type)
    # Column by column: to select them first, and to ask for rows, takes ten times as long for one row, twice for many.
    values = zip(*(frame.get_column(name).to_list() for field in wanted for name in field.columns), strict=True)
    if all(len(field.columns) == 1 for field in wanted):
        return (row_type(*row) for row in values)
    return (row_type(*_with_texts(wanted, row)) for row in values)


@lru_cache(_KEPT_TEXTS)
def _text(nb: str, en: str) -> Text:
    """A text, made once: thousands of rows bear the same few titles."""
    return Text.model_construct(nb=nb, en=en)


def _with_texts(wanted: tuple[_Field, ...], row: tuple[Any, ...]) -> Iterator[Any]:
    rest = iter(row)
    for field in wanted:
        value = next(rest)
        if len(field.columns) == 1:
            yield value
        else:
            other = next(rest)
            yield None if value is None else _text(value, other)

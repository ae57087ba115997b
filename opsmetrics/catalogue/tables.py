"""The table that each SQL file must make, whatever the form of its header.

Does not belong here: tables that Python makes; they are declared beside their rows (``opsmetrics.warehouse``).
"""

from __future__ import annotations

from dataclasses import replace

from opsmetrics.catalogue.model import Catalogue
from opsmetrics.catalogue.schemas import BY_NAME
from opsmetrics.catalogue.sqlfile import SqlFile, headed_table
from opsmetrics.core.declare import Column, Table, day, texts
from opsmetrics.core.errors import SqlFileError
from opsmetrics.streams import STREAMS


def table_of(file: SqlFile, catalogue: Catalogue) -> Table:
    """Return the declaration that a file's header states.

    Raises:
        SqlFileError: The header breaks its form, or states a key or range of a column that it does not declare.
    """
    try:
        if file.schema == "metrics":
            return catalogue.metric(file.name).table
        if file.schema == "gates":
            return next(gate.table for gate in catalogue.gates if gate.file is file)
        if BY_NAME[file.schema].header == "unscored":
            return next(item.table for item in catalogue.unscored if item.file is file)
        return _model(file)
    except ValueError as error:
        raise SqlFileError(f"{file.path}: {error}") from error


def _model(file: SqlFile) -> Table:
    model = file.model
    if model.like_stream is None:
        return headed_table(file.table, model.title, model.columns, model.key, model.ranges)
    stream = STREAMS[model.like_stream]
    columns = tuple(
        # Staging repeats the contract's types; only what identifies a row is checked again for being there.
        _ranged(_staged(column, column.name in stream.key), model.ranges)
        for column in stream.columns
    )
    own = [day("day", "Local day of the row; null = its stream is not delivered by days")]
    if any(column.or_none for column in stream.columns):
        own.append(texts("untold", "Columns that the row's source cannot tell: empty there says nothing at all"))
    return Table(file.table, model.title, (*columns, *own), stream.key)


def _staged(column: Column, is_key: bool) -> Column:  # noqa: FBT001 - private, one caller
    return replace(column, required=column.required and is_key, one_of=(), doc=column.doc_of_empty)


def _ranged(column: Column, ranges: dict[str, tuple[float, float]]) -> Column:
    low, high = ranges.get(column.name, (None, None))
    return replace(column, low=low, high=high)

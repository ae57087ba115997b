"""Every table that a snapshot holds, by its declaration, whoever makes it.

Does not belong here: the declarations; SQL headers and the modules that make the rows hold them.
"""

from __future__ import annotations

from collections.abc import Mapping

from opsmetrics.catalogue import Catalogue
from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.catalogue.tables import table_of
from opsmetrics.core.declare import Table
from opsmetrics.scoring.tables import TABLES as SCORES
from opsmetrics.streams import PUBLISHED_SCORES, STREAMS
from opsmetrics.warehouse.changed_instants import BUILT_SCORES
from opsmetrics.warehouse.load_tables import TABLES as LOADS
from opsmetrics.warehouse.load_tables import raw_table
from opsmetrics.warehouse.materialize import BUILT_DAYS
from opsmetrics.warehouse.reference.write import TABLES as REFERENCE
from opsmetrics.warehouse.unchanged import BUILT_TABLES


def python_tables() -> tuple[Table, ...]:
    """Return the tables that Python makes, without those of ``raw``."""
    return (*SCORES.values(), *REFERENCE, *LOADS, BUILT_DAYS, BUILT_TABLES, BUILT_SCORES)


def declared_tables(files: Mapping[str, SqlFile], catalogue: Catalogue) -> dict[str, Table]:
    """Return every table of a snapshot by its qualified name.

    Raises:
        SqlFileError: A header breaks its form.
        ValueError: Two declarations have one name.
    """
    tables = [
        *python_tables(),
        *(raw_table(stream) for stream in (*STREAMS.values(), PUBLISHED_SCORES)),
        *(table_of(file, catalogue) for file in files.values()),
    ]
    found = {table.name: table for table in tables}
    if len(found) != len(tables):
        names = [table.name for table in tables]
        raise ValueError(f"declared twice: {sorted({name for name in names if names.count(name) > 1})}")
    return found

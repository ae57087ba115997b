"""The SQL files in Spark's words: one definition, translated by SQLGlot, and refused where the meaning could change.

SQLGlot passes over in silence what it does not know and turns some exact functions into approximate ones; so every
function that is not known to mean the same is refused here, and a test holds each file's rows against DuckDB's.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from opsmetrics.core.errors import SqlFileError

# SQLGlot's "spark" writes `qualify` as a subquery with columns twice; Spark 4 knows it, as its "databricks" does.
TARGET = "databricks"
# Functions that SQLGlot takes for unknown, by the name that Spark has for them.
RENAMED = {"EPOCH_US": "UNIX_MICROS"}
INEXACT = (exp.ApproxDistinct, exp.ApproxQuantile, exp.ApproxTopK, exp.PercentileCont, exp.PercentileDisc, exp.Median)


def to_spark_sql(text: str, place: str) -> tuple[str, frozenset[str]]:
    """Translate one select.

    Args:
        text: A select in DuckDB's words.
        place: File or purpose, for messages.

    Returns:
        The select in Spark's words, its tables renamed from ``schema.name`` to ``schema__name``; and these tables as
        they were written.

    Raises:
        SqlFileError: A part of it has no translation that is known to mean the same.
    """
    try:
        tree = sqlglot.parse_one(text, read="duckdb")
        for table in tree.find_all(exp.Table):
            if isinstance(table.this, exp.Func):
                raise _refused(place, f"table function {table.sql()}")
        tables = frozenset(f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db)
        for table in list(tree.find_all(exp.Table)):
            if table.db:
                name = exp.to_identifier(f"{table.db}__{table.name}")
                table.replace(exp.Table(this=name, alias=table.args.get("alias")))
        for function in list(tree.find_all(exp.Func)):
            if isinstance(function, INEXACT):
                raise _refused(place, f"{function.sql(dialect='duckdb')}, of which engines have differing versions")
            if isinstance(function, exp.Anonymous):
                name = function.name.upper()
                if name not in RENAMED:
                    raise _refused(place, f"function {function.name}")
                function.set("this", RENAMED[name])
        return tree.sql(dialect=TARGET, unsupported_level=sqlglot.ErrorLevel.RAISE, comments=False), tables
    except SqlglotError as error:
        raise _refused(place, str(error).split("\n", maxsplit=1)[0]) from error


def _refused(place: str, what: str) -> SqlFileError:
    fix = "write it with functions that both engines have, or add the translation with a test (warehouse/dialect.py)"
    return SqlFileError(f"{place}: no translation to Spark is known for {what}\n    fix: {fix}")

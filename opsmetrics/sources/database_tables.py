"""Read a table of a database for a query: SQLite as a file, PostgreSQL and MySQL by an address in the environment.

Only the columns that the select names are asked for, in a transaction that cannot write; the address and what the
database says of it are never repeated.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import polars as pl

from opsmetrics.core.errors import Problem, SourceError
from opsmetrics.core.extras import install_line
from opsmetrics.core.settings import secret
from opsmetrics.organisation.queries import QueryTable
from opsmetrics.sources.database_tls import ADVICE, mysql_options, postgres_options
from opsmetrics.sources.raw_table import FILE, NUL, Collector, RawTable, folded, unreadable

_CHUNK = 10_000
_CONNECT_SECONDS = 15
_ANSWER_SECONDS = 600
MAX_ROWS = 50_000_000


def read_sqlite(path: Path, table: str, wanted: Container[str]) -> RawTable:
    """Read a table of a SQLite file.

    Raises:
        SourceError: It is no SQLite file, or has no such table.
    """
    try:
        with closing(_opened(path)) as con:
            return _collected(con.cursor(), table, '"', wanted)
    except sqlite3.Error as error:
        fix = f"check that it is a SQLite file and has a table {table!r}"
        raise unreadable(path, None, f"the table {table!r} cannot be read ({type(error).__name__})", fix) from error


def sqlite_columns(path: Path) -> dict[str, list[str]]:
    """Return the tables and views of a SQLite file with their columns.

    Raises:
        sqlite3.Error: It is no SQLite file.
    """
    with closing(_opened(path)) as con:
        rows = con.execute(
            "select m.name, c.name from sqlite_master as m, pragma_table_info(m.name) as c"
            " where m.type in ('table', 'view')"
        )
        found: dict[str, list[str]] = {}
        for table, column in rows:
            found.setdefault(table, []).append(column)
    return found


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file that is only read.

    Without a log of changes beside it nothing of it can change, which SQLite must be told: of a file that was written
    with such a log it would else make two more in the folder, and open none where it may not write.
    """
    log = path.with_name(f"{path.name}-wal")
    frozen = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro{frozen}", uri=True)


def read_table_of(source: QueryTable, wanted: Container[str], most_rows: int | None) -> pl.DataFrame:
    """Read a table of a PostgreSQL or MySQL database.

    Args:
        source: Where the address is, and which table.
        wanted: Folded names of the columns to keep.
        most_rows: Rows to read; None for all.

    Raises:
        SourceError: The variable is not set, its driver is not installed, or the database refuses.
    """
    with _connected(source) as (cursor, mark):
        table = _collected(cursor, source.table, mark, wanted, most_rows)
    return table.data.with_columns(table.lines.alias("_line"), pl.lit(source.table).alias(FILE))


@contextmanager
def _connected(source: QueryTable) -> Generator[tuple[Any, str]]:
    """Yield a cursor and the quotation mark of names."""
    variable = source.connection_env
    address = secret(variable)
    if address is None:
        raise SourceError(Problem(variable, None, f"{variable} is not set", "put the database's address into it"))
    scheme = address.partition("://")[0].partition("+")[0].lower()
    opened: dict[str, Callable[[QueryTable, str], Any]] = {
        "postgresql": _postgres,
        "postgres": _postgres,
        "mysql": _mysql,
        "mariadb": _mysql,
    }
    if scheme not in opened:
        fix = f"let {variable} begin with postgresql:// or mysql://; name a SQLite file under files"
        raise SourceError(Problem(variable, None, "the address is of no database that is known", fix))
    try:
        with closing(opened[scheme](source, address)) as con, closing(con.cursor()) as cursor:
            yield cursor, "`" if opened[scheme] is _mysql else '"'
    except ModuleNotFoundError as error:
        message = f"the driver {error.name} is not installed"
        raise SourceError(Problem(variable, None, message, install_line("databases"))) from error
    except SourceError:
        raise
    except Exception as error:  # each driver has errors of its own, and none of their texts may be repeated
        message = f"the table {source.table!r} cannot be read ({type(error).__name__})"
        fix = f"check the address in {variable}, the table's name and the right to read it; {ADVICE}"
        raise SourceError(Problem(variable, None, message, fix)) from error


def _postgres(source: QueryTable, address: str) -> Any:
    import psycopg2
    from psycopg2.extensions import parse_dsn

    limit = f"-c statement_timeout={_ANSWER_SECONDS * 1000}"
    with postgres_options(source, parse_dsn(address)) as proof:
        con = psycopg2.connect(
            address, connect_timeout=_CONNECT_SECONDS, application_name="opsmetrics", options=limit, **proof
        )
    con.set_session(readonly=True, isolation_level="REPEATABLE READ")
    return con


def _mysql(source: QueryTable, address: str) -> Any:
    import pymysql

    parts = urlsplit(address)
    con = pymysql.connect(
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_ANSWER_SECONDS,
        charset="utf8mb4",
        cursorclass=pymysql.cursors.SSCursor,
        **mysql_options(source, parts.hostname or ""),
    )
    with con.cursor() as cursor:
        cursor.execute("start transaction read only")
    return con


def _collected(cursor: Any, table: str, mark: str, wanted: Container[str], most_rows: int | None = None) -> RawTable:
    """Return the wanted columns of a table, cells as text."""
    name = ".".join(f"{mark}{part}{mark}" for part in table.split("."))
    cursor.execute(f"select * from {name} where 1 = 0")
    names = [str(column[0]) for column in cursor.description]
    cursor.fetchall()
    kept = [each for each in names if folded(each) in wanted]
    columns = ", ".join(f"{mark}{each.replace(mark, mark * 2)}{mark}" for each in kept) or "1"
    # A select names columns itself; nothing of the select's text goes to the database.
    cursor.execute(f"select {columns} from {name}" + (f" limit {most_rows}" if most_rows is not None else ""))
    collector = Collector()
    for number, row in enumerate(_fetched(cursor), 1):
        if number > MAX_ROWS:
            message = f"the table {table!r} has more than {MAX_ROWS} rows"
            raise SourceError(Problem(table, None, message, "make a view of the rows that are needed"))
        cells = {each: _text(cell) for each, cell in zip(kept, row, strict=False)}
        reason = f"a cell holds {NUL}" if any("\0" in cell for cell in cells.values() if cell) else None
        collector.add(number, {} if reason else cells, reason)
    return collector.table(names, kept)


def _fetched(cursor: Any) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


def _text(cell: Any) -> str | None:  # noqa: PLR0911 - one return per type
    match cell:
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case datetime():
            aware = cell.astimezone(UTC).replace(tzinfo=None) if cell.tzinfo else cell
            return aware.isoformat(sep=" ") + ("Z" if cell.tzinfo else "")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell.total_seconds())
        case Decimal():
            return format(cell, "f")
        case bytes() | memoryview():
            return bytes(cell).decode(errors="replace")
        case dict() | list():
            return json.dumps(cell, ensure_ascii=False)
        case _:
            return str(cell)

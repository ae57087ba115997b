"""A query over a table of PostgreSQL: a real server, only the columns that are named, and no secret in any message."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg2
import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.core.sqlheader import read_header
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.sources import database_tables, query_run
from opsmetrics.sources.query_run import answer
from tests.postgres import POSTGRES

SELECT = """-- source = "desk"
-- tables.ticket = { connection_env = "DESK_DB", table = "public.ticket" }
select _file, _line, id as incident_id, service as service_id, severity, opened as declared_at from ticket
"""


def query_of(text: str = SELECT) -> QuerySource:
    return QuerySource.model_validate(read_header(text) | {"name": "incidents", "path": "x.sql", "sql": text})


@pytest.fixture(scope="module")
def address():
    """A PostgreSQL with a table of tickets."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        command = [sys.executable, "-c", POSTGRES, folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            try:
                found = server.stdout.readline().strip()
                con = psycopg2.connect(found)
                with con, con.cursor() as cursor:
                    cursor.execute(
                        "create table ticket (id text, service text, severity int, opened timestamptz, due date,"
                        " cost numeric(10, 2), is_big boolean, caller text)"
                    )
                    cursor.execute(
                        "insert into ticket values ('i1', 'web', 1, '2026-08-01 12:00+02', '2026-08-03', 1.50, true, 'Ola')"
                    )
                con.close()
                yield found
            finally:
                server.stdin.close()
                server.wait(timeout=60)


def test_a_table_of_postgresql_is_an_input(address, monkeypatch):
    monkeypatch.setenv("DESK_DB", address)
    seen = {}
    run = query_run._run
    monkeypatch.setattr(
        query_run, "_run", lambda query, inputs, *rest: (seen.update(inputs), run(query, inputs, *rest))[1]
    )
    found = answer(query_of(), (Path(),), "x.sql")
    assert found.table.data.rows() == [("i1", "web", "1", "2026-08-01 10:00:00Z")]
    assert (found.table.files.to_list(), found.table.lines.to_list()) == (["public.ticket"], [1])
    assert "caller" not in seen["ticket"].frame.columns


def test_cells_of_every_type_are_text_as_iso_writes_them(address, monkeypatch):
    monkeypatch.setenv("DESK_DB", address)
    select = SELECT.replace("severity, opened as declared_at", "due, cost, is_big")
    assert answer(query_of(select), (Path(),), "x.sql").table.data.row(0)[2:] == ("2026-08-03", "1.50", "true")


@pytest.mark.parametrize(
    ("value", "table", "said"),
    [
        (None, "public.ticket", "DESK_DB is not set"),
        ("https://user:hunter2@example.org", "public.ticket", "of no database that is known"),
        ("postgresql://user:hunter2@127.0.0.1:1/none", "public.ticket", "cannot be read (OperationalError)"),
        ("mysql://user:hunter2@127.0.0.1:1/none", "ticket", "cannot be read (OperationalError)"),
        ("real", "public.nothing", "cannot be read (UndefinedTable)"),
    ],
)
def test_what_is_wrong_is_told_without_the_address(address, monkeypatch, value, table, said):
    if value is None:
        monkeypatch.delenv("DESK_DB", raising=False)
    else:
        monkeypatch.setenv("DESK_DB", address if value == "real" else value)
    with pytest.raises(SourceError) as caught:
        answer(query_of(SELECT.replace("public.ticket", table)), (Path(),), "x.sql")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (datetime(2026, 8, 1, 12, tzinfo=UTC), "2026-08-01 12:00:00Z"),
        (datetime(2026, 8, 1, 12), "2026-08-01 12:00:00"),  # noqa: DTZ001 - a column without zone
        (date(2026, 8, 1), "2026-08-01"),
        ({"a": 1}, '{"a": 1}'),
        (b"abc", "abc"),
        (None, None),
    ],
)
def test_cells_of_drivers_are_text(cell, text):
    assert database_tables._text(cell) == text

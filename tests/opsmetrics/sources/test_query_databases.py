"""A query over a table of PostgreSQL (a real server) or MySQL (its wire): only the named columns, and no secret told."""

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
from tests.mysql_wire import DATE, DATETIME, LONG, NEWDECIMAL, STRING, TIME, TINY, Answer, mysql_server
from tests.patience import LIMIT_SECONDS
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
                server.wait(timeout=LIMIT_SECONDS)


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


TICKET = [("id", STRING), ("service", STRING), ("opened", DATETIME), ("due", DATE), ("cost", NEWDECIMAL)]
TICKET += [("is_big", TINY), ("spent", TIME), ("severity", LONG), ("caller", STRING)]
ROW = ("i1", "Søknad", "2026-08-01 12:00:00", "2026-08-03", "1.50", "1", "01:30:00", "2")


def test_a_table_of_mysql_is_an_input(monkeypatch):
    select = """-- source = "desk"
-- tables.ticket = { connection_env = "DESK_DB", table = "desk.ticket" }
select _file, _line, id, service, opened, due, cost, is_big, spent, severity from ticket
"""
    kept = ", ".join(f"`{name}`" for name, _ in TICKET[:-1])
    answers = {
        "select * from `desk`.`ticket` where 1 = 0": Answer(TICKET),
        f"select {kept} from `desk`.`ticket`": Answer(TICKET[:-1], [ROW, ("i2", None, *ROW[2:])]),
    }
    with mysql_server(answers) as (address, asked):
        monkeypatch.setenv("DESK_DB", address)
        found = answer(query_of(select), (Path(),), "x.sql")
    rows = found.table.data.rows()
    assert rows[0] == ("i1", "Søknad", "2026-08-01 12:00:00", "2026-08-03", "1.50", "1", "5400.0", "2")
    assert rows[1][1] is None
    assert (found.table.files.to_list(), found.table.lines.to_list()) == (["desk.ticket"] * 2, [1, 2])
    assert asked.signed_in == [("reader", "desk")]
    # Nothing is written, the caller is not asked for, and none of the select's own text goes there.
    assert "start transaction read only" in asked.questions
    assert not [said for said in asked.questions if "caller" in said or "_line" in said]


def test_what_mysql_says_of_a_table_that_is_not_there_is_not_repeated(monkeypatch):
    with mysql_server({}) as (address, _):
        monkeypatch.setenv("DESK_DB", address)
        with pytest.raises(SourceError) as raised:
            answer(query_of(SELECT.replace("public.ticket", "ticket")), (Path(),), "x.sql")
    said = str(raised.value)
    assert "'ticket' cannot be read (ProgrammingError)" in said
    assert "secret-of-the-server" not in said
    assert "hunter2" not in said


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

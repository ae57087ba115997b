"""A source is a query: what it may read, how it fails, and that its rows land as those of any other source."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
import xlsxwriter

from opsmetrics.core.errors import ConfigurationError, SourceError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.core.sqlheader import read_header
from opsmetrics.landing import PARTIAL, SILENT
from opsmetrics.operations.inspection import query_head
from opsmetrics.operations.trying import sources_to_try, try_source
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.advice import advice
from opsmetrics.organisation.queries import QuerySource
from opsmetrics.recipes.shape import shapes_of
from opsmetrics.sources import files, pull_stream, query_run
from opsmetrics.sources.claims import DAY
from opsmetrics.sources.database_tables import read_sqlite, sqlite_columns
from opsmetrics.sources.query_inputs import Everything, files_of
from opsmetrics.sources.query_run import answer
from opsmetrics.sources.query_tree import parsed
from opsmetrics.streams import STREAMS

TODAY = date(2026, 9, 2)
HEADER = '-- source = "desk"\n-- files = { item = "items.csv" }\n'
SELECT = "select _file, _line, id as incident_id, service as service_id, severity, opened as declared_at from item\n"
ITEMS = "id,service,severity,opened\ni1,web,1,2026-08-01T10:00:00Z\ni2,web,2,2026-08-03T10:00:00Z\n"


def query_of(text: str, stream: str = "incidents") -> QuerySource:
    return QuerySource.model_validate(
        read_header(text) | {"name": stream, "path": "sources/incidents.sql", "sql": text}
    )


def settings_of(small, tmp_path) -> Settings:
    return Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())


@pytest.fixture
def desk(small):
    """A small organisation whose incidents come from a query; returns how the query and its file are written."""
    sources = (small / "sources.toml").read_text(encoding="utf-8").split("[[stream]]")
    kept = [part for part in sources[1:] if 'name = "incidents"' not in part]
    (small / "sources.toml").write_text("[[stream]]".join([sources[0], *kept]), encoding="utf-8")
    (small / "sources").mkdir()

    def write(query: str = HEADER + SELECT, **contents: str) -> None:
        (small / "sources" / "incidents.sql").write_text(query, encoding="utf-8")
        for name, content in ({"items": ITEMS} | contents).items():
            (small / "data" / f"{name}.csv").write_text(content, encoding="utf-8")

    write()
    return write


# --- what a query may say ---


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("select * from read_text('/etc/passwd')", "read_text() cannot be called"),
        ("select * from read_csv('items.csv')", "read_csv() cannot be called"),
        ("select * from glob('/etc/*')", "glob() cannot be called"),
        ("select * from duckdb_secrets()", "duckdb_secrets() cannot be called"),
        ("select * from query('select 1')", "query() cannot be called"),
        ("select * from query_table('item')", "query_table() cannot be called"),
        ("select * from '/etc/passwd'", "no input '/etc/passwd'"),
        ("select * from 'items.csv'", "no input 'items.csv'"),
        ("select * from information_schema.tables", "no input 'tables'"),
        ("select * from duckdb_settings", "no input 'duckdb_settings'"),
        ("select id from item where exists (select 1 from read_blob('/etc/passwd'))", "read_blob() cannot be called"),
        ("with x as (select * from read_parquet('x')) select * from x", "read_parquet() cannot be called"),
        ("select current_setting('home_directory') from item", "current_setting() says another thing"),
        ("select getvariable('x') from item", "getvariable() says another thing"),
        ("select now() from item", "now() says another thing"),
        ("select current_date from item", "says another thing"),
        ("select random() from item", "random() says another thing"),
        ("select nextval('s') from item", "nextval() says another thing"),
        ("select sleep_ms(100000) from item", "sleep_ms() says another thing"),
        ("select system.main.version() from item", "version() cannot be called"),
        ("copy item to '/tmp/x.csv'", "this is no select"),
        ("attach '/tmp/x.db' as x", "this is no select"),
        ("install httpfs", "this is no select"),
        ("load httpfs", "this is no select"),
        ("set memory_limit = '100GB'", "this is no select"),
        ("pragma database_list", "this is no select"),
        ("create table x as select 1", "this is no select"),
        ("export database '/tmp/x'", "this is no select"),
        ("call pragma_version()", "this is no select"),
        ("describe item", "are not tables"),
        ("select * from (show tables)", "are not tables"),
        ("with x as (insert into item values (1) returning *) select * from x", "a query may only read"),
        ("select 1; select 2", "more than one statement"),
        ("select $1 from item", "no parameters"),
        ("selec id from item", "no valid SQL"),
        ("select * from items", "did you mean 'item'?"),
    ],
)
def test_a_query_reads_its_inputs_and_nothing_else(select, said):
    with pytest.raises(SourceError) as caught:
        parsed(query_of(HEADER + select), "incidents.sql")
    assert said in str(caught.value)
    # File, line and fix, as everywhere.
    assert (caught.value.problem.file, caught.value.problem.fix != "") == ("incidents.sql", True)
    assert caught.value.problem.line is not None


def test_an_error_names_the_line_of_the_file(tmp_path):
    select = "select\n    id as incident_id,\n    servic as service_id\nfrom item\n"
    (tmp_path / "items.csv").write_text(ITEMS)
    with pytest.raises(SourceError) as caught:
        answer(query_of(HEADER + select), (tmp_path,), "incidents.sql")
    assert caught.value.problem.line == 5
    assert "servic" in caught.value.problem.message


def test_an_error_names_the_columns_that_there_are_and_the_list_whose_records_may_be_meant(tmp_path):
    """Of a file that is one object the engine knows nothing but its own columns."""
    (tmp_path / "items.csv").write_text(ITEMS)
    whole = {"version": "1", "beats": [{"monitor": 1, "time": "Ola Nordmann"}]}
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    header = '-- source = "desk"\n-- files = { item = "items.csv", beat = "whole.json" }\n'
    with pytest.raises(SourceError) as caught:
        answer(query_of(f"{header}select servic as service_id from item, beat"), (tmp_path,), "q.sql")
    fix = caught.value.problem.fix
    assert "item has id, service, severity, opened" in fix
    assert 'beat has version, beats; its rows may be those of a list: write records = "beats" in the header' in fix
    assert "Ola" not in str(caught.value)


def test_what_a_row_holds_is_never_repeated(tmp_path):
    (tmp_path / "items.csv").write_text("id,at\nOla Nordmann,x\n")
    with pytest.raises(SourceError) as caught:
        answer(query_of(f"{HEADER}select\n    cast(id as integer) as incident_id\nfrom item"), (tmp_path,), "q.sql")
    assert "Ola" not in str(caught.value)
    assert caught.value.problem.line == 4


def test_only_the_columns_that_are_named_leave_the_file(tmp_path, monkeypatch):
    (tmp_path / "items.csv").write_text("id,caller\ni1,Ola Nordmann\n")
    seen = {}
    run = query_run._run
    monkeypatch.setattr(
        query_run, "_run", lambda query, inputs, *rest: (seen.update(inputs), run(query, inputs, *rest))[1]
    )
    answer(query_of(f"{HEADER}select id as incident_id from item"), (tmp_path,), "q.sql")
    assert set(seen["item"].frame.columns) == {"id", "_file", "_line", "_modified_at"}


# --- walls behind the first one ---


def in_the_sandbox(tmp_path, select: str, **limits: int) -> SourceError:
    """The error of a select that got past the parser."""
    header = "".join(f"-- {name} = {value}\n" for name, value in limits.items())
    query = query_of(f'-- source = "x"\n-- files = {{ item = "items.csv" }}\n{header}{select}')
    tree = parsed(query_of(f"{HEADER}select id from item"), "q.sql")
    with pytest.raises(SourceError) as caught:
        query_run._run(query, {}, tree, tmp_path, "q.sql", {})
    return caught.value


@pytest.mark.usefixtures("own_sandbox")
@pytest.mark.parametrize(
    "select",
    [
        "select * from read_text('/etc/passwd')",
        "select * from read_json('https://example.org/x.json')",
        "select * from glob('/etc/*')",
        "attach '/tmp/never.db' as x",
        "copy (select 1) to '/tmp/never.csv'",
    ],
)
def test_the_process_itself_reaches_no_file_and_no_network(tmp_path, select):
    error = in_the_sandbox(tmp_path, select)
    assert "root:" not in str(error)
    assert not list(tmp_path.glob("out.parquet"))


@pytest.mark.usefixtures("own_sandbox")
@pytest.mark.parametrize(
    ("select", "seconds", "said"),
    [
        # Endless, and counted by DuckDB; endless, and not. What fills memory gets the time for it on any machine.
        (
            "with recursive r(i) as (select 1 union all select i from r, range(10)) select count(*) from r",
            600,
            "of memory",
        ),
        ("select length(repeat('x', 4000000000)) as n", 600, "of memory"),
        (
            "with recursive r(i) as (select 1 union all select i + 1 from r) select max(i) from r",
            1,
            "longer than 1 seconds",
        ),
    ],
)
def test_a_bomb_meets_its_limit_and_says_so(tmp_path, select, seconds, said):
    error = in_the_sandbox(tmp_path, select, memory_mb=256, seconds=seconds)
    assert said in str(error)
    assert "memory_mb" in error.problem.fix


# --- files ---


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd.csv", "a/../../secret.csv", "../*.csv"])
def test_no_path_leads_out_of_the_folder(tmp_path, path):
    (tmp_path / "secret.csv").write_text(ITEMS)
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(SourceError, match="leads out of the configured folder"):
        files_of(query_of(HEADER.replace("items.csv", path) + SELECT), (root,), "q.sql")


def test_no_link_leads_out_of_the_folder(tmp_path):
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text(ITEMS)
    (root / "in" / "items.csv").symlink_to(tmp_path / "secret.csv")
    for path in ("in/items.csv", "in/*.csv", "**/*.csv"):
        with pytest.raises(SourceError, match="is a link that leads out"):
            files_of(query_of(HEADER.replace("items.csv", path) + SELECT), (root,), "q.sql")


FORMS = {
    "items.csv": (ITEMS.encode(), ""),
    "semicolons.csv": (ITEMS.replace(",", ";").encode("windows-1252"), 'encoding = "windows-1252"'),
    "wide.csv": (ITEMS.replace(",", "\t").encode("utf-16"), ""),
    "pipes.txt": (("Export of today\n" + ITEMS.replace(",", "|")).encode(), 'delimiter = "|", skip_lines = 1'),
    "array.json": (
        json.dumps([{"id": "i1", "service": "web", "severity": 1, "opened": "2026-08-01T10:00:00Z"}]).encode(),
        "",
    ),
    "inner.json": (
        json.dumps(
            {"data": {"items": [{"id": "i1", "service": "web", "severity": 1, "opened": "2026-08-01T10:00:00Z"}]}}
        ).encode(),
        'records = "data.items"',
    ),
    "lines.jsonl": (b'{"id":"i1","service":"web","severity":1,"opened":"2026-08-01T10:00:00Z"}\n', ""),
}


@pytest.mark.parametrize("name", FORMS)
def test_text_in_any_form_gives_the_same_rows(tmp_path, name):
    content, settings = FORMS[name]
    (tmp_path / name).write_bytes(content)
    header = f'-- source = "x"\n-- files.item = {{ path = "{name}"{", " + settings if settings else ""} }}\n'
    table = answer(query_of(header + SELECT), (tmp_path,), "q.sql").table
    assert table.data.row(0) == ("i1", "web", "1", "2026-08-01T10:00:00Z")
    assert (table.files[0], table.lines[0]) == (name, 1 if "json" in name else 3 if name == "pipes.txt" else 2)


def test_workbooks_parquet_and_sqlite_give_rows_too(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as book:
        sheet = book.add_worksheet("Saker")
        sheet.write_row(0, 0, ["id", "service", "severity", "opened", "Ærlig?"])
        sheet.write_row(1, 0, ["i1", "web", 1])
        sheet.write_datetime(1, 3, datetime(2026, 8, 1, 10, 0), book.add_format({"num_format": "dd.mm.yyyy hh:mm"}))  # noqa: DTZ001 - a workbook knows no zone
    pl.DataFrame(
        {"id": ["i1"], "service": ["web"], "severity": [1], "opened": [datetime(2026, 8, 1, 10, tzinfo=UTC)]}
    ).write_parquet(tmp_path / "items.parquet")
    with sqlite3.connect(tmp_path / "desk.sqlite") as con:
        con.execute("create table ticket (id text, service text, severity integer, opened text, caller text)")
        con.execute("insert into ticket values ('i1', 'web', 1, '2026-08-01T10:00:00Z', 'Ola')")
    con.close()
    organisation = load_organisation_with(tmp_path)
    for path in (
        '"book.xlsx"',
        '{ path = "book.xlsx", sheet = "Saker" }',
        '"items.parquet"',
        '{ path = "desk.sqlite", table = "ticket" }',
    ):
        query = query_of(f'-- source = "x"\n-- files = {{ item = {path} }}\n-- naive_time = "UTC"\n{SELECT}')
        reading = files.Reading(organisation, query, STREAMS["incidents"], tmp_path, TODAY)
        frame = files.read_rows(reading, tmp_path / "q.sql").frame
        assert frame["_reason"].to_list() == [None], path
        assert frame.select("incident_id", "severity", "declared_at").rows() == [
            ("i1", 1, datetime(2026, 8, 1, 10, tzinfo=UTC))
        ]


def load_organisation_with(folder):
    """An organisation of one team, for what needs its zone only."""
    texts = {
        "organisation.toml": 'id = "x"\nname = { nb = "X", en = "X" }\nhistory_from = 2026-07-01\n[environments]\nprod = ["p"]\n',
        "teams.toml": '[[team]]\nid = "a"\nname = { nb = "A", en = "A" }\ntype = "product"\nonboarded_on = 2026-01-01\n',
        "services.toml": '[[service]]\nid = "web"\nname = { nb = "W", en = "W" }\ncriticality = "critical"\n'
        'owners = [{ team = "a", from = 2025-01-01 }]\n',
        "sources.toml": "",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_organisation(folder)


@pytest.mark.parametrize(
    ("name", "content", "settings", "said"),
    [
        ("x.csv", "id,å\n".encode("latin-1"), "", 'encoding = "windows-1252"'),
        ("x.csv", b"", "", "the file is empty"),
        ("x.json", b'[{"id": ', "", "no valid JSON"),
        ("x.json", b'{"id": 1}\n{"id": 2}\n', "", 'one record a line is format = "jsonl"'),
        ("x.json", b'{"items": []}', ', records = "data"', "the file has items"),
        ("x.xlsx", b"PK", "", "no readable workbook"),
        ("x.sqlite", b"SQL", ', table = "t"', "cannot be read"),
        ("x.parquet", b"PAR1", "", "no readable Parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_a_fix(tmp_path, name, content, settings, said):
    (tmp_path / name).write_bytes(content)
    header = f'-- source = "x"\n-- files.item = {{ path = "{name}"{settings} }}\n'
    with pytest.raises(SourceError) as caught:
        answer(query_of(header + SELECT), (tmp_path,), "q.sql")
    assert said in str(caught.value)


def test_a_database_with_a_log_of_changes_leaves_nothing_in_the_folder(tmp_path):
    """SQLite makes two files beside one that was written so, and refuses where it may not make them."""
    with closing(sqlite3.connect(tmp_path / "kuma.db")) as con:
        con.execute("pragma journal_mode = wal")
        con.execute("create table heartbeat (id, status)")
        con.execute("insert into heartbeat values (1, 1)")
        con.commit()
    assert read_sqlite(tmp_path / "kuma.db", "heartbeat", Everything()).height == 1
    assert sqlite_columns(tmp_path / "kuma.db") == {"heartbeat": ["id", "status"]}
    assert [path.name for path in tmp_path.iterdir()] == ["kuma.db"]
    with closing(sqlite3.connect(tmp_path / "kuma.db")) as con:
        con.execute("insert into heartbeat values (2, 0)")
        con.commit()
        # What is still in the log counts.
        assert read_sqlite(tmp_path / "kuma.db", "heartbeat", Everything()).height == 2


def test_a_row_that_cannot_be_split_is_set_aside_and_not_lost(small, desk):
    desk(items=ITEMS + "i3,web\n")
    organisation = load_organisation(small)
    reading = files.Reading(organisation, organisation.queries[0], STREAMS["incidents"], small / "data", TODAY)
    frame = files.read_rows(reading, small / "sources" / "incidents.sql").frame
    aside = frame.filter(pl.col("_reason").is_not_null())
    assert aside.select("_line", "_reason").rows() == [(4, "2 fields where the header names 4")]
    assert json.loads(aside["_raw"][0]) == {"_file": "items.csv"}


def test_what_cannot_be_read_stays_as_it_is_written(tmp_path):
    """Words for queries never turn a value that is there into nothing; an empty one stays empty."""
    (tmp_path / "items.csv").write_text("id,a,b\n1,x,\n2,01.08.2026 10:00,5\n")
    select = """select
        instant(a, '%d.%m.%Y %H:%M') as c1, day_of(a, '%d.%m.%Y %H:%M') as c2, instant_of_ms(a) as c3,
        instant_of_seconds(b) as c4, later('2026-01-01T00:00:00+01:00', b) as c5, later('2026-01-01T00:00:00Z', a) as c6,
        mapped(a, map { 'X': 'up' }) as c7, matched(a, '^([0-9]+)') as c8, thousandth(b) as c9, instant(b, '%d.%m.%Y') as c10,
        len(items('[1, {"a": 2}]')) as c11, len(items(null)) as c12
    from item order by id"""
    rows = answer(query_of(HEADER + select), (tmp_path,), "q.sql").table.data.rows()
    assert rows[0] == (
        "x",
        "x",
        '"x" as milliseconds',
        None,
        None,
        "2026-01-01T00:00:00Z and x seconds",
        "up",
        "x",
        None,
        None,
        2,
        0,
    )
    assert rows[1][:2] == ("2026-08-01 10:00:00.000000", "2026-08-01")
    assert rows[1][3:5] == ("1970-01-01T00:00:05.000000Z", "2026-01-01T00:00:05.000000+01:00")
    assert rows[1][6:10] == ("01.08.2026 10:00", "01", "0.005", "5")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("20261102T080500+0100", "%Y%m%dT%H%M%S%z"),
        ("20261102T070500Z", "%Y%m%dT%H%M%S%z"),
        ("20261102T070500Z", "%Y%m%dT%H%M%SZ"),
        ("2026-11-02T08:05:00+01:00", "%Y-%m-%dT%H:%M:%S%z"),
        ("Mon, 02 Nov 2026 08:05:00 +0100", "%a, %d %b %Y %H:%M:%S %z"),
        ("Mon, 02 Nov 2026 07:05:00 GMT", "%a, %d %b %Y %H:%M:%S GMT"),
        ("Mon, 02 Nov 2026 07:05:00 GMT", "%a, %d %b %Y %H:%M:%S %Z"),
        ("Mon Nov  2 07:05:00 UTC 2026", "%a %b %d %H:%M:%S UTC %Y"),
        ("Mon Nov 02 08:05:00 +0100 2026", "%a %b %d %H:%M:%S %z %Y"),
        ("02/Nov/2026:08:05:00 +0100", "%d/%b/%Y:%H:%M:%S %z"),
        ("11/02/2026 07:05:00 AM UTC", "%m/%d/%Y %I:%M:%S %p %Z"),
    ],
)
def test_a_time_that_says_its_zone_keeps_it(tmp_path, written, form):
    """It was UTC without a word, so that naive_time moved it once more."""
    select = (
        f"select instant('{written}', '{form}') as a, instant('{written}', ['%d.%m.%Y', '{form}'], id) as b from item"
    )
    (tmp_path / "items.csv").write_text("id\n1\n")
    rows = answer(query_of(HEADER + select), (tmp_path,), "q.sql").table.data.rows()
    assert rows == [("2026-11-02 07:05:00.000000Z",) * 2]


def test_a_day_of_a_time_with_an_offset_is_only_that_of_midnight_in_utc(tmp_path):
    (tmp_path / "items.csv").write_text("id\n2026-11-02T00:00:00Z\n2026-11-02T23:30:00Z\n2026-11-02T01:30:00+0100\n")
    select = "select day_of(id, ['%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%dT%H:%M:%S%z']) as a from item order by _line"
    rows = answer(query_of(HEADER + select), (tmp_path,), "q.sql").table.data["a"].to_list()
    assert rows == ["2026-11-02", "2026-11-02 23:30:00.000000Z", "2026-11-02 00:30:00.000000Z"]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        # Offsets that no place has, and names of zones that mean other times elsewhere or in summer.
        ("20261102T080500+2500", "%Y%m%dT%H%M%S%z"),
        ("20261102T080500+0199", "%Y%m%dT%H%M%S%z"),
        ("20261102T080500-1300", "%Y%m%dT%H%M%S%z"),
        ("2026-07-02 08:05:00 CET", "%Y-%m-%d %H:%M:%S %Z"),
        ("2026-07-02 08:05:00 BST", "%Y-%m-%d %H:%M:%S %Z"),
        ("2026-10-25 02:30:00 Europe/Oslo", "%Y-%m-%d %H:%M:%S %Z"),
        ("2026-11-02 08:05:00", "%Y-%m-%d %H:%M:%S %z"),
    ],
)
def test_a_zone_that_nobody_can_be_sure_of_stays_as_it_is_written(tmp_path, written, form):
    (tmp_path / "items.csv").write_text("id\n1\n")
    select = f"select instant('{written}', '{form}') as a from item"
    assert answer(query_of(HEADER + select), (tmp_path,), "q.sql").table.data.rows() == [(written,)]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("service ->> 'name'", "'service' is no JSON in items.json:2"),
        ("severity::integer", "a value of 'severity' (items.json:3) cannot be read"),
        ("strptime(opened, '%Y')", "a value of 'opened' (items.json:1) cannot be read"),
        ("concat(severity, 'x')::integer", "a value of the files cannot be read"),
    ],
)
def test_a_value_that_an_expression_cannot_read_is_found(tmp_path, expression, said):
    items = [
        {"service": {"name": "web"}, "severity": "1", "opened": "1 May"},
        {"service": "web", "severity": "2", "opened": "2026"},
        {"service": {"name": "web"}, "severity": "secret", "opened": "2026"},
    ]
    (tmp_path / "items.json").write_text(json.dumps(items))
    header = '-- source = "x"\n-- files.item = "items.json"\n'
    with pytest.raises(SourceError) as caught:
        answer(query_of(f"{header}select {expression} as a from item"), (tmp_path,), "q.sql")
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
    mended = "case when json_valid(service) then service ->> 'name' else service end"
    if "no JSON" in said:
        rows = answer(query_of(f"{header}select {mended} as a from item"), (tmp_path,), "q.sql").table.data.rows()
        assert rows == [("web",)] * 3


def test_what_every_input_has_is_no_column_of_the_source(tmp_path):
    (tmp_path / "items.json").write_text('[{"id": "i1"}]')
    table = answer(
        query_of('-- source = "x"\n-- files.item = "items.json"\nselect * from item'), (tmp_path,), "q.sql"
    ).table
    assert (table.names, table.files[0], table.lines[0]) == (("id",), "items.json", 1)


def test_what_a_select_lacks_is_told_at_once_with_what_it_may_hold(small, desk):
    desk(HEADER + "select id as incident_id, opened as declared_at from item")
    organisation = load_organisation(small)
    reading = files.Reading(organisation, organisation.queries[0], STREAMS["incidents"], small / "data", TODAY)
    with pytest.raises(SourceError) as caught:
        files.read_rows(reading, small / "sources" / "incidents.sql")
    problem = caught.value.problem
    assert problem.message == "the select gives no columns 'service_id', 'severity'"
    assert "severity (1 (critical) to 4; a whole number from 1 to 4)" in (problem.fix or "")


# --- the life of a source ---


def test_it_is_pulled_once_and_again_when_file_or_select_changes(small, desk, tmp_path):
    settings = settings_of(small, tmp_path)

    def pulled():
        (result,) = pull_stream(settings, load_organisation(small), "incidents")
        return result.origin, result.rows, result.quarantined, result.unchanged, result.error

    assert pulled() == ("desk", 2, 0, 0, None)
    assert pulled() == ("desk", 0, 0, 1, None)
    desk(items=ITEMS + "i3,web,3,2026-08-04T10:00:00Z\n")
    assert pulled()[1:3] == (1, 0)
    desk(HEADER + SELECT.replace("severity,", "'4' as severity,"), items=ITEMS + "i3,web,3,2026-08-04T10:00:00Z\n")
    assert pulled()[1] == 3
    (small / "data" / "items.csv").unlink()
    assert "there is no file 'items.csv'" in (pulled()[4] or "")


def test_monthly_files_are_one_source(small, desk, tmp_path):
    desk(
        HEADER.replace("items.csv", "desk-*.csv") + SELECT, **{"desk-07": ITEMS, "desk-08": ITEMS.replace("i", "j", 5)}
    )
    (small / "data" / "desk-08.csv").write_text("id,service,severity,opened\nj1,web,1,2026-08-05T10:00:00Z\n")
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert (result.rows, result.error) == (3, None)
    # Two stars mean folders only where they stand alone.
    desk(HEADER.replace("items.csv", "desk-**.csv") + SELECT)
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert (result.unchanged, result.error) == (1, None)


def test_a_line_that_is_no_record_is_set_aside_also_where_whole_records_are_asked_for(tmp_path):
    (tmp_path / "items.jsonl").write_text('{"id": "i1"}\n{"id": "i2\n')
    query = query_of(HEADER.replace("items.csv", "items.jsonl") + "select _file, _line, id, _json as whole from item")
    table = answer(query, (tmp_path,), "q.sql").table
    assert (table.data["id"].to_list(), table.broken.to_list()) == (["i1", None], [None, "no valid JSON"])


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx", "db"])
def test_blanks_around_a_cell_are_none_of_it(tmp_path, kind):
    """A select that asks whether it is closed would take ``closed `` for open."""
    path, row = tmp_path / f"items.{kind}", ("i1 ", " closed\u00a0")
    match kind:
        case "csv":
            path.write_text(f"id,state\n{','.join(row)}\n")
        case "json":
            path.write_text(json.dumps([dict(zip(("id", "state"), row, strict=True))]))
        case "xlsx":
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet()
                sheet.write_row(0, 0, ["id", "state"])
                sheet.write_row(1, 0, row)
        case _:
            with closing(sqlite3.connect(path)) as con, con:
                con.execute("create table item (id text, state text)")
                con.execute("insert into item values (?, ?)", row)
    files_said = f'{{ path = "items.{kind}", table = "item" }}' if kind == "db" else f'"items.{kind}"'
    query = query_of(HEADER.replace('"items.csv"', files_said) + "select id, state = 'closed' as is_over from item")
    assert answer(query, (tmp_path,), "q.sql").table.data.rows() == [("i1", True)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "the header of sources/incidents.sql does not name the days that it covers"),
        ("i1,web,1,soon\n", "its description in the header of sources/incidents.sql (naive_time, covers)"),
    ],
)
def test_an_error_of_a_query_names_where_its_settings_stand(small, desk, tmp_path, rows, said):
    desk(items=ITEMS.splitlines()[0] + "\n" + rows)
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert said in result.error


@pytest.mark.parametrize(
    ("time", "a_minute_later", "in_utc"),
    [
        ("2026-08-01T10:00:00+0200", "2026-08-01T10:01:00.000000+0200", "2026-08-01T08:00:00.000000Z"),
        ("2026-08-01 10:00:00 +02:00", "2026-08-01T10:01:00.000000+02:00", "2026-08-01T08:00:00.000000Z"),
        ("2026-08-01 10:00:00 UTC", "2026-08-01T10:01:00.000000UTC", "2026-08-01T10:00:00.000000Z"),
        ("2026-08-01 10:00:00", "2026-08-01T10:01:00.000000", "2026-08-01 10:00:00"),
        # What ends in 01 is no offset, and a day is no time.
        ("2026-08-01", "2026-08-01 and 60 seconds", "2026-08-01"),
    ],
)
def test_a_time_keeps_its_zone_whatever_is_added(tmp_path, time, a_minute_later, in_utc):
    (tmp_path / "items.csv").write_text(f"a\n{time}\n")
    query = query_of(HEADER + "select later(a, 60) as b, utc(a) as c from item")
    assert answer(query, (tmp_path,), "q.sql").table.data.rows() == [(a_minute_later, in_utc)]


@pytest.mark.parametrize(
    ("time", "seconds", "then"),
    [
        ("2026-10-24 23:00:00", 6 * 3600, "2026-10-25T04:00:00.000000"),
        ("2026-10-25 01:30:00", 3600, "2026-10-25T00:30:00.000000Z"),
        ("2026-10-25 01:30:00", 7200, "2026-10-25T01:30:00.000000Z"),
        ("2026-03-29 01:30:00", 3600, "2026-03-29T03:30:00.000000"),
        ("2026-03-29 01:30:00+01:00", 3600, "2026-03-29T02:30:00.000000+01:00"),
        ("2026-08-01 01:30:00", 60, "2026-08-01T01:31:00.000000"),
        ("soon", 60, "soon and 60 seconds"),
    ],
)
def test_seconds_go_by_also_while_clocks_are_changed(tmp_path, time, seconds, then):
    (tmp_path / "items.csv").write_text(f"a\n{time}\n")
    query = query_of(HEADER + f'-- naive_time = "Europe/Oslo"\nselect later(a, {seconds}) as b from item')
    assert answer(query, (tmp_path,), "q.sql").table.data.rows() == [(then,)]


def test_months_as_other_languages_shorten_them(tmp_path):
    written = ["01/mars/26", "01/juni/26", "01/Aug./26", "1. des. 26", "2. januar 26", "03/Sept./26", "1. oktober 26"]
    (tmp_path / "items.csv").write_text("a\n" + "\n".join(written) + "\n")
    query = query_of(
        HEADER + "select day_of(english_months(a), ['%d/%b/%y', '%d. %b. %y', '%d. %b %y']) as b from item"
    )
    days = ["2026-03-01", "2026-06-01", "2026-08-01", "2026-12-01", "2026-01-02", "2026-09-03", "2026-10-01"]
    assert answer(query, (tmp_path,), "q.sql").table.data["b"].to_list() == days


def test_what_an_open_program_leaves_beside_its_file_is_none_of_a_pattern(small, desk):
    desk(HEADER.replace("items.csv", "in/*.csv") + SELECT)
    (small / "data" / "in").mkdir()
    (small / "data" / "in" / "items.csv").write_text(ITEMS)
    for name in ("~$items.csv", "._items.csv"):
        (small / "data" / "in" / name).write_bytes(b"\x00\x05\x16\x07")
    assert desk_of(small).height == 2


def test_an_export_that_its_tool_cut_off_is_refused(small, desk):
    """What is beyond would be silence, and silence a quiet month."""
    desk(HEADER.replace('"items.csv"', '{ path = "items.csv", cut_at = [1, 2] }') + SELECT)
    with pytest.raises(SourceError, match=r"items\.csv: the file has 2 records, as many as the tool exports at once"):
        desk_of(small)
    desk(items=ITEMS + "i3,web,1,2026-08-05T10:00:00Z\n")
    assert desk_of(small).height == 3


@pytest.mark.parametrize(
    ("said", "is_page"),
    [
        # Jira Service Management, Opsgenie, Azure, GitLab, PagerDuty, Jira old and new, GraphQL, Slack, Spring.
        ({"links": {"next": "https://x.example/?offset=20"}}, True),
        ({"paging": {"first": "/a", "next": "/b", "last": "/c"}}, True),
        ({"@odata.nextLink": "https://x.example"}, True),
        ({"_links": {"self": {"href": "/a"}, "next": {"href": "/b"}}}, True),
        ({"more": True, "limit": 25, "offset": 0, "total": None}, True),
        ({"startAt": 0, "maxResults": 2, "total": 3}, True),
        ({"isLast": False, "nextPageToken": "x"}, True),
        ({"pageInfo": {"hasNextPage": True}}, True),
        ({"response_metadata": {"next_cursor": "x"}}, True),
        # SonarQube, GitHub's search, Spring, Datadog, Azure Resource Graph, Kubernetes, StatusCake, Elasticsearch, HaloITSM.
        ({"total": 3, "p": 1, "ps": 2, "paging": {"pageIndex": 1, "pageSize": 2, "total": 3}}, True),
        ({"total_count": 3, "incomplete_results": False}, True),
        ({"last": False, "number": 0, "totalElements": 3}, True),
        ({"meta": {"page": {"after": "x"}}}, True),
        ({"totalRecords": 3, "count": 2, "resultTruncated": "true", "$skipToken": "x"}, True),
        ({"metadata": {"continue": "x"}}, True),
        ({"metadata": {"page": 1, "per_page": 2, "total_count": 3}}, True),
        ({"total": {"value": 3, "relation": "gte"}}, True),
        ({"page_no": 1, "page_size": 2, "record_count": 3}, True),
        ({"total": 2, "p": 1, "ps": 2}, False),
        ({"metadata": {"continue": "", "resourceVersion": "7"}}, False),
        # Zendesk's incremental export always has a next page, where what comes later will stand.
        ({"next_page": "https://x.example", "end_of_stream": True, "count": 2}, False),
        ({"links": {}, "count": 2}, False),
        ({"paging": {"first": "/a", "last": "/c"}}, False),
        ({"more": False, "limit": 25, "offset": 0, "total": None}, False),
        ({"startAt": 1, "maxResults": 50, "total": 3}, False),
        ({"isLast": True, "next_page": None, "total": 70}, False),
        ({"response_metadata": {"next_cursor": ""}}, False),
    ],
)
def test_an_answer_that_says_that_there_is_more_is_refused(small, desk, said, is_page):
    """Of alerts beyond the first page nobody would know, and their days would be quiet."""
    rows = [{"id": f"i{at}", "service": "web", "severity": 1, "opened": f"2026-08-0{at}T10:00:00Z"} for at in (1, 2)]
    (small / "data" / "one.json").write_text(json.dumps({"values": rows, **said}))

    def read(more=""):
        desk(HEADER.replace('"items.csv"', f'{{ path = "one.json", records = "values"{more} }}') + SELECT)
        return desk_of(small).height

    if is_page:
        with pytest.raises(SourceError, match=r"one\.json: the file is one page of an answer"):
            read()
        assert read(", pages = true") == 2
    else:
        assert read() == 2


def test_a_where_beside_the_choice_of_the_newest_is_told(small, desk):
    """What the newest file says is cancelled, an older one would still tell as open."""
    newest = "qualify rank() over (partition by id order by made_at(_file, _modified_at) desc) = 1"

    def said(text):
        desk(HEADER + SELECT + text)
        organisation = load_organisation(small)
        findings = query_head(organisation, organisation.queries[0], small / "data", TODAY).findings
        return [(each.problem.line, each.is_error) for each in findings if "newest file" in each.problem.message]

    assert said(f"where severity <> 4\n{newest}\n") == [(5, False)]
    assert said(f"{newest} and severity <> 4\n") == []


def test_a_file_of_the_next_month_that_nobody_reads_is_told(small, desk):
    text = HEADER.replace("items.csv", "desk-2026-07.csv") + SELECT
    desk(text, **{"desk-2026-07": ITEMS, "desk-2026-08": ITEMS, "desk-new": ITEMS})

    def said():
        organisation = load_organisation(small)
        findings = query_head(organisation, organisation.queries[0], small / "data", TODAY).findings
        return [str(each.problem) for each in findings if "nobody reads" in each.problem.message]

    assert "nobody reads desk-2026-08.csv in" in said()[0]
    assert "files.item name them too, as in 'desk-*.csv'" in said()[0]
    (small / "sources" / "incidents.other.sql").write_text(
        text.replace("desk-2026-07", "desk-2026-0[89]").replace('"desk"', '"other"')
    )
    assert said() == []
    # The tool exports another format from now on.
    (small / "data" / "desk-2026-09.xlsx").touch()
    assert "nobody reads desk-2026-09.xlsx in" in said()[0]


def test_the_next_download_of_one_name_is_told(small, desk):
    desk(HEADER + SELECT, **{"items (1)": ITEMS, "items-open": ITEMS})
    organisation = load_organisation(small)
    findings = query_head(organisation, organisation.queries[0], small / "data", TODAY).findings
    (said,) = [str(each.problem) for each in findings if "nobody reads" in each.problem.message]
    assert "nobody reads items (1).csv in" in said
    assert "files.item name them too, as in 'items*.csv'" in said


MONTH = "id,service,severity,opened\n{0},web,1,2026-{1}Z\n{0}b,web,1,2026-{2}Z\n"


@pytest.mark.parametrize(
    ("names", "contents", "hole"),
    [
        (("desk-2026-07", "desk-2026-09"), [("07-02", "07-30"), ("09-01", "09-01")], ("08-01", "08-31")),
        (
            ("desk-20260701-20260731", "desk-20260815-20260901"),
            [("07-02", "07-30"), ("08-20", "09-01")],
            ("08-01", "08-14"),
        ),
        # The later file reaches back over it: each is all that there was.
        (("desk-2026-07", "desk-2026-09"), [("07-02", "07-30"), ("07-02", "09-01")], None),
        # It has rows of the month between: it is about more than its name says.
        (("desk-2026-07", "desk-2026-09"), [("07-02", "07-30"), ("08-12", "09-01")], None),
        # The hours before midnight in UTC are of the day after.
        (("desk-2026-06", "desk-2026-08"), [("06-02", "06-12"), ("07-31T22:30", "08-30")], ("07-01", "07-31")),
        # What a file of a single day is about nobody says.
        (("desk-2026-07-31", "desk-2026-09-01"), [("07-02", "07-30"), ("09-01", "09-01")], None),
        (("desk-2026-07", "desk-2026-08"), [("07-02", "07-02"), ("08-30", "08-30")], None),
        (("desk-2026-07", "desk-new"), [("07-02", "07-30"), ("09-01", "09-01")], None),
        (("desk-juli 2026", "desk-sept. 2026"), [("07-02", "07-30"), ("09-01", "09-01")], ("08-01", "08-31")),
        (("desk-uke 31 2026", "desk-uke 33 2026"), [("07-28", "07-30"), ("08-12", "08-14")], ("08-03", "08-09")),
        (("desk-2026-01_2026-03", "desk-2026-Q3"), [("03-02", "03-31"), ("07-01", "07-14")], ("04-01", "06-30")),
    ],
)
def test_a_month_that_no_file_is_about_is_not_quiet(small, desk, tmp_path, names, contents, hole):
    months = {
        name: MONTH.format(f"i{at}", *(day if "T" in day else f"{day}T10:00" for day in days))
        for at, (name, days) in enumerate(zip(names, contents, strict=True))
    }
    desk(HEADER.replace("items.csv", "desk-*.csv") + SELECT, **months)
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert result.error is None
    (load,) = result.loads
    if hole is None:
        assert (load.unproven, result.told) == ((), ())
        return
    first, last = (date.fromisoformat(f"2026-{day}") for day in hole)
    assert load.unproven == ((first, last + DAY, SILENT),)
    assert f"no file is about {first} to {last}, so nothing is known of it" in result.told[0]


@pytest.mark.parametrize(
    ("contents", "holes"),
    [
        # Each file has what began on its day; no file of the 4th and 5th.
        ({1: [1], 2: [2, 2], 3: [], 6: [6], 7: [7]}, [(4, 5, SILENT)]),
        # Made in the morning, about the day before.
        ({2: [1], 3: [2], 4: [3], 7: [6], 8: [7]}, [(4, 5, SILENT)]),
        # Of the last 24 hours: of the 4th the first half is known.
        ({2: [1, 2], 3: [2, 3], 4: [3, 4], 6: [5, 6], 7: [7]}, [(4, 5, PARTIAL)]),
        # What changed on a day, which may be of some days before.
        ({1: [1], 2: [2, 2], 3: [1, 3], 6: [2, 6, 6], 7: [7]}, [(4, 5, SILENT)]),
        # On Monday the 3rd there is a file about the weekend.
        ({-1: [-1], 0: [0], 3: [1, 3], 4: [4]}, []),
        # Each has all that there is: a day that is left out is told by the next.
        ({1: [], 2: [], 3: [], 5: [1, 1, 2, 3, 4, 5]}, []),
        ({1: [1], 2: [2], 3: [3], 5: [5], 6: [6], 7: [7]}, [(4, 4, PARTIAL)]),
        # Once a week.
        ({-6: [-8], 1: [-1, 1], 8: [2, 8]}, []),
    ],
)
def test_a_day_of_which_the_daily_file_is_missing_is_not_quiet(small, desk, tmp_path, contents, holes):
    first = date(2026, 8, 1)
    files_of_days = {
        f"desk-{first + (day - 1) * DAY}": "\n".join(
            [
                "id,service,severity,opened",
                *(f"i{day}-{at}-{n},web,1,{first + (at - 1) * DAY}T10:00Z" for n, at in enumerate(rows)),
                "",
            ]
        )
        for day, rows in contents.items()
    }
    if len(contents) > 5:
        # Another desk has a file of each of these days.
        files_of_days |= {
            f"desk-b-{first + day * DAY}": f"id,service,severity,opened\nb{day},web,1,{first + day * DAY}T10:00Z\n"
            for day in range(7)
        }
    desk(HEADER.replace("items.csv", "desk-*.csv") + SELECT, **files_of_days)
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    (load,) = result.loads
    found = [(start, end - DAY, state) for start, end, state in load.unproven]
    assert found == [(first + (start - 1) * DAY, first + (end - 1) * DAY, state) for start, end, state in holes]
    assert len(result.told) == len(holes)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2026-07/items.csv", "2026-08/items.csv"),
        ("2026/07/items.csv", "2026/08/items.csv"),
        ("items 31.7.2026.csv", "items 01.08.2026.csv"),
        ("items_2026_07.csv", "items_2026_08_01.csv"),
        ("items-202607.csv", "items-20260801.csv"),
        ("items-2026-07.csv", "items-2026-07 (1).csv"),
        ("2027/items-2026-07-31T0600.csv", "2025/items-2026-07-31T0700.csv"),
        ("items juli 2026.csv", "items august 2026.csv"),
        # Of a year that goes on and a month of it: what ends later was made later.
        ("items-2026-07-01-2026-07-31.csv", "items-2026-01-01-2026-12-31.csv"),
        # Copied without their times: the browser counts.
        ("items.csv", "items (2).csv"),
        # Of numbers that are no days the time of writing tells.
        ("items 5521-07.csv", "items 1234-56.csv"),
    ],
)
def test_when_a_file_was_made_stands_in_its_name_or_its_folders(small, desk, older, newer):
    newest = "qualify rank() over (partition by id order by made_at(_file, _modified_at) desc) = 1\n"
    desk(HEADER.replace("items.csv", "**/items*.csv") + SELECT + newest)
    (small / "data" / "items.csv").unlink()
    for place, (name, severity) in enumerate(((newer, 2), (older, 1))):
        path = small / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"id,service,severity,opened\ni1,web,{severity},2026-07-02T10:00:00Z\n")
        # The older one was written later, but where only that tells.
        tells = -1 if "(1)" in newer or "1234" in newer else 0 if "(2)" in newer else 1
        written = 1_788_000_000 + place * tells
        os.utime(path, (written, written))
    assert desk_of(small)["severity"].to_list() == [2]


def test_different_rows_of_one_id_name_their_files(small, desk):
    desk(
        HEADER.replace("items.csv", "m-*.csv") + SELECT, **{"m-1": ITEMS, "m-2": ITEMS.replace("i1,web,1", "i1,web,3")}
    )
    reasons = desk_of(small)["_reason"].drop_nulls().unique().to_list()
    assert reasons == ["conflict: m-1.csv:2, m-2.csv:2 have incident_id in common and differ elsewhere"]


def test_an_export_of_every_day_needs_no_days_written_down(small, desk, tmp_path):
    """The same bytes some days later prove more quiet days."""
    settings = settings_of(small, tmp_path)
    desk(HEADER + '-- exported = "modified"\n-- complete_from = 2026-07-30\n' + SELECT)
    items = small / "data" / "items.csv"

    def windows(day):
        written = datetime(2026, 8, day, 12, tzinfo=UTC).timestamp()
        os.utime(items, (written, written))
        (result,) = pull_stream(settings, load_organisation(small), "incidents")
        assert result.error is None
        return [(load.window_end, load.rows) for load in result.loads]

    assert windows(6) == [(date(2026, 8, 7), 2)]
    assert windows(6) == []
    assert windows(8) == [(date(2026, 8, 9), 0)]


def test_days_that_end_before_they_begin_are_told(small, desk):
    desk(HEADER + "-- covers = [2026-08-02, 2026-08-01]\n" + SELECT)
    with pytest.raises(ConfigurationError, match="ends before it begins"):
        load_organisation(small)


def test_days_that_are_over_are_told(small, desk):
    desk(HEADER + "-- covers = [2026-08-01, 2026-08-20]\n" + SELECT)
    (found,) = [item for item in advice(load_organisation(small), TODAY) if "covers ended" in item.problem.message]
    assert (found.problem.file, found.problem.line) == (str(small / "sources" / "incidents.sql"), 3)


def test_a_trial_tells_what_would_land_and_what_not(small, desk, tmp_path):
    desk(items=ITEMS.replace("i2,web,2", "i2,elsewhere,high") + "i3,elsewhere,3,2026-08-04T10:00:00Z\n")
    organisation = load_organisation(small)
    (source,) = sources_to_try(organisation, "incidents", None)
    trial = try_source(settings_of(small, tmp_path), organisation, source, TODAY)
    assert (trial.rows, trial.kept, trial.days) == (3, 2, (date(2026, 8, 1), date(2026, 8, 4)))
    assert [(each.text, each.file, each.line) for each in trial.aside] == [
        ("severity: no whole number", "items.csv", 3)
    ]
    assert trial.strange_words == {"severity": {"high": 1}}
    assert [(each.kind, each.name, each.rows) for each in trial.strange_names] == [("service", "elsewhere", 1)]
    assert "resolved_at" in trial.untold
    assert not trial.is_clean


def test_check_tells_what_is_wrong_with_a_query(small, desk):
    desk(
        HEADER
        + SELECT.replace("_file, _line, ", "").replace("as service_id", "as servce_id, try_cast(opened as date) as x")
    )
    (query,) = load_organisation(small).queries
    head = query_head(load_organisation(small), query, small / "data", TODAY)
    assert "the select gives no column 'service_id'" in str(head.findings[0].problem)
    desk(HEADER + SELECT.replace("_file, _line, ", "try_cast(id as integer) as resolvd_at, "))
    (query,) = load_organisation(small).queries
    head = query_head(load_organisation(small), query, small / "data", TODAY)
    said = [(str(item.problem), item.is_error) for item in head.findings]
    assert any("did you mean 'resolved_at'?" in text and is_error for text, is_error in said)
    assert any("try_cast" in text and not is_error for text, is_error in said)
    assert any("gives no _file and _line" in text and not is_error for text, is_error in said)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("incidnts.sql", HEADER + SELECT, "did you mean 'incidents'?"),
        ("incidents.sql", SELECT, "the header is missing"),
        ("incidents.sql", "-- source = \n" + SELECT, "incidents.sql:1"),
        ("incidents.sql", '-- source = "x"\n' + SELECT, "the query reads nothing"),
        ("incidents.sql", '-- files = { item = "x.csv" }\n' + SELECT, "'source' is missing"),
        ("incidents.sql", HEADER + "-- colums = 1\n" + SELECT, "unknown key 'colums'"),
        ("incidents.sql", HEADER + '-- columns = { a = "b" }\n' + SELECT, "incidents.sql:3: 'columns' does not belong"),
        ("incidents.sql", HEADER.replace("items.csv", "items.docx") + SELECT, "does not tell its format"),
        (
            "incidents.sql",
            '-- source = "x"\n-- files.item = { path = "x.json", delimiter = ";" }\n' + SELECT,
            "says nothing of json",
        ),
        (
            "incidents.sql",
            '-- source = "x"\n-- files.item = { path = "x.csv", encoding = "zip" }\n' + SELECT,
            "is not an encoding",
        ),
        ("incidents.sql", HEADER + '-- teams = ["alfaa"]\n' + SELECT, "did you mean 'alfa'?"),
        ("incidents.sql", HEADER.replace("desk", "files") + SELECT, "is that of the files"),
        ("notes.txt", "x", "nobody reads this file"),
    ],
)
def test_a_header_that_is_wrong_is_told_with_file_and_fix(small, file, text, said):
    (small / "sources").mkdir()
    (small / "sources" / file).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_organisation(small)
    assert said in str(caught.value)


def test_two_sources_of_a_stream_need_two_names(small, desk):
    (small / "sources" / "incidents.other.sql").write_text(HEADER + SELECT, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="has a source 'desk' already"):
        load_organisation(small)


def test_what_decides_the_rows_decides_the_digest(small, desk):
    organisation = load_organisation(small)
    reading = files.Reading(organisation, organisation.queries[0], STREAMS["incidents"], small / "data", TODAY)
    path = small / "sources" / "incidents.sql"
    first = files.digest(reading, path)
    other = replace(reading, source=organisation.queries[0].model_copy(update={"sql": HEADER + SELECT + "\n-- x"}))
    assert files.digest(other, path) != first
    (small / "data" / "items.csv").write_text(ITEMS + "\n")
    assert files.digest(reading, path) != first


# --- files of which one has other columns ---

MONTHS = HEADER.replace("items.csv", "m-*.csv")
ENDED = "id,service,severity,opened,closed\ni{0},web,1,2026-08-0{0}T10:00:00Z,2026-08-0{0}T11:00:00Z\n"
WITH_END = SELECT.replace(" from item", ", closed as resolved_at from item")


def desk_of(small) -> pl.DataFrame:
    organisation = load_organisation(small)
    (query,) = organisation.queries
    reading = files.Reading(organisation, query, STREAMS["incidents"], small / "data", TODAY)
    return files.read_rows(reading, small / query.path).frame


def test_a_column_that_one_file_lacks_is_no_column_without_values(small, desk):
    """Renamed by the tool, it would say that all of a month is still open."""
    desk(MONTHS + WITH_END, **{"m-1": ENDED.format(1), "m-2": ENDED.format(2).replace("closed", "closed_on")})
    with pytest.raises(SourceError) as raised:
        desk_of(small)
    problem = raised.value.problem
    assert (problem.file, problem.line) == (str(small / "data" / "m-2.csv"), 1)
    assert problem.message == "column 'closed' is missing, which m-1.csv has; 'closed_on' is new in it"
    assert 'may_lack = ["closed"]' in problem.fix
    may = MONTHS.replace('"m-*.csv"', '{ path = "m-*.csv", may_lack = ["closed"] }')
    desk(may + WITH_END)
    assert desk_of(small)["resolved_at"].null_count() == 1
    # A month without rows says nothing of what it lacks; all of a `select *` may be meant.
    desk(MONTHS + WITH_END, **{"m-2": "id,service,severity,opened\n"})
    assert desk_of(small).height == 1
    taken = "select * rename (id as incident_id, service as service_id, opened as declared_at) from item\n"
    ended = {f"m-{number}": ENDED.format(number).replace("closed", "resolved_at") for number in (1, 2)}
    desk(MONTHS + taken, **ended)
    assert desk_of(small)["resolved_at"].null_count() == 0
    desk(MONTHS + taken, **{"m-2": ended["m-2"].replace("resolved_at", "closed")})
    with pytest.raises(SourceError, match="'resolved_at' is missing"):
        desk_of(small)


def test_a_column_in_another_case_is_the_same_column(small, desk):
    months = {"m-1": ENDED.format(1).replace("closed", "Løst"), "m-2": ENDED.format(2).replace("closed", "LØST")}
    desk(MONTHS + WITH_END.replace("closed as", '"løst" as'), **months)
    assert desk_of(small)["resolved_at"].null_count() == 0
    # Also of those that nobody names, and where the select itself spells one in two ways.
    taken = 'select i.*, i.ID as incident_id, i.id as signature, service as service_id, "opened" as declared_at from item as i\n'
    desk(
        MONTHS + taken,
        **{name: text.replace("Løst", "resolved_at").replace("LØST", "RESOLVED_AT") for name, text in months.items()},
    )
    assert desk_of(small)["resolved_at"].null_count() == 0


@pytest.mark.parametrize(
    ("key", "others", "is_refused"),
    [("closedAt", 1, True), ("resolution_time", 1, False), ("resolution_time", 0, True)],
    ids=["renamed", "left out", "another name in most records"],
)
def test_records_may_leave_out_a_key_but_not_call_it_otherwise(small, desk, key, others, is_refused):
    """Many tools leave out what has no value; a key much like one that is gone is that one, and so is one in its place."""
    desk(HEADER.replace("items.csv", "j-*.json") + WITH_END.replace("closed as", "closed_at as"))
    record = {"id": "i1", "service": "web", "severity": 1, "opened": "2026-08-01T10:00:00Z", "closed_at": None}
    other = {name: value for name, value in record.items() if name != "closed_at"}
    renamed = [other | {"id": "i2", key: "2026-08-01T11:00:00Z"}, *[other | {"id": "i4"}] * others]
    for name, records in (("j-1", [record]), ("j-2", renamed), ("j-3", [other | {"id": "i3"}])):
        (small / "data" / f"{name}.json").write_text(json.dumps(records))
    if is_refused:
        with pytest.raises(SourceError, match=f"'closed_at' is missing.*{key!r} is new in it"):
            desk_of(small)
    else:
        assert desk_of(small).height == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"id": "i1", "service": "web", "id": "i2"}]', "the key 'id' stands twice"),
        ('[{"id": "i1", "service": NaN}]', "no valid JSON: it holds NaN"),
    ],
)
def test_a_file_of_records_that_nobody_can_read_says_why(small, desk, tmp_path, text, said):
    desk(HEADER.replace("items.csv", "j.json") + SELECT)
    (small / "data" / "j.json").write_text(text)
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert said in result.error


def test_a_key_that_no_record_has_may_be_named(small, desk):
    """Of a month in which nothing is over yet."""
    desk(
        HEADER.replace('"items.csv"', '{ path = "j.json", may_lack = ["closed_at"] }')
        + WITH_END.replace("closed as", "closed_at as")
    )
    record = {"id": "i1", "service": "web", "severity": 1, "opened": "2026-08-01T10:00:00Z"}
    (small / "data" / "j.json").write_text(json.dumps([record]))
    assert desk_of(small)["resolved_at"].to_list() == [None]


def test_files_of_parquet_have_the_same_columns(small, desk):
    desk(HEADER.replace("items.csv", "p-*.parquet") + WITH_END)
    for number, name in ((1, "closed"), (2, "closed_on")):
        frame = pl.read_csv(ENDED.format(number).replace("closed", name).encode())
        frame.write_parquet(small / "data" / f"p-{number}.parquet")
    with pytest.raises(SourceError, match=r"p-2\.parquet: column 'closed' is missing"):
        desk_of(small)


def test_a_number_of_a_workbook_is_whole_or_set_aside(small, desk):
    """Of more than sixteen digits a workbook has not each, so that two ids may be one."""
    desk(HEADER.replace("items.csv", "w.xlsx") + SELECT)
    with xlsxwriter.Workbook(small / "data" / "w.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "service", "severity", "opened"])
        for row, number in enumerate([1234567890123456, 12345678901234567890, 1.5], 1):
            sheet.write_row(row, 0, [number, "web", 1, "2026-08-01T10:00:00Z"])
    found = desk_of(small).sort("_line")
    assert found["incident_id"][0] == "1234567890123456"
    assert found["_reason"].is_not_null().to_list() == [False, True, False]
    assert "rounded" in found["_reason"][1]


def test_an_error_of_a_workbook_is_no_empty_cell_and_a_midnight_no_day(small, desk):
    """Of a formula without a value nobody knows whether it is over; backups begin at midnight."""
    desk(HEADER.replace("items.csv", "w.xlsx") + '-- naive_time = "UTC"\n' + WITH_END)
    with xlsxwriter.Workbook(small / "data" / "w.xlsx") as book:
        sheet = book.add_worksheet("Søk & <data>")
        clock, day = (
            book.add_format({"num_format": form}) for form in ('[$-414]dd.mm.yyyy "h" hh:mm', 'd. mmm "h" yyyy')
        )
        sheet.write_row(0, 0, ["id", "service", "severity", "opened", "closed"])
        for row, form in enumerate((clock, clock, day), 1):
            sheet.write_row(row, 0, [f"i{row}", "web", 1])
            sheet.write_datetime(row, 3, datetime(2026, 8, row), form)  # noqa: DTZ001 - as a workbook has it
        sheet.write_formula(2, 4, "=NA()", None, "#N/A")
    for sheet_name in ("", ', sheet = "Søk & <data>"'):
        desk(HEADER.replace('"items.csv"', f'{{ path = "w.xlsx"{sheet_name} }}') + '-- naive_time = "UTC"\n' + WITH_END)
        found = desk_of(small).sort("_line")
        assert found["declared_at"][0] == datetime(2026, 8, 1, tzinfo=UTC)
        assert found["_reason"].to_list() == [
            None,
            "resolved_at: no instant (no day and time as YYYY-MM-DD HH:MM with an offset)",
            "declared_at: no instant (a day without a time)",
        ]


def test_a_formula_that_nobody_has_worked_out_is_no_empty_cell(small, desk):
    """Programs that write workbooks write formulas without their values: of none of them is it not over yet."""
    desk(HEADER.replace("items.csv", "w.xlsx") + '-- naive_time = "UTC"\n' + WITH_END)
    written = small / "data" / "w.xlsx"
    with xlsxwriter.Workbook(small / "raw.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "service", "severity", "opened", "closed"])
        for row in (1, 2, 3):
            sheet.write_row(row, 0, [f"i{row}", "web", 1, f"2026-08-0{row} 10:00"])
            # Of a column that is not asked for nothing is asked.
            sheet.write_formula(row, 6, "=A1", None, 0)
        sheet.write_formula(1, 4, "=D2+1", None, 0)
        sheet.write_formula(2, 4, '=IF(A1="","x","")', None, "none")
    with zipfile.ZipFile(small / "raw.xlsx") as raw, zipfile.ZipFile(written, "w") as packed:
        for part in raw.namelist():
            packed.writestr(part, re.sub(rb"</f><v>(0|none)</v>", b"</f><v></v>", raw.read(part)))
    found = desk_of(small).sort("_line")
    assert found["_reason"].is_not_null().to_list() == [True, False, False]
    assert "a formula that nobody has worked out" in found["_reason"][0]


def test_cells_that_are_one_over_several_rows_say_the_same_in_each(small, desk):
    """Names of a header in two rows, and a service beside all of its records; and what is hidden is not the first."""
    desk(HEADER.replace('"items.csv"', '{ path = "w.xlsx", skip_lines = 1 }') + SELECT)
    with xlsxwriter.Workbook(small / "data" / "w.xlsx") as book:
        book.add_worksheet("fjor").hide()
        sheet = book.add_worksheet("i år")
        sheet.activate()
        for column, name in enumerate(("id", "service", "severity")):
            sheet.merge_range(0, column, 1, column, name)
        sheet.merge_range(0, 3, 0, 4, "When")
        sheet.write_row(1, 3, ["opened", "closed"])
        sheet.merge_range(2, 1, 4, 1, "web")
        for row in (2, 3, 4):
            sheet.write_row(row, 2, [1, f"2026-08-0{row}T10:00:00Z"])
            sheet.write(row, 0, f"i{row}")
    found = desk_of(small).sort("_line")
    assert found["_reason"].to_list() == [None] * 3
    assert found["service_id"].to_list() == ["web"] * 3


def months(small, desk, tmp_path, **contents: str):
    """Pull exports whose names say their days; records as id, beginning and end."""
    (small / "data" / "items.csv").unlink(missing_ok=True)
    desk(HEADER.replace("items.csv", "m-*.csv") + WITH_END)
    for name, rows in contents.items():
        lines = [
            f"{number},web,1,2026-{start}T10:00:00Z,{end and f'2026-{end}T10:00:00Z'}" for number, start, end in rows
        ]
        path = small / "data" / f"m-2026-{name.strip('_').replace('_to_', '_2026-').replace('m', '-')}.csv"
        path.write_text("\n".join(["id,service,severity,opened,closed", *lines, ""]))
        os.utime(path, (1_788_000_000, 1_788_000_000))
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert result.error is None
    aside = desk_of(small).drop_nulls("_reason")
    return {row["incident_id"]: row["_reason"] for row in aside.to_dicts()}, result


def test_what_was_open_when_its_month_was_exported_is_not_open_for_ever(small, desk, tmp_path):
    """Next month's export has what began then: nobody says whether the record of last month is over."""
    july, august = [("a", "07-02", "07-03"), ("b", "07-28", "")], [("c", "08-02", "08-03"), ("d", "08-30", "")]
    aside, result = months(small, desk, tmp_path, _07=july, _08=august)
    assert aside == {"b": "not over in m-2026-07.csv, and no newer file tells of it: export again what was open then"}
    (load,) = result.loads
    assert [state for start, _, state in load.unproven if start == date(2026, 7, 28)] == [PARTIAL]
    # Exported again, it is as it stands there.
    os.utime(small / "data" / "m-2026-07.csv", (1_788_200_000, 1_788_200_000))
    assert desk_of(small)["_reason"].to_list() == [None] * 4
    # Exports by the day of a change have records of other months: what is not in the newest did not change.
    assert months(small, desk, tmp_path, _07=[("0", "05-02", ""), *july], _08=august)[0] == {}


def test_a_record_that_a_newer_file_of_its_days_no_longer_has_is_gone(small, desk, tmp_path):
    """It was no incident after all; but what lies at the edge of the file's days may be of another zone."""
    first = [("a", "07-02", "07-03"), ("b", "07-20", "07-20"), ("c", "07-15", "07-15"), ("d", "07-31", "07-31")]
    newer = [("d", "07-31", "08-01"), ("e", "08-02", "08-03")]
    aside, result = months(small, desk, tmp_path, _07m01_to_07m31=first, _07m15_to_08m15=newer)
    assert "m-2026-07-01_2026-07-31.csv are gone: m-2026-07-15_2026-08-15.csv is newer" in result.told[0]
    assert sorted(desk_of(small).filter(pl.col("_reason").is_null())["incident_id"]) == ["a", "c", "d", "e"]
    assert aside == {}, "d is as the newest says"
    # Files of two teams that are about the same days.
    for path in (small / "data").glob("m-*.csv"):
        path.rename(path.with_name(path.name.replace("m-2026-07-15", "m-b-2026-07-15")))
    assert "b" in desk_of(small)["incident_id"].to_list()


def test_a_record_that_only_an_older_whole_export_has_is_told(small, desk, tmp_path):
    """A file that says when it was made does not say how far it goes: whether the record was taken back its owner knows."""

    def export(*days):
        return "\n".join(["id,service,severity,opened", *(f"i{day},web,1,2026-08-{day:02}T10:00Z" for day in days), ""])

    newest = "qualify rank() over (partition by id order by made_at(_file, _modified_at) desc) = 1\n"
    contents = {"m-2026-08-20": export(1, 5, 9, 12), "m-2026-08-31": export(1, 5, 9, 22, 28)}
    desk(HEADER.replace("items.csv", "m-*.csv") + SELECT + newest, **contents)
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert "1 records of m-2026-08-20.csv are not in m-2026-08-31.csv, which is newer" in result.told[0]
    desk(HEADER.replace('"items.csv"', '{ path = "m-*.csv", newest = true }') + SELECT, **contents)
    assert sorted(desk_of(small)["incident_id"]) == ["i1", "i22", "i28", "i5", "i9"]
    # What changed on each day: the newer file lacks what did not.
    desk(HEADER.replace("items.csv", "m-*.csv") + SELECT + newest, **{"m-2026-08-31": export(1, 28)})
    (result,) = pull_stream(settings_of(small, tmp_path), load_organisation(small), "incidents")
    assert not any("taken back" in each for each in result.told)


def test_sheets_of_one_form_are_one_table(small, desk):
    """A list by hand has a sheet for each month, and one that sums them up."""
    path = small / "data" / "w.xlsx"

    def write(**columns: str) -> None:
        with xlsxwriter.Workbook(path) as book:
            book.add_worksheet("Oversikt").write_row(0, 0, ["Måned", "Antall"])
            for number, month in enumerate(("juli", "august", "kladd"), 7):
                sheet = book.add_worksheet(month)
                opened = columns.get(month, "opened")
                sheet.write_row(0, 0, ["id", "service", "severity", opened])
                sheet.write_row(1, 0, [f"i{number}", "web", 1, f"2026-0{number}-01T10:00:00Z"])
            sheet.hide()
            book.add_worksheet("september")

    write()
    desk(HEADER.replace('"items.csv"', '{ path = "w.xlsx", sheet = "*" }') + SELECT)
    assert sorted(desk_of(small)["incident_id"]) == ["i7", "i8"]
    write(august="begun")
    with pytest.raises(SourceError, match=r"w\.xlsx \(august\): column 'opened' is missing"):
        desk_of(small)
    desk(HEADER.replace('"items.csv"', '{ path = "w.xlsx", sheet = "2026*" }') + SELECT)
    with pytest.raises(SourceError, match=r"no sheet that is called '2026\*' has the columns"):
        desk_of(small)
    # Who reads one of them is told of the others.
    with xlsxwriter.Workbook(path) as book:
        for number in (7, 8):
            sheet = book.add_worksheet(f"måned {number}")
            sheet.write_row(0, 0, ["id", "service", "severity", "opened"])
            sheet.write_row(1, 0, [f"i{number}", "web", 1, f"2026-0{number}-01T10:00:00Z"])
    desk(HEADER.replace("items.csv", "w.xlsx") + SELECT)
    organisation = load_organisation(small)
    findings = query_head(organisation, organisation.queries[0], small / "data", TODAY).findings
    assert any("other sheets with the same columns" in each.problem.message for each in findings)
    (shape,) = {each.sheet for each in shapes_of(path) if "opened" in each.records[""]}
    assert shape == "*", "as source add writes it"


@pytest.mark.parametrize(
    ("last", "is_total"),
    [
        ("Sum,2,,", True),
        ("Totalt: 2,,,", True),
        (",,Total,", True),
        ("Total,web,1,2026-08-04T10:00:00Z", False),
        ("Summer,,,", False),
    ],
)
def test_the_totals_below_a_list_are_no_record(small, desk, last, is_total):
    """A row without a day would leave all days of the file unproven."""
    desk(items=f"{ITEMS}{last}\n,,,\n")
    found = desk_of(small)
    assert found.height == (2 if is_total else 3)
    assert found["_reason"].is_null().sum() == (3 if "2026-08-04" in last else 2)

"""Every table that Python makes is held against its declaration; each kind of fault is planted in each table."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest

import opsmetrics.scoring.tables
import opsmetrics.warehouse
from opsmetrics import build as plans
from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.schemas import BY_NAME, NAMES, READING_ORDER
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.declare import Column, Table, at, id_, number
from opsmetrics.core.errors import ContractError, SnapshotError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.snapshots import store
from opsmetrics.warehouse import connect, score_tables
from opsmetrics.warehouse.connection import finished_build
from opsmetrics.warehouse.declared import append_rows, create_missing, frame_of, schema_of, write_table
from opsmetrics.warehouse.inventory import declared_tables, python_tables
from opsmetrics.warehouse.reference import dates, deliveries

TABLES = {table.name: table for table in python_tables()}
KEYED = [table for table in TABLES.values() if table.key]
VALUES = {
    "integer": 1,
    "integer32": 1,
    "unsigned32": 1,
    "number": 1.0,
    "boolean": True,
    "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    "date": date(2026, 1, 1),
    "texts": ["a"],
    "numbers": [1.0],
}
OTHER_TYPE = {"text": pl.Int64, "number": pl.Int64, "integer": pl.Float64, "date": pl.String, "timestamp": pl.String}


def value_of(column: Column) -> object:
    if column.type == "text":
        return column.one_of[0] if column.one_of else "a"
    if column.low is not None and column.type != "number":
        return max(int(column.low), VALUES[column.type])
    return VALUES[column.type]


def good(table: Table) -> pl.DataFrame:
    return frame_of(table, [{column.name: value_of(column) for column in table.columns}])


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        for schema in NAMES:
            con.execute(f"create schema {schema}")
        yield con


def refused(con: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> str:
    """Write a good row, then a frame in a transaction; return what was said and prove that the good row stays."""
    write_table(con, table, good(table))
    con.execute("begin")
    with pytest.raises(ContractError) as error:
        write_table(con, table, frame)
    con.execute("rollback")
    assert con.sql(f"from {table.name}").pl().equals(good(table))
    return str(error.value)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
class TestEveryTable:
    def test_a_good_row_and_no_row_are_written_with_comments(self, table, con):
        write_table(con, table, good(table))
        write_table(con, table, frame_of(table, []))
        meanings = con.execute(
            "select column_name, comment from duckdb_columns() where schema_name || '.' || table_name = $1"
            " order by column_index",
            [table.name],
        ).fetchall()
        assert meanings == [(column.name, column.doc) for column in table.columns]

    def test_a_missing_column_is_refused(self, table, con):
        name = table.names[-1]
        said = refused(con, table, good(table).drop(name))
        assert said.startswith(f"{table.name}: the table breaks its declaration: columns ['{name}'] are missing")

    def test_a_column_too_many_is_refused(self, table, con):
        assert "['surprise'] are not declared" in refused(con, table, good(table).with_columns(surprise=1))

    def test_columns_in_another_order_are_refused(self, table, con):
        frame = good(table)
        assert "in the order" in refused(con, table, frame.select(frame.columns[::-1]))

    def test_a_column_of_another_type_is_refused(self, table, con):
        column = next(column for column in table.columns if column.type in OTHER_TYPE)
        wrong = pl.lit(None).cast(OTHER_TYPE[column.type]).alias(column.name)
        said = refused(con, table, good(table).with_columns(wrong))
        assert f"column {column.name} is " in said
        assert f"declared is {column.type}" in said


@pytest.mark.parametrize("table", KEYED, ids=lambda table: table.name)
def test_a_repeated_key_is_refused_and_named(table, con):
    said = refused(con, table, pl.concat([good(table)] * 3))
    assert "2 rows with a repeated key" in said
    assert f"the first {table.key[0]} = " in said


def of(kind: str) -> list[tuple[Table, Column]]:
    """Columns with a limit of a kind, of every table."""
    found = [(table, column) for table in TABLES.values() for column in table.columns]
    return [(table, column) for table, column in found if (getattr(column, kind) not in {None, False, ()})]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_nulls_are_refused_and_named(table, con):
    required = [column.name for column in table.columns if column.required]
    frame = good(table).with_columns(pl.lit(None, schema_of(table)[name]).alias(name) for name in required)
    said = refused(con, table, frame)
    assert [name for name in required if f"1 rows with null in {name}" not in said] == []


@pytest.mark.parametrize(("table", "column"), of("high"), ids=lambda item: item.name)
def test_a_number_beyond_its_limit_is_refused(table, column, con):
    frame = good(table).with_columns(pl.lit(column.high + 1, schema_of(table)[column.name]).alias(column.name))
    assert f"1 rows with {column.name} outside" in refused(con, table, frame)


@pytest.mark.parametrize(("table", "column"), of("one_of"), ids=lambda item: item.name)
def test_a_word_that_is_not_one_of_those_allowed_is_refused(table, column, con):
    frame = good(table).with_columns(pl.lit("surprise").alias(column.name))
    assert f"1 rows with {column.name} not one of {column.one_of[0]}" in refused(con, table, frame)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_though_nothing_limits_the_column(value, con):
    table = Table("scores.plain", "A number", (id_("team_id", "Team"), number("value", "Any", low=None)), ("team_id",))
    said = refused(con, table, good(table).with_columns(value=pl.lit(value)))
    assert "1 rows with value that is not a number, the first team_id = a" in said


def test_rounding_is_no_fault(con):
    table = Table("scores.plain", "A share", (id_("team_id", "Team"), number("value", "Any", high=100)), ("team_id",))
    write_table(con, table, good(table).with_columns(value=pl.lit(100.00000000000003)))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"team_id": "a"}, r"row 1 lacks columns \['at'\]"),
        ({"team_id": "a", "at": None, "more": 1}, r"undeclared \['more'\]"),
        ({"team_id": 1, "at": None}, "a value of column team_id is not of type text"),
        ({"team_id": "a", "at": "yesterday"}, "a value of column at is not of type timestamp"),
    ],
)
def test_a_row_names_every_column_with_a_value_of_its_type(row, said):
    table = Table("scores.plain", "Rows", (id_("team_id", "Team"), at("at", "When")), ("team_id",))
    with pytest.raises(ContractError, match=said):
        frame_of(table, [row])
    assert frame_of(table, [{"at": None, "team_id": "a"}]).columns == ["team_id", "at"]


def test_rows_are_added_by_name_to_a_table_that_was_made_empty(con):
    table = Table("meta.plain", "Rows", (id_("team_id", "Team"), at("at", "When")), ("team_id",))
    create_missing(con, table)
    append_rows(con, table, frame_of(table, [{"at": None, "team_id": "a"}]).select("at", "team_id"))
    create_missing(con, table)
    assert con.execute("from meta.plain").fetchall() == [("a", None)]


@pytest.mark.parametrize(
    ("columns", "key"), [((id_("a", "A"), id_("a", "A")), ("a",)), ((id_("a", "A"),), ("b",))], ids=["twice", "unknown"]
)
def test_a_declaration_that_contradicts_itself_is_refused(columns, key):
    with pytest.raises(ValueError, match=r"meta\.wrong"):
        Table("meta.wrong", "Wrong", columns, key)


def test_keys_are_never_null_but_where_the_meaning_needs_it():
    open_keys = {
        f"{table.name}.{name}" for table in TABLES.values() for name in table.key if not table.column(name).required
    }
    of_series = {"scores.trend.area_id", "scores.trend.metric_id", "scores.validity.area_id"}
    assert open_keys == {*of_series, "meta.day_rows.day"}


def test_every_declaration_of_a_module_is_one_of_the_inventory():
    packages = (opsmetrics.warehouse,)
    names = [
        module.name
        for package in packages
        for module in pkgutil.walk_packages(package.__path__, "opsmetrics.warehouse.")
    ]
    modules = [importlib.import_module(name) for name in names if name != "opsmetrics.warehouse.spark"]
    found = {
        value.name
        for module in (*modules, opsmetrics.scoring.tables)
        for value in vars(module).values()
        if isinstance(value, Table)
    }
    assert found == set(TABLES)


def test_schemas_are_read_in_another_order_than_they_are_made_but_all_of_them():
    assert sorted(READING_ORDER) == sorted(NAMES)
    assert all(schema.reads <= set(NAMES) for schema in BY_NAME.values())
    files = load_all(default_sql_root())
    tables = declared_tables(files, load_catalogue(default_sql_root(), files)).values()
    assert {table.schema for table in tables} | {"macros"} == set(NAMES)
    assert {table.schema for table in TABLES.values()} | {"raw"} == {name for name in NAMES if BY_NAME[name].python}


@pytest.mark.parametrize(
    ("place", "name", "table"),
    [
        (dates, "as_of", "ref.as_of"),
        (deliveries, "streams", "meta.streams"),
        (score_tables, "compute_trends", "scores.trend"),
    ],
)
def test_a_broken_table_stops_the_build_and_nothing_is_published(place, name, table, small, tmp_path, monkeypatch):
    whole = getattr(place, name)

    def doubled(*arguments):
        found = whole(*arguments)
        if isinstance(found, pl.DataFrame):
            return found.with_columns(surprise=1)
        return [row for row in found for _ in range(2)]

    monkeypatch.setattr(place, name, doubled)
    settings = Settings(home=tmp_path / "home", org=small, data=None, now=None, sql=default_sql_root())
    with pytest.raises(ContractError, match=f"^{table}: the table breaks its declaration"):
        plans.build(plans.load_context(settings))
    with connect(settings.warehouse) as con:
        assert finished_build(con) is None
        there = con.execute("select table_name from duckdb_tables() where schema_name = $1", [table.split(".")[0]])
        assert (table.split(".")[1],) not in there.fetchall()
    with pytest.raises(SnapshotError):
        store.current(settings.snapshots)

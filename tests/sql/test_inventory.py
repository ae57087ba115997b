"""A build makes the tables that are declared, each with the declared columns, types and comments, and no other."""

from __future__ import annotations

import pytest

from opsmetrics.warehouse.declared import form_errors
from opsmetrics.warehouse.inventory import declared_tables


@pytest.fixture(scope="module")
def declared(context):
    return declared_tables(context.files, context.catalogue)


def test_no_table_is_undeclared_and_every_declared_one_is_made(empty_warehouse, declared):
    made = empty_warehouse.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where not internal and not temporary"
        " union all select schema_name || '.' || view_name from duckdb_views() where not internal and not temporary"
    ).fetchall()
    assert {name for (name,) in made} == set(declared)


def test_every_table_has_the_declared_columns_of_the_declared_types(empty_warehouse, declared):
    wrong = {name: form_errors(empty_warehouse, table) for name, table in declared.items()}
    assert {name: errors for name, errors in wrong.items() if errors} == {}


def test_every_column_has_the_declared_comment(empty_warehouse, declared):
    rows = empty_warehouse.execute(
        "select schema_name || '.' || table_name, column_name, comment from duckdb_columns() where not internal"
        " and database_name = current_database()"
    ).fetchall()
    found = {(table, column): comment for table, column, comment in rows if table in declared}
    wanted = {(name, column.name): column.doc for name, table in declared.items() for column in table.columns}
    assert found == wanted

"""Macros: how their files are read, what follows from calling one, and that they are made in the warehouse."""

from __future__ import annotations

import duckdb
import pytest

from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import SqlFileError
from opsmetrics.warehouse.materialize import make_macros

TITLE = '-- title = "T"\n'
ONE = TITLE + '-- [arguments]\n-- a = "A"\n'
FACT = TITLE + '-- key = ["x"]\n-- [columns]\n-- x = "X"\n'


@pytest.fixture
def root(tmp_path):
    """A folder of SQL files with one table, whose text and macros a test gives."""

    def write(table: str = "select 1 as x", **macros: str):
        for schema in ("facts", "macros"):
            (tmp_path / schema).mkdir(exist_ok=True)
        (tmp_path / "facts" / "f.sql").write_text(FACT + table + "\n")
        for name, text in macros.items():
            (tmp_path / "macros" / f"{name}.sql").write_text(text)
        return tmp_path

    return write


def test_tables_are_found_through_macros_of_macros(root):
    folder = root(
        "select macros.twice(x) as x from macros.outer_one('b') as o",
        outer_one=ONE + "create or replace macro macros.outer_one(a) as table\nselect * from macros.inner_one(a)\n",
        inner_one=ONE
        + "create or replace macro macros.inner_one(a) as table\nselect 1 as x from ref.t where a = 'b'\n",
        twice=ONE + "create or replace macro macros.twice(a) as 2 * a + (select max(y) from meta.m)\n",
    )
    file = load_all(folder)["facts.f"]
    assert file.dependencies == {"ref.t", "meta.m"}
    names = [macro.name for macro in file.macros]
    assert sorted(names) == ["inner_one", "outer_one", "twice"]
    assert names.index("inner_one") < names.index("outer_one")


def test_the_table_that_an_argument_names_is_read(root):
    text = ONE + '-- [names_table]\n-- a = "raw"\n'
    text += "create or replace macro macros.rows_of(a) as table\nselect * from query_table('raw.' || a)\n"
    assert load_all(root("from macros.rows_of('s')", rows_of=text))["facts.f"].dependencies == {"raw.s"}
    with pytest.raises(SqlFileError, match=r"f\.sql: a of macros\.rows_of names a table; write it as a literal"):
        load_all(root("select * from macros.rows_of(lower('s'))", rows_of=text))


def test_a_changed_macro_changes_the_digest_of_what_uses_it_and_of_nothing_else(root):
    before = ONE + "create or replace macro macros.one_more(a) as a + 1\n"
    after = before.replace("a + 1", "a + 2")
    using, other = "select macros.one_more(1) as x", "select 1 as x"
    digests = {
        (table, text): load_all(root(table, one_more=text))["facts.f"].digest
        for table in (using, other)
        for text in (before, after)
    }
    assert digests[using, before] != digests[using, after]
    assert digests[other, before] == digests[other, after]


@pytest.mark.parametrize(
    ("table", "macro", "message"),
    [
        ("select macros.nil(1) as x", None, r"facts/f\.sql: there is no macro 'nil'; write it as sql/macros/nil\.sql"),
        ("select * from read_csv('x')", None, r"f\.sql: table function 'read_csv' reads outside the warehouse"),
        (
            "select 1 as x",
            ONE + "create or replace macro macros.other(a) as a\n",
            r"m\.sql: write `create or replace macro macros\.m\(\.\.\.\) as \.\.\.` and nothing else",
        ),
        (
            "select 1 as x",
            ONE + "create or replace macro macros.m(b) as b\n",
            r"m\.sql: the macro takes \['b'\], the header tells of \['a'\]",
        ),
        (
            "select 1 as x",
            ONE + "create or replace macro macros.m(a) as table\nselect * from query_table(a)\n",
            r"m\.sql: table function 'query_table' reads outside the warehouse",
        ),
        (
            "select 1 as x",
            ONE + '-- [names_table]\n-- b = "raw"\ncreate or replace macro macros.m(a) as a\n',
            r"m\.sql: names_table tells of \['b'\], which the macro does not take",
        ),
        (
            "select 1 as x",
            ONE + "create or replace macro macros.m(a) as macros.m(a)\n",
            r"these macros call each other in a circle: m -> m",
        ),
        ("select 1 as x", ONE + "create or replace macro macros.m(a) as a +\n", r"m\.sql: .*syntax error"),
    ],
)
def test_errors_name_the_file_and_the_fix(root, table, macro, message):
    folder = root(table, **({} if macro is None else {"m": macro}))
    with pytest.raises(SqlFileError, match=message):
        load_all(folder)


def test_macros_are_made_with_their_comments_and_a_default(root):
    text = ONE + '-- b = "B"\ncreate or replace macro macros.plus(a, b := 14) as a + b\n'
    lists = TITLE + "create or replace macro macros.numbers() as table\nselect 7 as n\n"
    file = load_all(root("select macros.plus(n) as x from macros.numbers()", plus=text, numbers=lists))["facts.f"]
    with duckdb.connect() as con:
        con.execute("create schema macros")
        make_macros(con, file.macros)
        assert con.execute(file.text).fetchall() == [(21,)]
        comments = con.execute(
            "select function_name, comment from duckdb_functions() where schema_name = 'macros' order by 1"
        ).fetchall()
    assert comments == [("numbers", "T"), ("plus", "T")]

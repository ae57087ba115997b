"""Tables that are shown and never scored share a shape by kind."""

import pytest

from opsmetrics.catalogue.sqlfile import load_all, parse
from opsmetrics.catalogue.unscored import SHAPES, load_unscored
from opsmetrics.core.errors import SqlFileError
from opsmetrics.core.settings import default_sql_root


def test_every_kind_is_found_and_explained():
    found = load_unscored(load_all(default_sql_root()))
    assert {item.kind for item in found} == set(SHAPES)
    for item in found:
        assert item.explanation.nb
        assert item.explanation.en
        assert item.table.name == item.file.table
        assert item.table.columns == SHAPES[item.kind].columns


def test_a_diagnostic_says_why_it_is_not_scored():
    for item in load_unscored(load_all(default_sql_root())):
        if item.kind == "diagnostics":
            assert item.explanation is item.header.why_not_scored, item.id
            assert item.header.unit is not None, item.id


def test_a_header_with_an_unknown_key_names_file_and_key(tmp_path):
    path = tmp_path / "dx_x.sql"
    path.write_text('-- title = { nb = "N", en = "E" }\n-- unti = "share"\nselect 1 as a\n', encoding="utf-8")
    with pytest.raises(SqlFileError, match=r"dx_x\.sql: header key 'unti'"):
        load_unscored({"diagnostics.dx_x": parse(path, "diagnostics")})

"""TOML that people write costs what its length asks for, and is told in plain words."""

import time

import pytest

from opsmetrics.core.sqlheader import HeaderError, read_header
from opsmetrics.core.toml_text import TomlError, toml_table

LONG = ".".join(["a"] * 60_000) + " = 1\n"


def test_a_name_of_thousands_of_parts_is_refused_at_once():
    began = time.process_time()
    with pytest.raises(TomlError, match="a name of a hundred parts"):
        toml_table(LONG)
    with pytest.raises(HeaderError, match="a name of a hundred parts"):
        read_header(f"-- {LONG}select 1")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("value", ["9" * 6000, "[" * 6000])
def test_a_header_that_python_does_not_read_is_an_error_of_the_header(value):
    with pytest.raises(HeaderError, match="the header is not valid TOML"):
        read_header(f"-- seconds = {value}\nselect 1")


def test_a_name_of_some_parts_is_a_name():
    assert toml_table("a.b.c.d = 1\nversion = '1.2.3'\n") == {"a": {"b": {"c": {"d": 1}}}, "version": "1.2.3"}

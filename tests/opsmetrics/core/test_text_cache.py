"""What follows from texts is kept between processes; a cache that cannot be used is as good as none."""

from __future__ import annotations

from pathlib import Path

import pytest

from opsmetrics.catalogue import sqltree
from opsmetrics.catalogue.sqltree import Tree, parse_select
from opsmetrics.core.text_cache import TextCache


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "opsmetrics" / "names.json"


def test_the_next_process_knows_what_this_one_worked_out(cache):
    kept = TextCache("names", "1")
    assert kept.get("a text") is None
    kept.add("a text", {"found": [1]})
    assert not cache.exists(), "nothing is written before all is known"
    kept.save()
    assert TextCache("names", "1").get("a text") == {"found": [1]}
    assert TextCache("names", "1").get("another") is None
    assert TextCache("names", "2").get("a text") is None, "another version works out anew"
    assert "a text" not in cache.read_text(), "texts themselves are not kept"


def test_two_that_write_add_up(cache):
    first, second = TextCache("names", "1"), TextCache("names", "1")
    first.add("a", 1)
    first.save()
    second.add("b", 2)
    second.save()
    assert [TextCache("names", "1").get(text) for text in "ab"] == [1, 2]


def test_what_nobody_asks_for_any_more_goes_when_there_is_much(cache, monkeypatch):
    old = TextCache("names", "1")
    old.add("old", 1)
    old.save()
    monkeypatch.setattr("opsmetrics.core.text_cache._MOST", 1)
    new = TextCache("names", "1")
    new.add("new", 2)
    new.save()
    assert [TextCache("names", "1").get(text) for text in ("old", "new")] == [None, 2]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"{", b"[]", b"null", b'{"version": "1"}', b'{"version": "1", "values": []}']
)
def test_a_damaged_one_is_an_empty_one(cache, content):
    cache.parent.mkdir()
    cache.write_bytes(content)
    kept = TextCache("names", "1")
    assert kept.get("a") is None
    kept.add("a", 1)
    kept.save()
    assert TextCache("names", "1").get("a") == 1


def test_one_that_cannot_be_written_is_none(cache, monkeypatch):
    cache.parent.write_text("a file where the folder should be")
    kept = TextCache("names", "1")
    kept.add("a", 1)
    kept.save()
    assert kept.get("a") is None

    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    nowhere = TextCache("names", "1")
    nowhere.add("a", 1)
    nowhere.save()
    assert nowhere.get("a") is None


@pytest.fixture
def anew():
    """Forget what this process knows of selects, before and after."""

    def forget() -> None:
        parse_select.cache_clear()
        sqltree.trees.cache_clear()

    forget()
    yield forget
    forget()


SELECT = (
    "select macros.share(a, 'x'), lower(b) as today from facts.days as d join steps using (a) where current_date > b"
)


def test_a_select_is_parsed_once_for_all_processes(cache, anew, monkeypatch):
    parsed = parse_select(SELECT, Path("a.sql"))
    assert (parsed.tables, parsed.strangers) == ({"facts.days"}, {"steps"})
    sqltree.trees().save()
    anew()
    monkeypatch.setattr(sqltree, "serialized", lambda _: pytest.fail("parsed again"))
    assert parse_select(SELECT, Path("elsewhere.sql")) == parsed


@pytest.mark.parametrize("value", [None, {}, {"tables": []}, {"calls": 3}, [], "words"])
def test_a_tree_of_another_form_is_parsed_anew(cache, anew, value):
    sqltree.trees().add(SELECT, value)
    sqltree.trees().save()
    anew()
    assert parse_select(SELECT, Path("a.sql")) == sqltree._parsed(SELECT, Path("a.sql"), frozenset())
    assert isinstance(parse_select(SELECT, Path("a.sql")), Tree)


def test_another_version_of_duckdb_or_of_the_reading_parses_anew(cache, anew, monkeypatch):
    first = sqltree.trees().version
    anew()
    monkeypatch.setattr(sqltree.duckdb, "__version__", "9.9.9")
    assert sqltree.trees().version != first


def test_what_is_wrong_is_said_each_time(cache, anew):
    for _ in range(2):
        with pytest.raises(sqltree.SqlFileError, match="reads outside the warehouse"):
            parse_select("select * from read_csv('x')", Path("a.sql"))
        sqltree.trees().save()
        anew()
    assert not cache.with_name("selects.json").exists()

"""What tests share is built once, again when its inputs change, and never half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import built


@pytest.fixture
def made(tmp_path, monkeypatch):
    """The folders that were made; the cache is a folder of this test, and the checkout too."""
    monkeypatch.setattr(built, "ROOT", tmp_path)
    monkeypatch.setattr(built, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(built, "_digest", built._digest.__wrapped__)
    (tmp_path / "constraints.txt").write_text("pinned==1")
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "a.sql").write_text("select 1")
    return []


def make(made):
    def fill(folder):
        made.append(folder)
        (folder / "content").write_text(str(len(made)))

    return fill


def test_four_that_ask_at_once_get_one(made):
    with ThreadPoolExecutor(4) as threads:
        folders = list(threads.map(lambda _: built.built("x", make(made), ["sql"]), range(4)))
    assert len(made) == len(set(folders)) == 1


def test_a_changed_input_and_another_key_build_again_and_the_newest_few_are_kept(made, tmp_path):
    first = built.built("x", make(made), ["sql"])
    (tmp_path / "sql" / "a.sql").write_text("select 2")
    assert built.built("x", make(made), ["sql"]) != first
    (tmp_path / "sql" / "a.sql").write_text("select 1")
    assert built.built("x", make(made), ["sql"]) == first
    assert len(made) == 2
    for number in range(built.KEPT):
        built.built("x", make(made), ["sql"], key=str(number))
    assert not first.exists()
    assert len([path for path in first.parent.iterdir() if path.is_dir()]) == built.KEPT


def test_what_was_broken_off_is_not_taken_for_finished(made):
    def fail(folder):
        (folder / "half").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        built.built("x", fail, ["sql"])
    folder = built.built("x", make(made), ["sql"])
    assert not (folder / "half").exists()


def test_a_copy_may_be_written_to(made, tmp_path):
    folder = built.built("x", make(made), ["sql"])
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "ops-1.duckdb").write_text("immutable")
    copy = built.copied(folder, tmp_path / "copy")
    (copy / "content").write_text("mine")
    assert (folder / "content").read_text() == "1"
    assert (copy / "snapshots" / "ops-1.duckdb").samefile(folder / "snapshots" / "ops-1.duckdb")

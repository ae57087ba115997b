"""Files that appear whole or not at all."""

import errno
import os
import threading

import pytest

from opsmetrics.core.atomic import draft, settle, write_where_named, write_whole_bytes, write_whole_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_text_is_written_as_utf_8_and_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_whole_text(path, "blåbær\n", durable=True)
    assert path.read_bytes() == "blåbær\n".encode()
    assert names(path.parent) == ["b.txt"], "nothing is left beside it"


def test_what_fails_half_way_leaves_the_old_file_and_no_draft(tmp_path):
    path = tmp_path / "file"
    write_whole_bytes(path, b"old")

    def broken():
        with draft(tmp_path, "file") as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_draft_without_settling_leaves_nothing(tmp_path):
    with draft(tmp_path, "x" * 240) as temporary:
        temporary.write_bytes(b"content")
    assert names(tmp_path) == []


def test_a_link_can_be_settled_over_a_link(tmp_path):
    for target in ("one", "two"):
        (tmp_path / target).write_text(target)
        with draft(tmp_path, "current") as link:
            link.symlink_to(target)
            settle(link, tmp_path / "current")
    assert (tmp_path / "current").read_text() == "two"


def test_of_many_writers_at_once_one_whole_file_stays(tmp_path):
    """Each has a draft of its own: a shared name would let one write into the other's."""
    contents = [bytes([number]) * 200_000 for number in range(8)]
    path = tmp_path / "note"
    threads = [threading.Thread(target=write_whole_bytes, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["note"]


def test_what_somebody_names_may_be_a_link_or_a_pipe_and_stays_one(tmp_path):
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_where_named(tmp_path / "link", "after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_where_named(tmp_path / "pipe", "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_full_disk_is_told_with_the_place(tmp_path):
    with pytest.raises(OSError, match="No space left") as raised, draft(tmp_path, "r.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert raised.value.filename == str(tmp_path / "r.txt")

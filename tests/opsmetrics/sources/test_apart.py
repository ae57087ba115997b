"""A source is read in a process of its own: what it breaks, hangs or fills is that process, and one error says so."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import resource
import signal
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opsmetrics.build.pulling import pull_streams
from opsmetrics.core.errors import ConfigurationError, Problem, SourceError, StorageError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.bounds import Bounds
from opsmetrics.sources import isolation
from opsmetrics.sources.border import one_error
from opsmetrics.sources.http import Http
from opsmetrics.sources.isolation import apart
from opsmetrics.sources.notes import read_notes
from tests.conftest import settings_in
from tests.listening import listening

MEGABYTE = 1024 * 1024


def call(work, *arguments, bounds=None, progress=lambda *_: None):
    return apart(
        work, arguments, name="source", bounds=bounds or Bounds(memory_mb=256), progress=progress, warm=["polars"]
    )


def doubled(value, progress):
    progress(1, 2)
    progress(2, 2)
    return value * 2, os.getpid(), os.environ.get("PLANTED"), str(Path.cwd())


def aborts(_progress):
    os.abort()


def leaves(*_arguments):
    os._exit(3)


def fills(megabytes, _progress):
    held = bytearray(megabytes * MEGABYTE)
    return len(held), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def hangs(_progress):
    while True:
        time.sleep(60)


def fails(kind, _progress):
    problem = Problem("sources.toml", 3, "wrong", "mend it")
    raise {
        "source": SourceError(problem),
        "configuration": ConfigurationError([problem, problem]),
        "storage": StorageError("no space left"),
        "bug": ZeroDivisionError("division by zero"),
    }[kind]


def test_it_returns_what_was_returned_and_sees_what_we_see(monkeypatch, tmp_path):
    monkeypatch.setenv("PLANTED", "here")
    monkeypatch.chdir(tmp_path)
    told = []
    value, pid, planted, folder = call(doubled, 21, progress=lambda *said: told.append(said))
    assert (value, planted, folder, told) == (42, "here", str(tmp_path), [(1, 2), (2, 2)])
    assert pid != os.getpid()
    monkeypatch.delenv("PLANTED")
    assert call(doubled, 1)[2] is None


@pytest.mark.parametrize(("work", "said"), [(aborts, "SIGABRT"), (leaves, "exit code 3")])
def test_a_process_that_ends_is_an_error_of_its_source(work, said):
    with pytest.raises(SourceError, match=said) as found:
        call(work)
    assert "bounds.memory_mb" in str(found.value)


def test_one_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(isolation, "LATE_SECONDS", 0.0)
    with pytest.raises(SourceError, match=r"longer than 0\.01 minutes"):
        call(hangs, bounds=Bounds(minutes=0.01))


class Process(SimpleNamespace):
    """One that only says what it is asked; no two are the same, as with processes."""

    __hash__ = object.__hash__


def test_one_that_stops_in_the_middle_of_a_word_is_ended(monkeypatch):
    """Half a message came, and whoever waits for the rest would wait for ever."""
    monkeypatch.setattr(isolation, "LATE_SECONDS", 0.0)
    ours, theirs = multiprocessing.Pipe(duplex=False)
    os.write(theirs.fileno(), (1000).to_bytes(4, "big") + b"half")
    process = Process(kill=theirs.close, join=lambda: None, exitcode=-signal.SIGKILL)
    with ours, pytest.raises(SourceError, match=r"longer than 0\.001 minutes") as found:
        isolation._outcome(process, ours, "source", Bounds(minutes=0.001), lambda *_: None)
    # One line, and what to do.
    assert len(str(found.value).splitlines()) == 2


def test_memory_has_a_bound():
    size, peak = call(fills, 100)
    assert size == 100 * MEGABYTE
    assert peak > 100
    with pytest.raises(MemoryError):
        call(fills, 400)


@pytest.mark.parametrize("kind", ["source", "configuration", "storage", "bug"])
def test_an_error_arrives_with_all_that_it_says(kind):
    with pytest.raises(Exception, match=r"\S") as expected:
        fails(kind, None)
    with pytest.raises(expected.type) as found:
        call(fails, kind)
    assert str(found.value) == str(expected.value)
    assert found.value.__dict__ == expected.value.__dict__


STREAMS = """
root = "data"
[[stream]]
name = "availability_checks"
path = "{file}"
covers = [2026-08-01, 2026-08-31]
bounds = {{ memory_mb = {megabytes}, minutes = 2 }}
[[stream]]
name = "incidents"
path = "incidents.jsonl"
"""
AT = datetime(2026, 8, 20, tzinfo=UTC)


def constant(value, rows):
    return pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int8), pa.array([value]))


def write_text_bomb(path):
    """A kilobyte that is 400 MB of text."""
    rows = 10_000
    columns = {
        "monitor_id": constant("x" * 40_000, rows),
        "checked_at": constant(AT, rows),
        "status": constant("up", rows),
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def write_row_bomb(path):
    """Some kilobytes that are 60 million rows."""
    table = pa.table({"monitor_id": constant("probe-web", 5_000_000)})
    with pq.ParquetWriter(path, table.schema, compression="zstd") as file:
        for _ in range(12):
            file.write_table(table)


def test_the_error_of_a_process_that_ended_names_its_stream(small, tmp_path, monkeypatch):
    monkeypatch.setattr("opsmetrics.sources.pull._pull", leaves)
    settings = replace(settings_in(tmp_path), reads_apart=True)
    (found,) = pull_streams(settings, load_organisation(small), ["incidents"])
    assert (found.error or "").startswith("incidents from files: ")


@pytest.mark.parametrize(
    ("name", "write", "megabytes", "said"),
    [
        ("text.parquet", write_text_bomb, 256, "memory_mb"),
        ("rows.parquet", write_row_bomb, 256, "60000000 rows, more than are read at once"),
    ],
)
def test_a_bomb_is_one_error_of_its_source_and_the_others_land(small, tmp_path, name, write, megabytes, said):
    write(small / "data" / name)
    assert (small / "data" / name).stat().st_size < 15_000_000
    (small / "sources.toml").write_text(STREAMS.format(file=name, megabytes=megabytes))
    settings, organisation = replace(settings_in(tmp_path), reads_apart=True), load_organisation(small)
    bomb, fine = pull_streams(settings, organisation, ["availability_checks", "incidents"])
    assert said in (bomb.error or "")
    assert len(bomb.error.splitlines()) == 2
    assert (fine.error, fine.rows) == (None, 20)
    note = read_notes(settings.home / "pulls")["availability_checks", "files"]
    assert (note.error, note.succeeded_at) == (bomb.error, None)


def test_what_is_read_apart_is_what_is_read_here(small, tmp_path):
    organisation, landed = load_organisation(small), []
    for apart_too in (False, True):
        settings = replace(settings_in(tmp_path), home=tmp_path / f"home-{apart_too}", reads_apart=apart_too)
        results = pull_streams(settings, organisation, list(organisation.streams))
        assert [result.error for result in results] == [None] * len(results)
        landed.append([[(load.rows, load.load_id.rsplit("-", 1)[-1]) for load in result.loads] for result in results])
        assert {*read_notes(settings.home / "pulls")} == {(result.stream, "files") for result in results}
    assert landed[0] == landed[1]


def asks(address, home, _progress):
    settings = Settings(home, home, None, None, default_sql_root(), retry_seconds=0)
    try:
        with Http("source", address, settings) as http:
            http.get("bomb")
        said = ""
    except SourceError as error:
        said = str(error)
    return said, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_a_small_answer_does_not_fill_memory(tmp_path):
    packed = gzip.compress(b"[" + b"[]," * 45_000_000 + b"[]]", 1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-encoding", "gzip")
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(packed)

        def log_message(self, *_):
            """Silence."""

    assert len(packed) < 1_000_000
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        said, peak = call(asks, address, tmp_path, bounds=Bounds())
    assert "more than 128 MB" in said
    # The program takes a quarter of it; made into values, this answer takes 2.5 GB.
    assert peak < 600


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("could not spawn threads: Resource temporarily unavailable (os error 11)", True),
        ("index out of bounds", False),
    ],
)
def test_a_panic_for_want_of_memory_is_not_the_content(said, is_told):
    with pytest.raises(SourceError) as caught, one_error("incidents.csv"):
        raise pl.exceptions.PanicException(said)
    assert ("memory_mb" in str(caught.value)) is is_told

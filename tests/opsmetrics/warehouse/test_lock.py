"""Two runs at once: the second waits with one line, gives up after the wait that is set, and goes on when the first dies."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from opsmetrics.core.errors import WarehouseBusyError
from opsmetrics.warehouse import connect, lock
from opsmetrics.warehouse.lock import exclusive, lock_path
from tests.patience import LIMIT_SECONDS, wait_until

HOLD = """
import importlib.util, sys
from pathlib import Path
# The module alone: with its package it takes ten times as long to import.
spec = importlib.util.spec_from_file_location("lock", sys.argv[2])
lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lock)
with lock.exclusive(Path(sys.argv[1]), 0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "working.duckdb"


@contextmanager
def held(path):
    """Another process holds the file until its input ends."""
    command = [sys.executable, "-c", HOLD, str(path), lock.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_waits_with_one_line(path, caplog):
    with held(path) as holder, caplog.at_level(logging.WARNING):
        # It lets go when the second has said that it waits.
        release = threading.Thread(target=lambda: (wait_until(lambda: caplog.messages), holder.stdin.close()))
        release.start()
        with connect(path, LIMIT_SECONDS) as con:
            assert con.execute("select 1").fetchall() == [(1,)]
        release.join(LIMIT_SECONDS)
        assert holder.wait(LIMIT_SECONDS) == 0
    (line,) = caplog.messages
    since = r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(
        rf"another run is building {since} \(process {holder.pid}\); waiting up to {LIMIT_SECONDS:.0f} s", line
    )


def test_the_wait_ends_where_the_setting_says(path):
    with held(path) as holder:
        began = time.monotonic()
        with pytest.raises(WarehouseBusyError, match=rf"another run is writing since .*process {holder.pid}"):
            connect(path, 0.5).__enter__()
        assert time.monotonic() - began >= 0.5
        with pytest.raises(WarehouseBusyError), connect(path):
            pass


def test_a_killed_holder_holds_nothing(path):
    with held(path) as holder:
        threading.Timer(0.5, holder.kill).start()
        with connect(path, LIMIT_SECONDS) as con:
            assert con.execute("select 1").fetchall() == [(1,)]
        assert holder.wait(LIMIT_SECONDS) < 0


def test_threads_of_one_process_wait_too_and_a_thread_may_enter_twice(path):
    order: list[str] = []

    def second() -> None:
        with exclusive(path, LIMIT_SECONDS):
            order.append("second")

    with exclusive(path, 0), exclusive(path, 0):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.5)
        order.append("first")
    thread.join(LIMIT_SECONDS)
    assert order == ["first", "second"]


def test_what_the_holder_wrote_may_be_anything(path):
    with held(path):
        lock_path(path).write_text("half a li")
        with pytest.raises(WarehouseBusyError, match="another run is writing; wait"), connect(path):
            pass

"""Ctrl-C while DuckDB works: it ends what a connection does, at once.

Python hears a signal between two of its own instructions. A call into DuckDB is one of them, however long it takes, and
while it waits for threads of its own it does not look.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import duckdb

# Between two interrupts: one that comes before a statement has begun is lost.
_AGAIN_SECONDS = 0.1


@contextmanager
def ended_by_interrupt(con: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Have Ctrl-C end the statements of a connection as long as the block lasts.

    Where somebody else is woken by signals, such as an event loop, and in threads that get none, nothing is changed.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed, whatever the interrupted statement made of it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        heard.close()
        told.close()
        yield
        return
    pressed, over = threading.Event(), threading.Event()

    def listen() -> None:
        while signals := heard.recv(64):
            if signal.SIGINT in signals:
                pressed.set()
                while not over.wait(_AGAIN_SECONDS):
                    con.interrupt()

    listener = threading.Thread(target=listen, name="interrupts", daemon=True)
    listener.start()
    try:
        yield
    except Exception:
        if pressed.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        over.set()
        signal.set_wakeup_fd(-1)
        told.close()
        listener.join()
        heard.close()

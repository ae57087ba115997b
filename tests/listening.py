"""Serve on loopback while a block runs, and end at once with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

# How often a server looks whether it shall end, seconds. The standard's half second is what every test of one would wait.
LOOKS_EVERY = 0.01


@contextmanager
def listening(server: HTTPServer) -> Iterator[str]:
    """Let a server answer in a thread of its own; yields its address."""
    thread = threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

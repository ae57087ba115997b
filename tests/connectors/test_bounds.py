"""Answers without end, and small ones that unpack to large ones, are cut off: one line, nothing landed."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.sources.http import Http
from tests.listening import listening

SMALL = b'{"value": [1, 2, 3]}'
BOMB = gzip.compress(b"[" + b" " * 5_000_000 + b"]")


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            packed = {"/bomb": BOMB, "/packed": gzip.compress(SMALL)}.get(self.path)
            self.send_response(200)
            if packed:
                self.send_header("content-encoding", "gzip")
            self.send_header("link", '</next>; rel="next"')
            self.end_headers()
            try:
                if self.path == "/endless":
                    # Two thousand times the bound, if nobody hangs up.
                    for _ in range(20_000):
                        self.wfile.write(b" " * 10_000)
                else:
                    self.wfile.write(packed or SMALL)
            except OSError:
                return

        def log_message(self, *_):
            """Silence."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with listening(found) as address:
        yield address


@pytest.fixture
def http(server, tmp_path, monkeypatch):
    monkeypatch.setattr("opsmetrics.sources.http.MOST_BYTES", 100_000)
    settings = Settings(tmp_path, tmp_path, None, None, default_sql_root(), retry_seconds=0)
    with Http("source", server, settings) as found:
        yield found


@pytest.mark.parametrize("path", ["endless", "bomb"])
def test_too_much_is_cut_off(http, path):
    assert len(BOMB) < 100_000
    with pytest.raises(SourceError, match="more than") as refused:
        http.get(path)
    assert path in str(refused.value)


@pytest.mark.parametrize("path", ["plain", "packed"])
def test_what_fits_is_read_with_its_headers(http, path):
    answer = http.answer("GET", path)
    assert answer.json() == {"value": [1, 2, 3]}
    assert answer.links["next"]["url"] == "/next"

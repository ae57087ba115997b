"""What a stranger tries on the port of a running app: each of these once worked (docs/threat-model.md)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Generator

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.apps import free_port, running_app
from tests.asking import http_get
from tests.patience import LIMIT_SECONDS


@pytest.fixture(scope="module")
def near(tmp_path_factory) -> Generator[str]:
    """An app without sign-in and without a snapshot, and its log."""
    folder = tmp_path_factory.mktemp("near")
    with running_app(folder / "home", folder / "log", free_port()) as address:
        yield address
    said = (folder / "log").read_text()
    assert "Traceback" not in said
    # Whoever asks often must not fill the disk.
    assert len(said) < 10_000


def raw(address: str, *lines: str) -> bytes:
    """Send lines as they are; return the first line of the answer."""
    name, port = address.removeprefix("http://").split(":")
    with socket.create_connection((name, int(port)), LIMIT_SECONDS) as sock:
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        return sock.recv(65536).split(b"\r\n")[0]


def test_a_rebinding_page_reads_nothing(near):
    """Its name leads to our address, so the browser takes us for it: Host and Origin agree, and are not ours."""
    evil = ("Host: evil.example", "Origin: http://evil.example")
    for path in ("/", "/ned/gaps.csv", "/_stcore/health", "/_stcore/host-config", "/static/js/a.js", "/logg-inn"):
        whole = f"GET http://evil.example{path} HTTP/1.1", f"Host: {near.removeprefix('http://')}"
        assert b" 421 " in raw(near, *whole)
        assert b" 421 " in raw(near, f"GET {path} HTTP/1.1", *evil)
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    assert b" 403 " in raw(near, "GET /_stcore/stream HTTP/1.1", *evil, *upgrade, key)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[", None])
def test_a_page_of_another_site_opens_no_socket(near, origin):
    with pytest.raises(InvalidStatus), connect(near.replace("http", "ws") + "/_stcore/stream", origin=origin):
        pass


def test_nothing_is_uploaded_and_nothing_told_about_the_process(near):
    with httpx.Client(base_url=near, timeout=LIMIT_SECONDS, headers={"Origin": near}) as client:
        for method, path in (
            ("PUT", "/_stcore/upload_file/a/b"),
            ("POST", "/_stcore/agent/interact"),
            ("POST", "/_stcore/agent/mcp"),
            ("GET", "/_stcore/agent/openapi.json"),
            ("GET", "/_stcore/metrics"),
            ("GET", "/component/x/index.html"),
            ("GET", "/static/js/none.js"),
            ("GET", "/static/index.html"),
            ("GET", "/dagster"),
            ("GET", "/oauth2callback?code=x"),
            ("GET", "/logg-inn"),
            ("POST", "/logg-ut"),
            ("GET", "/app/static/../server.py"),
            ("GET", "/app/static/%2e%2e/server.py"),
            ("GET", "/%2e%2e/%2e%2e/etc/passwd"),
        ):
            assert client.request(method, path).status_code in {404, 405}, path


def test_a_flood_of_frames_does_not_stop_the_answers(near):
    """3,000 frames that each ask for the page again; health is asked meanwhile, and the socket is closed."""
    rerun = BackMsg()
    rerun.rerun_script.query_string = "lang=nb"
    over = threading.Event()
    answers: list[int] = []

    def ask() -> None:
        while not over.is_set():
            answers.append(http_get(f"{near}/_stcore/health").status_code)
            time.sleep(0.05)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        with (
            connect(near.replace("http", "ws") + "/_stcore/stream", origin=near, max_size=None) as flood,
            pytest.raises(ConnectionClosed) as closed,
        ):
            flooded(flood, rerun.SerializeToString(), 3000)
    finally:
        over.set()
        asking.join(LIMIT_SECONDS)
    # Against the rules; or, where the pages are made more slowly than frames may come, no answer to the server's ping
    # behind what it has not read. A reset overtakes either where much was left unread.
    assert closed.value.rcvd is None or closed.value.rcvd.code in {1008, 1011}
    assert set(answers) == {200}


def flooded(flood, frame: bytes, count: int) -> None:
    """Send a frame many times, until the socket is closed: before the last, or behind it."""
    for _ in range(count):
        flood.send(frame)
    drained(flood)


def drained(flood) -> None:
    """Take what comes, until the socket is closed."""
    while True:
        flood.recv(LIMIT_SECONDS)


@pytest.mark.parametrize("content", [b"\xff" * 100, b"a" * (2 * 2**20), "text"], ids=["broken", "large", "text"])
def test_odd_frames_close_the_socket(near, content):
    with connect(near.replace("http", "ws") + "/_stcore/stream", origin=near, max_size=None) as odd:
        odd.send(content)
        with pytest.raises(ConnectionClosed):
            drained(odd)
    assert http_get(f"{near}/_stcore/health").status_code == 200

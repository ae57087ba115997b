"""Connections that are slow, half-open, too many or too large are ended; the others go on."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from door.connections import bounded
from door.rules import Limits
from door.serving import listen, listen_locally
from tests.patience import LIMIT_SECONDS, wait_until

HERE = "127.0.0.1"
GOOD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def _endless(_):
    async def body():
        while True:
            yield b"a" * 65536
            await asyncio.sleep(0)

    return StreamingResponse(body())


async def _socket(socket):
    await socket.accept()
    await socket.receive()


APP = Starlette(
    routes=[
        Route("/", lambda _: PlainTextResponse("ok"), methods=["GET", "POST"]),
        Route("/endless", _endless),
        WebSocketRoute("/socket", _socket),
    ]
)


@contextmanager
def serving(limits: Limits, proxies: tuple[str, ...] = ()) -> Generator[tuple[str, int]]:
    """A server of the bounded protocol in a thread."""
    listener = listen(HERE, 0)
    config = uvicorn.Config(APP, http=bounded(limits, proxies), ws="websockets-sansio", log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield HERE, listener.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(LIMIT_SECONDS)
        listener.close()


def opened(place: tuple[str, int]) -> socket.socket:
    return socket.create_connection(place, LIMIT_SECONDS)


def answer(sock: socket.socket) -> bytes:
    """What comes until the other side has said something or is gone."""
    try:
        return sock.recv(65536)
    except OSError:
        return b""


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a",
        b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na",
    ],
    ids=["nothing", "half a head", "blank lines", "half a body"],
)
def test_who_does_not_go_on_is_cut_off(begin):
    with serving(Limits(head_seconds=0.3, whole_seconds=0.3)) as place, opened(place) as slow:
        slow.sendall(begin)
        slow.settimeout(LIMIT_SECONDS)
        while answer(slow):
            pass
        with opened(place) as good:
            good.sendall(GOOD)
            assert answer(good).startswith(b"HTTP/1.1 200")


def test_a_byte_now_and_then_is_not_going_on():
    with serving(Limits(head_seconds=0.4)) as place, opened(place) as slow:
        until = time.monotonic() + LIMIT_SECONDS
        head = iter(b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 100_000)
        while is_sent(slow, bytes([next(head)])):
            time.sleep(0.02)
            assert time.monotonic() < until


def test_who_takes_no_answer_is_cut_off():
    with serving(Limits(whole_seconds=0.5)) as place, opened(place) as slow:
        slow.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1)
        taken = 0
        while piece := answer(slow):
            taken += len(piece)
        assert taken > 0


def test_a_head_has_a_size():
    with serving(Limits(head_bytes=1000)) as place, opened(place) as large, opened(place) as good:
        assert is_sent(large, b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        sent = 0
        while is_sent(large, b"a" * 1000):
            sent += 1000
            assert sent < 10_000_000
        # The size is of one head, not of all that a connection asks.
        for _ in range(50):
            good.sendall(GOOD)
            assert answer(good).startswith(b"HTTP/1.1 200")


def is_sent(sock: socket.socket, content: bytes) -> bool:
    """Send on; False when the other side has ended the connection."""
    try:
        sock.sendall(content)
    except OSError:
        return False
    return True


def test_an_address_has_so_many_connections_and_a_proxy_more():
    limits = Limits(connections=8, connections_each=3)
    for proxies, most in (((), 3), ((HERE,), 8)):
        with serving(limits, proxies) as place:
            kept = [opened(place) for _ in range(12)]
            answered = [is_sent(sock, GOOD) and answer(sock).startswith(b"HTTP/1.1 200") for sock in kept]
            assert sum(answered) == most
            for sock in kept:
                sock.close()

            def is_free(place=place) -> bool:
                with opened(place) as good:
                    return is_sent(good, GOOD) and answer(good).startswith(b"HTTP/1.1 200")

            wait_until(is_free)


def test_a_websocket_keeps_no_place_of_a_connection():
    upgrade = (
        b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with serving(Limits(connections_each=1, head_seconds=0.3, whole_seconds=0.3)) as place, opened(place) as first:
        first.sendall(upgrade)
        assert answer(first).startswith(b"HTTP/1.1 101")

        def is_free() -> bool:
            with opened(place) as good:
                return is_sent(good, GOOD) and answer(good).startswith(b"HTTP/1.1 200")

        wait_until(is_free)


def test_a_local_socket_is_for_its_own_user_alone(tmp_path):
    path = tmp_path / "page.sock"
    for _ in range(2):  # what an earlier process left behind is no hindrance
        listener = listen_locally(path)
        assert path.stat().st_mode & 0o777 == 0o600
        listener.close()

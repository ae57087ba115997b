"""Connections that are slow, half-open, too many or too large are ended; the others go on."""

from __future__ import annotations

import asyncio
import logging
import re
import select
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from door import serving as serving_module
from door.connections import CONTROLS_BURST, MOST_WAITING, PIECES_BURST
from door.gate import Gate
from door.rules import Limits, Opening, Rules
from door.serving import OTHER_FILES, listen, listen_locally, openable
from tests.patience import LIMIT_SECONDS, wait_until

HERE = "127.0.0.1"
GOOD = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def _endless(_):
    async def body():
        while True:
            yield b"a" * 65536
            await asyncio.sleep(0)

    return StreamingResponse(body())


async def _never(_):
    await asyncio.Event().wait()


async def _socket(socket):
    await socket.accept()
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _talker(socket):
    await socket.accept()
    while True:
        await socket.send_bytes(b"a" * 65536)
        await asyncio.sleep(0)


async def _echo(socket):
    await socket.accept()
    await socket.send_bytes(await socket.receive_bytes())
    await socket.receive()


async def _who(socket):
    await socket.accept()
    await socket.send_text(socket.client.host)
    await socket.receive()


WHO_SOCKET = WebSocketRoute("/socket", _who)
APP = Starlette(
    routes=[
        Route("/", lambda _: PlainTextResponse("ok"), methods=["GET", "POST"]),
        Route("/endless", _endless),
        Route("/never", _never),
        WebSocketRoute("/socket", _socket),
        WebSocketRoute("/talker", _talker),
        WebSocketRoute("/echo", _echo),
    ]
)


@contextmanager
def serving(
    limits: Limits,
    proxies: tuple[str, ...] = (),
    app: ASGIApp = APP,
    told: logging.Handler | None = None,
    here: str = HERE,
) -> Generator[tuple[str, int]]:
    """A server of ours in a thread. It is cut short at the end, or where its log is ``told`` ends as by a signal."""
    listener = listen(here, 0)
    server = serving_module.server(app, limits, proxies)
    server.config.timeout_keep_alive = 1  # what waits for an answered connection to be closed waits for this
    # A server sets up its loggers anew, and they pass nothing on to the root.
    log = logging.getLogger("uvicorn.error")
    if told is not None:
        log.addHandler(told)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield HERE, listener.getsockname()[1]
    finally:
        server.should_exit, server.force_exit = True, told is None
        thread.join(LIMIT_SECONDS)
        listener.close()
        if told is not None:
            log.removeHandler(told)


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


def test_what_follows_a_head_at_once_is_no_part_of_it():
    """A body, or another request, in the same piece of the network as the first lines."""
    body = b"a" * 50_000
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(Limits(head_bytes=1000)) as place, opened(place) as large:
        for _ in range(3):
            large.sendall(post + body)
            assert answer(large).startswith(b"HTTP/1.1 200")


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
            # Those that are one too many are ended before anybody asks: who was answered waits again, and gives way.
            wait_until(lambda kept=kept, most=most: len(select.select(kept, [], [], 0)[0]) == len(kept) - most)
            answered = [is_sent(sock, GOOD) and answer(sock).startswith(b"HTTP/1.1 200") for sock in kept]
            assert sum(answered) == most
            for sock in kept:
                sock.close()

            def is_free(place=place) -> bool:
                with opened(place) as good:
                    return is_sent(good, GOOD) and answer(good).startswith(b"HTTP/1.1 200")

            wait_until(is_free)


UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
PING, PONG, TEXT = 0x89, 0x8A, 0x81


def frame(kind: int, content: bytes = b"") -> bytes:
    """A short frame with a mask of zeros, which leaves its content as it is."""
    return bytes([kind, 0x80 | len(content)]) + b"\0\0\0\0" + content


def test_a_websocket_keeps_no_place_of_a_connection():
    with serving(Limits(connections_each=1, head_seconds=0.3, whole_seconds=0.3)) as place, opened(place) as first:
        first.sendall(UPGRADE + b"\r\n")
        assert answer(first).startswith(b"HTTP/1.1 101")

        def is_free() -> bool:
            with opened(place) as good:
                return is_sent(good, GOOD) and answer(good).startswith(b"HTTP/1.1 200")

        wait_until(is_free)


@pytest.mark.parametrize(
    "more",
    [b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Sec-WebSocket-Protocol: " + b"a," * 5000 + b"\r\n"],
    ids=["a body", "a body in pieces", "a long line"],
)
def test_a_websocket_that_is_asked_for_oddly_is_refused_and_not_kept(more):
    """The library reads no request, says so to nobody, and the connection stayed, counted by nobody."""
    with serving(Limits()) as place, opened(place) as odd:
        odd.sendall(UPGRADE + more + b"\r\n")
        assert answer(odd).startswith(b"HTTP/1.1 400")
        assert answer(odd) == b""


@pytest.mark.parametrize("kind", [PING, PONG])
def test_a_websocket_speaks_of_itself_so_often(kind):
    with serving(Limits()) as place, opened(place) as odd:
        odd.sendall(UPGRADE + b"\r\n")
        assert answer(odd).startswith(b"HTTP/1.1 101")
        odd.sendall(frame(kind, b"a") * CONTROLS_BURST)
        if kind == PING:
            assert answer(odd).startswith(b"\x8a")
        is_sent(odd, frame(kind, b"a") * CONTROLS_BURST)
        while answer(odd):
            pass


def test_a_message_has_so_many_pieces():
    """Empty ones have no size: three connections that sent nothing else kept everybody waiting for a minute."""
    more = bytes([0x00, 0x80]) + b"\0\0\0\0"
    with serving(Limits()) as place, opened(place) as odd:
        odd.sendall(UPGRADE + b"\r\n")
        assert answer(odd).startswith(b"HTTP/1.1 101")
        odd.sendall(frame(0x02, b"a"))
        wait_until(lambda: not is_sent(odd, more * PIECES_BURST))
        with opened(place) as good:
            good.sendall(GOOD)
            assert answer(good).startswith(b"HTTP/1.1 200")


def test_a_message_may_come_in_pieces():
    with serving(Limits()) as place, opened(place) as good:
        good.sendall(UPGRADE.replace(b"/socket", b"/echo") + b"\r\n")
        assert answer(good).startswith(b"HTTP/1.1 101")
        good.sendall(frame(0x02, b"a" * 100) + frame(0x00, b"b" * 100) * 200 + frame(0x80, b"c"))
        said = b""
        while len(said) < 4 + 20_101:
            said += answer(good)
        assert said.count(b"b") == 20_000


def test_requests_wait_for_one_another_as_far_as_there_is_room(caplog):
    """Ten thousand in one go took a quarter of a second of everybody's time, before anybody asked who that is."""
    with serving(Limits(), told=caplog.handler) as place:
        with opened(place) as good:
            good.sendall(GOOD * MOST_WAITING)
            said = b""
            while said.count(b"HTTP/1.1 200") < MOST_WAITING:
                said += answer(good)
        for path in (b"/", b"/never"):
            with opened(place) as odd:
                wait_until(lambda odd=odd, path=path: not is_sent(odd, GOOD.replace(b"/", path, 1) * 2000))
        with opened(place) as gone:
            gone.sendall(GOOD.replace(b"/", b"/endless", 1) + GOOD)
            answer(gone)
    assert "Traceback" not in caplog.text


def test_what_is_no_request_fills_no_log(caplog):
    with serving(Limits(), told=caplog.handler) as place:
        for _ in range(60):
            with opened(place) as odd:
                odd.sendall(b"\0\r\n\r\n")
                assert answer(odd).startswith(b"HTTP/1.1 400")
    assert 0 < caplog.text.count("Invalid HTTP request") < 30


def test_who_comes_by_ipv4_to_a_listener_for_both_is_known_by_it():
    """Written as IPv6 all of them are one network: one of them took everybody's budget, and no proxy was believed."""
    who = Starlette(routes=[Route("/", lambda asked: PlainTextResponse(asked.client.host)), WHO_SOCKET])
    asked = GOOD.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.7:4711\r\nConnection: close\r\n\r\n")
    for proxies, name in (((), b"127.0.0.1"), (("127.0.0.0/8",), b"192.0.2.7"), (("10.0.0.0/8",), b"127.0.0.1")):
        with serving(Limits(), proxies, who, here="::") as (_, port):
            for request in (asked, UPGRADE + b"X-Forwarded-For: 192.0.2.7\r\n\r\n"):
                with opened((HERE, port)) as near:
                    near.sendall(request)
                    said = b""
                    while not said.endswith(name):
                        said += (more := answer(near))
                        assert more, said


@pytest.mark.parametrize(
    ("asked", "host"),
    [
        (b"/", b"a"),
        (b"http://b/", b"b"),
        (b"HTTP://b:80/x?y://z/", b"b:80"),
        (b"/http://b/", b"a"),
    ],
)
def test_the_host_of_a_whole_address_is_the_one_that_counts(asked, host):
    async def told(scope, receive, send):
        if scope["type"] == "http":
            names = [value for name, value in scope["headers"] if name == b"host"]
            await PlainTextResponse(b"|".join(names))(scope, receive, send)

    with serving(Limits(), app=told) as place, opened(place) as near:
        near.sendall(b"GET " + asked + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        said = b""
        while more := answer(near):
            said += more
        assert said.endswith(b"\r\n\r\n" + host)


def test_text_that_is_none_closes_the_socket_and_fills_no_log(caplog):
    with serving(Limits(), told=caplog.handler) as place, opened(place) as odd:
        odd.sendall(UPGRADE + b"\r\n")
        assert answer(odd).startswith(b"HTTP/1.1 101")
        odd.sendall(frame(TEXT, b"\xff"))
        assert answer(odd)[2:] == (1007).to_bytes(2, "big")
        assert answer(odd) == b""
    assert caplog.text == ""


def test_idle_connections_give_way_to_whoever_asks():
    with serving(Limits(connections=8, connections_each=8)) as place:
        idle = [opened(place) for _ in range(20)]
        with opened(place) as good:
            good.sendall(GOOD)
            assert answer(good).startswith(b"HTTP/1.1 200")
        for sock in idle:
            sock.close()


SLOW = Limits(frames_burst=1, frames_rate=0.001, frames_waiting=10)
ORIGIN = b"Origin: http://a\r\n\r\n"
TALKER = UPGRADE.replace(b"/socket", b"/talker") + ORIGIN


@pytest.mark.parametrize(
    ("asked", "then"),
    [
        (GOOD.replace(b"/", b"/endless", 1), b""),
        (GOOD.replace(b"/", b"/never", 1), None),
        (TALKER, b""),
        (UPGRADE + ORIGIN, frame(0x82, b"a") * 3),
    ],
    ids=["an answer that nobody takes", "an answer not begun", "a socket that takes nothing", "frames that wait"],
)
def test_what_is_cut_because_the_server_ends_is_no_fault(asked, then, monkeypatch, caplog):
    monkeypatch.setattr(serving_module, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(serving_module, "CUT_SECONDS", 0.2)
    pages = Opening(re.compile("/endless|/never"))
    sockets = Opening(re.compile("/talker|/socket"), frozenset({"GET"}), is_socket=True)
    rules = Rules(frozenset({"a"}), frozenset({"http://a"}), (pages, sockets), SLOW)
    gate = Gate(APP, rules=rules, policy="default-src 'none'")
    with serving(SLOW, app=gate, told=caplog.handler) as place:
        stays = opened(place)
        stays.sendall(asked)
        if then is not None:
            assert answer(stays).startswith(b"HTTP/1.1 ")
            stays.sendall(then)
        time.sleep(0.3)  # until as much is written as the network keeps, or frames wait
    stays.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_limits_are_what_the_process_may_open(monkeypatch):
    had = (1024, 1024)
    monkeypatch.setattr("resource.getrlimit", lambda _: had)
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: asked.append(limits))
    asked: list[tuple[int, int]] = []
    small = openable(Limits(connections=2000, sockets=500))
    assert asked == []
    assert small.connections + small.sockets + OTHER_FILES <= 1024
    had = (1024, 4096)
    assert openable(Limits(connections=2000, sockets=500)) == Limits(connections=2000, sockets=500)
    assert asked == [(2500 + OTHER_FILES, 4096)]


def test_a_local_socket_is_for_its_own_user_alone(tmp_path):
    path = tmp_path / "page.sock"
    for _ in range(2):  # what an earlier process left behind is no hindrance
        listener = listen_locally(path)
        assert path.stat().st_mode & 0o777 == 0o600
        listener.close()
    other = tmp_path / "sources.toml"
    other.write_text("theirs")
    with pytest.raises(OSError, match="in use"):
        listen_locally(other)
    assert other.read_text() == "theirs"


def test_what_is_written_goes_out_at_once_on_the_loop_of_the_standard_library():
    """uvloop, which tests have and installations need not, sets it on every connection; asyncio by the protocol."""

    async def told() -> int:
        accepted: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

        class Taking(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted.set_result(transport)

        listener = listen(HERE, 0)
        server = await asyncio.get_running_loop().create_server(Taking, sock=listener)
        async with server:
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = (await accepted).get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            (await accepted).close()
            writer.close()
        return found

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(asyncio.wait_for(told(), LIMIT_SECONDS)) != 0

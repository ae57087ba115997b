"""TCP connections that are bounded: how many, how long until a request is there, how large, how long until it is taken.

uvicorn has none of these bounds: a connection that says nothing, or says it for ever, stays; so does one that asks for
a websocket in a way that the library behind does not read, and a websocket may speak of itself (pings) as it likes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from asyncio import BaseTransport
from collections.abc import Collection
from typing import ClassVar

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from door.budgets import Budgets, Places
from door.rules import Limits, person_of, plain

# Data that nobody takes for so long, milliseconds: the kernel ends the connection, websockets included.
UNTAKEN_MS = 60_000
LOCAL = "local"
# A browser answers the pings that the server sends, one in twenty seconds, and sends none itself.
CONTROLS_BURST, CONTROLS_RATE = 20, 1.0
# A browser sends a message in one piece, a proxy may cut it at 4 KiB; a connection has so many pieces at once and in a
# second. So many bytes of them are read before anybody else has a turn: each piece costs as much as a request does.
PIECES_BURST, PIECES_RATE, STEP = 300, 100.0, 1024
# So many requests wait on a connection for the one before them. Browsers and proxies let none wait.
MOST_WAITING = 16
# Code of a closing frame: this is no UTF-8.
NO_TEXT = 1007

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BoundedSocket(WebSocketsSansIOProtocol):
    """A websocket whose pieces and frames about itself are few: the gate sees whole messages, and nothing else."""

    _controls: Budgets | None = None
    _pieces: Budgets | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Know who is there."""
        super().connection_made(transport)
        if self.client:
            self.client = (plain(self.client[0]), self.client[1])

    def data_received(self, data: bytes) -> None:
        """Read on in small steps, so that what is too many ends the connection before all of it was read."""
        for start in range(0, len(data), STEP):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + STEP])

    def handle_text(self, event: Frame) -> None:
        """Take the first piece of a message, unless it is one too many."""
        if self._has_piece():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Take the first piece of a message, unless it is one too many."""
        if self._has_piece():
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Take another piece, unless it is one too many: a message may never end, and empty pieces have no size."""
        if self._has_piece():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer, unless it is one too many."""
        if self._may_go_on():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take an answer, unless it is one too many."""
        if self._may_go_on():
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; text that is none closes the socket, and is not worth a trace in the log each time."""
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(NO_TEXT)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def _may_go_on(self) -> bool:
        if self._controls is None:
            self._controls = Budgets(CONTROLS_BURST, CONTROLS_RATE)
        return self._is_within(self._controls)

    def _has_piece(self) -> bool:
        if self._pieces is None:
            self._pieces = Budgets(PIECES_BURST, PIECES_RATE)
        return self._is_within(self._pieces)

    def _is_within(self, budget: Budgets) -> bool:
        if budget.has(""):
            return True
        self.transport.abort()
        return False


class Bounded(HttpToolsProtocol):
    """One connection; :func:`bounded` gives it its bounds."""

    limits: ClassVar[Limits]
    places: ClassVar[Places]
    proxies: ClassVar[tuple[Network, ...]]
    waiting: ClassVar[dict[Bounded, None]]
    _name: str | None = None
    _timer: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None
    _head = 0
    _is_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn's own
        """Take a place, or end the connection."""
        super().connection_made(transport)
        if self.client:
            self.client = (plain(self.client[0]), self.client[1])
        # A local socket has no address; whoever may open it is one of ours.
        address = self.client[0] if self.client else LOCAL
        name = person_of(address)
        if self.places.is_full and self.waiting:
            # Whoever has asked nothing for longest gives way: who means to ask does so within milliseconds.
            next(iter(self.waiting)).give_way()
        if not self.places.enter(name, is_counted=address != LOCAL and not _is_within(address, self.proxies)):
            transport.abort()
            return
        self._name = name
        self.waiting[self] = None
        _end_untaken(transport)
        self._within(self.limits.head_seconds)

    def give_way(self) -> None:
        """End a connection that waits, so that another has its place."""
        self._leave()
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back, and tell whoever answers that nobody listens: uvicorn tells the last request alone."""
        self._leave()
        self._hush()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on in small steps, so that what is too much ends the connection before all of it was read."""
        for start in range(0, len(data), STEP):
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            self._read_on(data[start : start + STEP])

    def _read_on(self, data: bytes) -> None:
        """Read on, as long as the first lines of a request are neither too large nor too late."""
        if self._is_head and self._timer is None:
            self._within(self.limits.head_seconds)
        # What comes in one piece with the first lines is no part of them.
        while self._is_head and (left := self.limits.head_bytes - self._head) < len(data):
            self._head = 0
            super().data_received(data[:left])
            if self._is_head or self.transport.is_closing() or self.transport.get_protocol() is not self:
                self.transport.abort()
                return
            data = data[left:]
        if self._is_head:
            self._head += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Begin to wait for the rest, and for the answer to be taken."""
        if self.transport.is_closing():
            return
        self._tell_host()
        self._is_head, self._head = False, 0
        self._within(self.limits.whole_seconds)
        self.waiting.pop(self, None)
        super().on_headers_complete()
        if len(self.pipeline) > MOST_WAITING:
            self._hush()
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Begin to wait for another request; what still comes of this one counts as that."""
        self._is_head, self._head = True, 0
        self._unset()
        if self._name is not None:
            self.waiting[self] = None
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand over to another protocol; from here on the gate counts, if it is asked at all."""
        self._leave()
        super().handle_websocket_upgrade()
        socket = self.transport.get_protocol()
        if isinstance(socket, WebSocketsSansIOProtocol) and not socket.handshake_initiated:
            # The library did not read it as a request (a body, a line too long), and says so to nobody.
            self.send_400_response("Invalid websocket request received.")

    def _tell_host(self) -> None:
        """Let the host of an address that is written out whole be the one that counts (RFC 9112, 3.2.2)."""
        if self.url[:1] == b"/" or b"://" not in self.url:
            return
        host = self.url.partition(b"://")[2].partition(b"/")[0]
        self.headers[:] = [(b"host", host), *(item for item in self.headers if item[0] != b"host")]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _hush(self) -> None:
        """Let nobody answer here any more: what is written to a connection that is gone is a trace in the log."""
        for cycle in (self._running, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _within(self, seconds: float) -> None:
        self._unset()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _unset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._unset()
        self.waiting.pop(self, None)
        if self._name is not None:
            self.places.leave(self._name)
            self._name = None


def bounded(limits: Limits, proxies: Collection[str]) -> type[Bounded]:
    """Return the protocol that uvicorn is to speak.

    Args:
        limits: How much is too much.
        proxies: Addresses and networks that stand for many people, and so have no bound of their own.
    """
    places = Places(limits.connections, limits.connections_each)
    given = {"limits": limits, "places": places, "proxies": tuple(map(ipaddress.ip_network, proxies)), "waiting": {}}
    return type("BoundedHere", (Bounded,), given)


def _is_within(address: str, networks: Collection[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _end_untaken(transport: asyncio.Transport) -> None:
    """Let the kernel end a connection whose other end is gone or takes nothing."""
    found = transport.get_extra_info("socket")
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MS)

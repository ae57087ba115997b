"""TCP connections that are bounded: how many, how long until a request is there, how large, how long until it is taken.

uvicorn has none of these bounds: a connection that says nothing, or says it for ever, stays.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from door.budgets import Places
from door.rules import Limits, person_of

# Data that nobody takes for so long, milliseconds: the kernel ends the connection, websockets included.
UNTAKEN_MS = 60_000
LOCAL = "local"


class Bounded(HttpToolsProtocol):
    """One connection; :func:`bounded` gives it its bounds."""

    limits: ClassVar[Limits]
    places: ClassVar[Places]
    proxies: ClassVar[frozenset[str]]
    _name: str | None = None
    _timer: asyncio.TimerHandle | None = None
    _head = 0
    _is_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn's own
        """Take a place, or end the connection."""
        super().connection_made(transport)
        # A local socket has no address; whoever may open it is one of ours.
        address = self.client[0] if self.client else LOCAL
        name = person_of(address)
        if not self.places.enter(name, is_counted=address != LOCAL and address not in self.proxies):
            transport.abort()
            return
        self._name = name
        _end_untaken(transport)
        self._within(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, as long as the first lines of a request are neither too large nor too late."""
        if self._is_head:
            self._head += len(data)
            if self._head > self.limits.head_bytes:
                self.transport.abort()
                return
            if self._timer is None:
                self._within(self.limits.head_seconds)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Begin to wait for the rest, and for the answer to be taken."""
        self._is_head, self._head = False, 0
        self._within(self.limits.whole_seconds)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Begin to wait for another request; what still comes of this one counts as that."""
        self._is_head, self._head = True, 0
        self._unset()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand over to another protocol; from here on the gate counts."""
        self._leave()
        super().handle_websocket_upgrade()

    def _within(self, seconds: float) -> None:
        self._unset()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _unset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._unset()
        if self._name is not None:
            self.places.leave(self._name)
            self._name = None


def bounded(limits: Limits, proxies: Collection[str]) -> type[Bounded]:
    """Return the protocol that uvicorn is to speak.

    Args:
        limits: How much is too much.
        proxies: Addresses that stand for many people, and so have no bound of their own.
    """
    places = Places(limits.connections, limits.connections_each)
    return type("BoundedHere", (Bounded,), {"limits": limits, "places": places, "proxies": frozenset(proxies)})


def _end_untaken(transport: asyncio.Transport) -> None:
    """Let the kernel end a connection whose other end is gone or takes nothing."""
    found = transport.get_extra_info("socket")
    if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNTAKEN_MS)

"""Serve an application on one port or local socket, with connections that are bounded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from door.budgets import Budgets
from door.connections import BoundedSocket, bounded
from door.rules import Limits

# When a server ends: until whoever still has an answer or a socket is cut off, then until what goes on is cancelled.
GRACE_SECONDS = 5
CUT_SECONDS = 1
# Files that a server has open beside its connections: snapshots, libraries, what it is writing.
OTHER_FILES = 256
PING_SECONDS = 20


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        OSError: The port is taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # The protocol is said, because asyncio sets TCP_NODELAY only where it is: without that an answer of two parts waits
    # for the 40 ms after which its reader confirms the first one.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address, port))
    except BaseException:
        found.close()
        raise
    return found


def listen_locally(path: Path) -> socket.socket:
    """Return a local socket that only our own user may open, in the place of an older one.

    Raises:
        OSError: Something else lies there; it is left alone.
    """
    if path.is_socket():
        path.unlink(missing_ok=True)
    found = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        found.bind(str(path))
    except BaseException:
        found.close()
        raise
    finally:
        os.umask(before)
    return found


def openable(limits: Limits) -> Limits:
    """Let this process have as many files open as the limits may need, and the limits be what it may have.

    A server that may open no more files accepts nobody, and a stranger with idle connections gets it there.
    """
    needed = limits.connections + limits.sockets + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return limits
    # What there is, divided as the limits divide it.
    share = max(0, soft - OTHER_FILES) / (limits.connections + limits.sockets)
    return replace(
        limits, connections=max(8, int(limits.connections * share)), sockets=max(2, int(limits.sockets * share))
    )


class _Few(logging.Filter):
    """Lets few warnings of a kind through: whoever sends what is no request sends as much of it as they like."""

    def __init__(self) -> None:
        super().__init__()
        self._told = Budgets(20, 0.1)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is told."""
        return record.levelno > logging.WARNING or self._told.has(str(record.msg))


FEW = _Few()


class Ending(uvicorn.Server):
    """A server whose end is nobody's fault: what it cuts off leaves no trace in the log.

    uvicorn says goodbye to everybody (1012 on a websocket), waits, and then cancels what still runs; each of these it
    would tell as an exception of the application. Here connections are cut first, so that applications end as they do
    when somebody goes away, and what is cancelled after that ends without a word.
    """

    def __init__(self, config: uvicorn.Config, app: ASGIApp) -> None:
        super().__init__(config)
        self._app = app
        config.app = self._passed

    async def _passed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to the application. Only uvicorn cancels what it calls, and only when it ends."""
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self.should_exit or scope["type"] == "lifespan":
                raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: say goodbye, wait, cut off."""
        cut = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._cut)
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def server(app: ASGIApp, limits: Limits, proxies: Collection[str] = ()) -> uvicorn.Server:
    """Return what serves an application, not yet running; see :func:`serve`."""
    config = uvicorn.Config(
        app,
        http=bounded(openable(limits), proxies),
        ws=BoundedSocket,
        ws_max_size=limits.frame_bytes,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS + CUT_SECONDS,
        lifespan="on",
        interface="asgi3",
    )
    logging.getLogger("uvicorn.error").addFilter(FEW)
    return Ending(config, app)


def serve(app: ASGIApp, listener: socket.socket, limits: Limits, proxies: Collection[str] = ()) -> None:
    """Serve until the process is told to end.

    Args:
        app: The application, its gate included.
        listener: What :func:`listen` returned.
        limits: How much is too much.
        proxies: Addresses whose word is taken for whom they stand for (``X-Forwarded-For``).
    """
    # Ctrl-C is how people end it, and no fault to be told; uvicorn has ended in good order when it passes that on.
    with contextlib.suppress(KeyboardInterrupt):
        server(app, limits, proxies).run(sockets=[listener])

"""Serve an application on one port or local socket, with connections that are bounded."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Collection
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from door.connections import bounded
from door.rules import Limits

GRACE_SECONDS = 5
PING_SECONDS = 20


def listen(address: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises:
        OSError: The port is taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address, port))
    except BaseException:
        found.close()
        raise
    return found


def listen_locally(path: Path) -> socket.socket:
    """Return a local socket that only our own user may open."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
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


def serve(app: ASGIApp, listener: socket.socket, limits: Limits, proxies: Collection[str] = ()) -> None:
    """Serve until the process is told to end.

    Args:
        app: The application, its gate included.
        listener: What :func:`listen` returned.
        limits: How much is too much.
        proxies: Addresses whose word is taken for whom they stand for (``X-Forwarded-For``).
    """
    config = uvicorn.Config(
        app,
        http=bounded(limits, proxies),
        ws="websockets-sansio",
        ws_max_size=limits.frame_bytes,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[listener])

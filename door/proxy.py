"""Pass on to a server of ours behind the gate: another process on this machine, by its local socket or its port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from opsmetrics.core.errors import ConfigurationError, Problem
from opsmetrics.core.settings import is_confidential

WAIT_SECONDS = 60.0
MOST_BYTES = 16 * 2**20
# What speaks of one connection and not of the answer; and what only we tell the server behind.
_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "proxy-authorization", "host"}
_OURS = {"cookie", "authorization", "origin", "x-forwarded-for", "x-forwarded-proto", "x-opsmetrics-session"}
_BROKEN = (OSError, InvalidHandshake, InvalidMessage, TimeoutError)


class Proxy:
    """ASGI app that passes on to another server.

    Args:
        upstream: Path of a local socket, or an address such as http://127.0.0.1:3000.
        prefix: Path that the other server's own addresses begin with.

    Raises:
        ConfigurationError: The address is neither https nor on this machine.
    """

    def __init__(self, upstream: str, prefix: str) -> None:
        self.socket = upstream if upstream.startswith("/") else None
        # A local socket's server knows itself by this name.
        self.base = "http://localhost" if self.socket else upstream.rstrip("/")
        if not is_confidential(self.base):
            fix = "write a socket's path, or an address such as http://127.0.0.1:3000"
            problem = Problem("OPSMETRICS_DAGSTER_PAGE", None, "it is not on this machine", fix)
            raise ConfigurationError([problem])
        self.prefix = prefix
        transport = httpx.AsyncHTTPTransport(uds=self.socket) if self.socket else None
        self.client = httpx.AsyncClient(transport=transport, timeout=WAIT_SECONDS, trust_env=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or socket."""
        if scope["type"] == "websocket":
            await self._socket(WebSocket(scope, receive, send))
        else:
            await (await self._request(Request(scope, receive)))(scope, receive, send)

    def _address(self, scope: Scope) -> str:
        query = scope["query_string"].decode("latin-1")
        return f"{self.base}{quote(scope['path'], safe='/:@!$&()*+,;=~-._')}" + (f"?{query}" if query else "")

    async def _request(self, request: Request) -> StreamingResponse | PlainTextResponse:
        headers = _passed(request.headers.items())
        if request.method not in {"GET", "HEAD"}:
            # The gate has seen that a page of ours asks; the server behind wants to see one of its own.
            headers["origin"] = self.base
        try:
            asked = self.client.build_request(
                request.method, self._address(request.scope), headers=headers, content=await request.body()
            )
            answer = await self.client.send(asked, stream=True)
        except httpx.HTTPError:
            return PlainTextResponse("the page behind does not answer\n", status_code=502)

        async def body() -> AsyncIterator[bytes]:
            try:
                async for piece in answer.aiter_raw():
                    yield piece
            finally:
                await answer.aclose()

        return StreamingResponse(body(), answer.status_code, _passed(answer.headers.items()))

    async def _socket(self, near: WebSocket) -> None:
        address = self._address(near.scope).replace("http", "ws", 1)
        protocols: Any = near.scope.get("subprotocols") or None
        options: dict[str, Any] = {"origin": self.base, "subprotocols": protocols, "max_size": MOST_BYTES}
        try:
            opened = unix_connect(self.socket, address, **options) if self.socket else connect(address, **options)
            async with opened as far:
                await near.accept(subprotocol=far.subprotocol)
                await _between(near, far)
        except _BROKEN:
            await near.close(1011)


async def _between(near: WebSocket, far: ClientConnection) -> None:
    """Pass messages both ways until one side ends."""

    async def outward() -> None:
        while (message := await near.receive())["type"] == "websocket.receive":
            text = message.get("text")
            await far.send(text if text is not None else message["bytes"])

    async def inward() -> None:
        async for message in far:
            await (near.send_text(message) if isinstance(message, str) else near.send_bytes(message))

    tasks = {asyncio.create_task(outward()), asyncio.create_task(inward())}
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, ConnectionClosed):
            raise error


def _passed(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers that go on; cookies and tokens of the app are no business of the server behind."""
    return {name: value for name, value in headers if name.lower() not in _HOP | _OURS}

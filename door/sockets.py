"""Websockets that are bounded: how many, how fast they speak, and how long whoever opened them is signed in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from door.budgets import Budgets, Places
from door.rules import Limits
from door.sessions import Session, Sessions

LOG = logging.getLogger("opsmetrics.door")
# Codes of a closing frame: against the rules; not what is taken here; a fault of ours; come again later.
AGAINST_RULES, NOT_TAKEN, BROKEN, LATER = 1008, 1003, 1011, 1013
# The page itself says first that the session is over; a page that does not listen is cut off after that.
GRACE_SECONDS = 60.0
# What uvicorn raises where the other side is gone, or was closed for what it sent.
_GONE = (OSError, RuntimeError)


class Sockets:
    """Passes sockets on, within their bounds."""

    def __init__(self, limits: Limits, places: Places, sessions: Sessions | None) -> None:
        self.limits, self.places, self.sessions = limits, places, sessions
        self.frames = Budgets(limits.frames_burst, limits.frames_rate)
        self.bytes = Budgets(limits.bytes_burst, limits.bytes_rate)
        self.told = Budgets(20, 0.1)

    async def pass_on(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        person: str,
        session: Session | None,
        *,
        takes_text: bool,
    ) -> None:
        """Let the application speak with whoever opened the socket, until it is over."""
        if not self.places.enter(person):
            await receive()
            await send({"type": "websocket.close", "code": LATER})
            return
        over, closing = asyncio.Event(), _Closing(send)
        take_back = self._when_over(session, over)
        try:
            taken = _taken(receive, closing, "text" if takes_text else "bytes")
            await app(scope, self._paced(taken, closing, person, over), closing.send)
        except Exception as error:  # noqa: BLE001 - a frame that an application breaks on ends its own socket
            # One line, and not for each: whoever sends such frames sends many.
            if self.told.has("all"):
                LOG.warning("a socket ended: the application broke on a frame (%s)", type(error).__name__)
            await closing.close(BROKEN)
        finally:
            take_back()
            self.places.leave(person)

    def _when_over(self, session: Session | None, over: asyncio.Event) -> Callable[[], None]:
        if self.sessions is None or session is None:
            return lambda: None
        loop = asyncio.get_running_loop()
        timer = loop.call_later(max(0.0, self.sessions.left(session)) + GRACE_SECONDS, over.set)

        def told() -> None:
            loop.call_soon_threadsafe(over.set)

        no_more = self.sessions.tell(session.id, told)

        def take_back() -> None:
            timer.cancel()
            no_more()

        return take_back

    def _paced(self, receive: Receive, closing: _Closing, person: str, over: asyncio.Event) -> Receive:
        """Return what the application receives from: frames wait their turn, a flood and an ended session close it.

        A frame that waits keeps the ones behind it in the network: uvicorn reads on only when one was taken.
        """
        waited = 0

        async def paced() -> Message:
            nonlocal waited
            if (message := await _first(receive, over)) is None:
                return await closing.close()
            if message["type"] != "websocket.receive":
                return message
            size = len(message.get("bytes") or b"") + len(message.get("text") or "")
            wait = max(self.frames.take(person), self.bytes.take(person, size))
            waited = waited + 1 if wait else 0
            if waited > self.limits.frames_waiting:
                return await closing.close()
            if wait and await _is_set_within(over, wait):
                return await closing.close()
            return message

        return paced


class _Closing:
    """What an application sends through, until we close: what it still says then goes nowhere."""

    def __init__(self, send: Send) -> None:
        self._send, self._is_closed = send, False

    async def send(self, message: Message) -> None:
        """Send on; that the other side is gone is told by what is received, and by nothing else."""
        if not self._is_closed:
            self._is_closed = message["type"] == "websocket.close"
            with contextlib.suppress(*_GONE):
                await self._send(message)

    async def close(self, code: int = AGAINST_RULES) -> Message:
        """Close, and return what tells the application so."""
        if not self._is_closed:
            self._is_closed = True
            with contextlib.suppress(*_GONE):
                await self._send({"type": "websocket.close", "code": code})
        return {"type": "websocket.disconnect", "code": code}


def _taken(receive: Receive, closing: _Closing, kind: str) -> Receive:
    """Return what closes the socket on a message of another kind than the application reads: it would break on it."""

    async def taken() -> Message:
        message = await receive()
        is_taken = message["type"] != "websocket.receive" or message.get(kind) is not None
        return message if is_taken else await closing.close(NOT_TAKEN)

    return taken


async def _first(receive: Receive, over: asyncio.Event) -> Message | None:
    """Return the next message, or None where it is over before one comes."""
    message = asyncio.ensure_future(receive())
    end = asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait({message, end}, return_when=asyncio.FIRST_COMPLETED)
        return None if over.is_set() else message.result()
    finally:
        for task in (message, end):
            task.cancel()


async def _is_set_within(over: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(over.wait(), seconds)
    except TimeoutError:
        return False
    return True

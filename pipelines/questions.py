"""What the Dagster page is asked: one question at a time, as its own pages put it, by request or by websocket.

Dagster reads whatever comes: a list, a number or a text that is no UTF-8 is a fault of its own there, with a trace in
the log each time, nesting is followed as deep as it goes, and one question that asks for the same again and again under
other names keeps a thread for minutes. Here it is refused in one line, and a fault of Dagster's own is one line too.
"""

from __future__ import annotations

import json
import logging
from itertools import accumulate
from typing import Any

from graphql import GraphQLError
from graphql.language import Lexer, Source, TokenKind
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from door.budgets import Budgets

LOG = logging.getLogger("opsmetrics.door")
# The page's own questions are a tenth of that deep and long, and give other names to a handful of fields.
DEEPEST, LONGEST, MOST_ALIASES = 200, 100_000, 200
# Code of a closing frame: against the rules.
AGAINST_RULES = 1008
_STEPS = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}


class Questions:
    """ASGI middleware that lets well-formed questions through.

    Args:
        app: Dagster's page.
        path: Where it is asked.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app, self.path, self._told = app, path, Budgets(20, 0.1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or socket."""
        if scope["type"] == "websocket":
            await self.app(scope, _asked_by_frames(receive, send), send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] == self.path and scope["method"] == "POST":
                await self._ask(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - Dagster has answered 500 by now, and its trace is nobody's here
            if self._told.has("all"):
                LOG.warning("the Dagster page broke on a request (%s)", type(error).__name__)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" or not is_question(_read(body)):
            refusal = PlainTextResponse("a question is one JSON object with the text of a query\n", status_code=400)
            await refusal(scope, receive, send)
            return
        is_read = False

        async def again() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)


def _asked_by_frames(receive: Receive, send: Send) -> Receive:
    """Return what closes a socket over a frame that is none of its protocol, or asks what is not asked."""

    async def asked() -> Message:
        message = await receive()
        if message["type"] != "websocket.receive" or is_frame(_read((message.get("text") or "").encode())):
            return message
        await send({"type": "websocket.close", "code": AGAINST_RULES})
        return {"type": "websocket.disconnect", "code": AGAINST_RULES}

    return asked


def _read(body: bytes) -> object:
    """The JSON of a body, or None where it is none that may be read."""
    try:
        text = body.decode()
        return json.loads(text) if _deepest(text) <= DEEPEST else None
    except (ValueError, RecursionError):
        return None


def is_frame(said: object) -> bool:
    """Whether a frame is one of Dagster's protocol for subscriptions."""
    if not isinstance(said, dict) or not isinstance(said.get("id"), str | None):
        return False
    payload: Any = said.get("payload")
    return is_question(payload) if said.get("type") == "start" else isinstance(payload, dict | None)


def is_question(asked: object) -> bool:
    """Whether this is one question: an object with a text, a name and variables, none of it more than is needed."""
    return (
        isinstance(asked, dict)
        and isinstance(query := asked.get("query"), str)
        and _is_plain(query)
        and isinstance(asked.get("operationName"), str | None)
        and isinstance(asked.get("variables"), dict | None)
    )


def _is_plain(query: str) -> bool:
    """Whether a query is short, and gives other names to few fields: without them the same is asked once."""
    if len(query) > LONGEST:
        return False
    lexer, depth, aliases, before = Lexer(Source(query)), 0, 0, None
    try:
        while (token := lexer.advance()).kind is not TokenKind.EOF:
            depth += {TokenKind.PAREN_L: 1, TokenKind.PAREN_R: -1}.get(token.kind, 0)
            # Between parentheses a name and a colon are an argument or a variable.
            aliases += token.kind is TokenKind.COLON and before is TokenKind.NAME and depth == 0
            before = token.kind
    except GraphQLError:
        # Dagster says what is wrong with it, at no cost.
        return True
    return aliases <= MOST_ALIASES


def _deepest(text: str) -> int:
    """How deep brackets stand in brackets, of JSON and of the query in it; one in a text counts as well."""
    return max(accumulate(_STEPS.get(sign, 0) for sign in text), default=0)

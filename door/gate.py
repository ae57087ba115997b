"""The gate: every request and socket passes it, before the framework behind makes anything of it.

In this order: how much this address asks for, whether it asks us (``Host``), whether a page of ours asks (``Origin``),
whether the path leads anywhere, how much is sent, and who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from door.budgets import Budgets, Places
from door.rules import READING, Opening, Rules, person_of
from door.sessions import Session, Sessions
from door.sockets import AGAINST_RULES, Sockets

TOO_MUCH = 429
PRIVATE = "private, no-store"
KEPT = "public, max-age=31536000, immutable"
# What we tell the application behind; whatever comes in under this name is dropped.
SESSION_HEADER = "x-opsmetrics-session"
SESSION_KEY = "opsmetrics.session"
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# So many wait to be told that they ask too much; the others are told at once.
MOST_REFUSED = 300
HSTS = "max-age=31536000; includeSubDomains"


class Gate:
    """ASGI middleware that lets in what the rules let in.

    Args:
        app: What stands behind.
        rules: What is let in.
        policy: Content security policy of answers that bring none.
        sessions: Who is signed in, or None where nobody has to.
        cookie: Name of the session's cookie.
        welcome: Makes the page that asks to sign in.
        lost: Makes the page of an address that leads nowhere, for people.
        has_role: Whether a session has a role that an opening takes; None is nobody in particular.
        is_https: Whether people come by https.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rules: Rules,
        policy: str,
        sessions: Sessions | None = None,
        cookie: str = "",
        welcome: Callable[[HTTPConnection], Response] | None = None,
        lost: Callable[[HTTPConnection], Response] | None = None,
        has_role: Callable[[Session | None, str], bool] = lambda _session, _role: True,
        is_https: bool = False,
    ) -> None:
        self.app, self.rules, self.sessions, self.cookie, self.welcome = app, rules, sessions, cookie, welcome
        self.lost, self.has_role = lost, has_role
        limits = rules.limits
        self.requests = Budgets(limits.requests_burst, limits.requests_rate)
        self.light = Budgets(limits.stranger_burst, limits.stranger_rate)
        self.strangers = Budgets(limits.strangers_burst, limits.strangers_rate)
        self._refused = 0
        self.sockets = Sockets(limits, Places(limits.sockets, limits.sockets_each), sessions)
        self.headers = SECURITY | {"Content-Security-Policy": policy}
        if is_https:
            self.headers["Strict-Transport-Security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        person = person_of(connection.client.host if connection.client else "local")
        opening = self.rules.opening(scope["path"], is_socket=scope["type"] == "websocket")
        session = self.sessions.of_cookie(connection.cookies.get(self.cookie)) if self.sessions else None
        refusal = self._refusal(connection, person, opening, session)
        outward = self._outward(send, is_kept=opening is not None and opening.is_kept)
        if refusal is not None:
            if refusal.status_code == TOO_MUCH:
                await self._let_wait()
            await _answer(refusal, scope, receive, outward)
            return
        _introduce(scope, session)
        if scope["type"] == "websocket":
            who, takes_text = session.id if session else person, opening is not None and opening.takes_text
            await self.sockets.pass_on(self.app, scope, receive, send, who, session, takes_text=takes_text)
        else:
            await self.app(scope, receive, outward)

    def _refusal(
        self, asked: HTTPConnection, person: str, opening: Opening | None, session: Session | None
    ) -> Response | None:
        """Return why somebody is not let in, or None."""
        return (
            self._strange(asked, person, session)
            or self._nowhere(asked, opening)
            or _not_taken(asked, opening, self.rules)
            or self._closed(asked, opening, session)
        )

    def _has_budget(self, person: str, session: Session | None) -> bool:
        """Whether somebody may ask; strangers share what is left for them, and whoever asked little comes first."""
        if self.sessions is None or session is not None:
            return self.requests.has(session.id if session else person)
        return self.requests.has(person) and (self.light.has(person) or self.strangers.has("all"))

    async def _let_wait(self) -> None:
        """Let somebody wait for a refusal, without keeping more of them than there is room for."""
        if self.sessions is None or self._refused >= MOST_REFUSED:
            return
        self._refused += 1
        try:
            await asyncio.sleep(self.rules.limits.refusal_seconds)
        finally:
            self._refused -= 1

    def _strange(self, asked: HTTPConnection, person: str, session: Session | None) -> Response | None:
        """Refuse who asks too much, asks another server, or asks from another site's page."""
        if not self._has_budget(person, session):
            return _said(TOO_MUCH, "too many requests: wait a little", {"Retry-After": "10", "Connection": "close"})
        hosts = asked.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.rules.hosts:
            return _said(421, "this server does not go by that name: OPSMETRICS_PUBLIC_URL says which one it has")
        return None if self._is_ours(asked) else _said(403, "a page of another site asked for this")

    def _nowhere(self, asked: HTTPConnection, opening: Opening | None) -> Response | None:
        """Refuse what leads nowhere; a person in a browser gets a page."""
        if opening is not None:
            return None
        is_person = asked.scope["type"] == "http" and "text/html" in asked.headers.get("accept", "")
        return self.lost(asked) if self.lost and is_person else _said(404, "no such page")

    def _closed(self, asked: HTTPConnection, opening: Opening | None, session: Session | None) -> Response | None:
        """Refuse who is not signed in, or has not the role."""
        if opening is None or opening.is_open:
            return None
        if self.sessions is not None and session is None:
            return self.welcome(asked) if self.welcome and not opening.is_socket else _said(401, "sign in first")
        if opening.role is not None and not self.has_role(session, opening.role):
            return _said(403, f"this takes the role {opening.role}: access.toml gives it")
        return None

    def _is_ours(self, asked: HTTPConnection) -> bool:
        """Whether a page of ours asks, or no page at all; a socket and a change are never without a page."""
        origins = asked.headers.getlist("origin")
        if origins:
            host, here = asked.headers.get("host", "").lower(), origins[0].lower()
            # One of ours is an address that can be read; what else somebody writes there need not be.
            if len(origins) != 1 or here not in self.rules.origins:
                return False
            found = urlsplit(here)
            usual = {"https": ":443", "http": ":80"}.get(found.scheme, "")
            return found.netloc in {host, host.removesuffix(usual)}
        if asked.scope["type"] == "websocket":
            return False
        site, mode = asked.headers.get("sec-fetch-site"), asked.headers.get("sec-fetch-mode")
        if asked.scope["method"] not in READING:
            return site == "same-origin"
        # A link from elsewhere opens a page; a picture, script or fetch from elsewhere gets nothing.
        return site not in {"cross-site", "same-site"} or mode == "navigate"

    def _outward(self, send: Send, *, is_kept: bool) -> Send:
        async def outward(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers["Cache-Control"] = KEPT if is_kept and message["status"] < 400 else PRIVATE
            await send(message)

        return outward


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{words}\n", status_code=status, headers=dict(headers or {}))


async def _answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer; a socket is closed before it opens, which a client sees as 403."""
    if scope["type"] == "http":
        await response(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.close", "code": AGAINST_RULES})


def _not_taken(asked: HTTPConnection, opening: Opening | None, rules: Rules) -> Response | None:
    """Refuse what is not done at a place, and more than is taken there."""
    if opening is None:
        return None
    method = asked.scope.get("method", "GET")
    if method not in opening.methods:
        return _said(405, "not done here", {"Allow": ", ".join(sorted(opening.methods))})
    if _is_too_large(asked.headers, 0 if method in READING else rules.limits.body_bytes):
        return _said(413, "nothing that large is taken here", {"Connection": "close"})
    return None


def _is_too_large(headers: Headers, most: int) -> bool:
    """Whether more is announced than is taken; what is not announced is never taken."""
    length = headers.get("content-length", "0")
    return "transfer-encoding" in headers or not length.isdecimal() or int(length) > most


def _introduce(scope: Scope, session: Session | None) -> None:
    """Tell the application who asks, in place of whatever the request says about it."""
    name = SESSION_HEADER.encode()
    scope["headers"] = [item for item in scope["headers"] if item[0].lower() != name]
    scope[SESSION_KEY] = session
    if session is not None:
        scope["headers"].append((name, session.id.encode()))

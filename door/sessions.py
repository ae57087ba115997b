"""Who is signed in: kept here, not in the cookie, so that a session can be ended.

The cookie is a random text that means nothing by itself; what is kept of it is its digest. Sessions live in the
process: a restart asks everybody to sign in again.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

# As many sessions as are kept; beyond it the one that ends first is ended.
MOST = 5000


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in.

    Attributes:
        id: Names the session; it cannot be turned into the cookie.
        claims: What the identity token said.
        ends_at: When it is over, seconds since 1970.
    """

    id: str
    claims: Mapping[str, Any] = field(repr=False)
    ends_at: float


class Sessions:
    """The sessions of one process. Scripts ask from threads of their own."""

    def __init__(self, most_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._most, self._clock = most_seconds, clock
        self._kept: dict[str, Session] = {}
        self._listeners: dict[str, set[Callable[[], None]]] = {}
        self._lock = Lock()

    def begin(self, claims: Mapping[str, Any]) -> str:
        """Begin a session and return what its cookie holds. It ends with the token, or earlier."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        session = Session(_digest(token), dict(claims), min(now + self._most, _instant(claims.get("exp"), now)))
        with self._lock:
            for old in [id_ for id_, kept in self._kept.items() if kept.ends_at <= now]:
                del self._kept[old]
            if len(self._kept) >= MOST:
                del self._kept[min(self._kept, key=lambda id_: self._kept[id_].ends_at)]
            self._kept[session.id] = session
        return token

    def of_cookie(self, token: str | None) -> Session | None:
        """Return the session of a cookie, if it is not over."""
        return self.alive(_digest(token)) if token else None

    def alive(self, session_id: str | None) -> Session | None:
        """Return a session, if it is not over."""
        with self._lock:
            found = self._kept.get(session_id or "")
        return found if found is not None and self._clock() < found.ends_at else None

    def left(self, session: Session) -> float:
        """Return the seconds until a session is over."""
        return session.ends_at - self._clock()

    def end(self, session_id: str) -> None:
        """End a session, and tell whoever holds a socket of it."""
        with self._lock:
            self._kept.pop(session_id, None)
            listeners = self._listeners.pop(session_id, set())
        for listener in listeners:
            listener()

    def tell(self, session_id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` when a session is ended; returns what takes that back."""
        with self._lock:
            self._listeners.setdefault(session_id, set()).add(listener)

        def no_more() -> None:
            with self._lock:
                left = self._listeners.get(session_id, set())
                left.discard(listener)
                if not left:
                    self._listeners.pop(session_id, None)

        return no_more


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _instant(exp: object, now: float) -> float:
    """The end that a token says; a token that says none, or no number, is over."""
    is_number = isinstance(exp, int | float) and not isinstance(exp, bool)
    return float(exp) if is_number and now < exp < 2**53 else now

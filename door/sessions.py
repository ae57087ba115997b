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

# As many sessions as are kept, of all and of one person; beyond it the one that ends first is ended.
MOST, MOST_EACH = 5000, 50


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in.

    Attributes:
        id: Names the session; it cannot be turned into the cookie.
        claims: What the identity token said.
        ends_at: When it is over, seconds since 1970.
        lasts_until: The same on a clock that nobody sets, seconds: it is over when one of them says so.
    """

    id: str
    claims: Mapping[str, Any] = field(repr=False)
    ends_at: float
    lasts_until: float

    @property
    def person(self) -> tuple[str, str]:
        """Whoever it is, as the identity provider names them."""
        return str(self.claims.get("iss")), str(self.claims.get("sub"))


class Sessions:
    """The sessions of one process. Scripts ask from threads of their own."""

    def __init__(
        self,
        most_seconds: float,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._clock, self._steady = most_seconds, clock, steady
        self._kept: dict[str, Session] = {}
        self._listeners: dict[str, set[Callable[[], None]]] = {}
        self._lock = Lock()

    def begin(self, claims: Mapping[str, Any]) -> str:
        """Begin a session and return what its cookie holds. It ends with the token, or earlier."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        ends_at = min(now + self._most, _instant(claims.get("exp"), now))
        session = Session(_digest(token), dict(claims), ends_at, self._steady() + ends_at - now)
        with self._lock:
            over = [kept.id for kept in self._kept.values() if self.left(kept) <= 0]
            left = [kept for kept in self._kept.values() if kept.id not in over]
            mine = [kept for kept in left if kept.person == session.person]
            for some, most in ((left, MOST), (mine, MOST_EACH)):
                if len(some) >= most:
                    over.append(min(some, key=self.left).id)
            self._kept[session.id] = session
        for id_ in over:
            self.end(id_)
        return token

    def of_cookie(self, token: str | None) -> Session | None:
        """Return the session of a cookie, if it is not over."""
        return self.alive(_digest(token)) if token else None

    def alive(self, session_id: str | None) -> Session | None:
        """Return a session, if it is not over. What is found over once stays so, whatever a clock says later."""
        with self._lock:
            found = self._kept.get(session_id or "")
            if found is not None and self.left(found) <= 0:
                del self._kept[found.id]
                return None
        return found

    def left(self, session: Session) -> float:
        """Return the seconds until a session is over, by the clock that says so first."""
        return min(session.ends_at - self._clock(), session.lasts_until - self._steady())

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

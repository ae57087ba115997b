"""The fault switch: what goes wrong with which part of which server, and how often."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

FAULTS = (
    "401", "403", "429", "429_retry_after", "500", "504", "slow", "cut", "partial", "malformed", "drift", "empty",
    "duplicate", "skew",
)  # fmt: skip
# Beside these: an answer of the right form in which single values are of another kind, at random.
SCRAMBLE = "scramble"
_NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**40, "", " ", "\x00", "\ud800", "æøå\U0001f600",
    "a" * 100_000, "2026-02-30T00:00:00Z", "0000-00-00", "9999-12-31T23:59:59Z", "1e999", "NaN", "-P1D",
    "[]", "'; drop table x; --",
    [], [None], [[[]]], {}, {"": {}}, {"value": None},
)  # fmt: skip


@dataclass
class Fault:
    """One switched-on fault.

    Attributes:
        prefix: Path prefix that it hits.
        kind: One of ``FAULTS``.
        left: Requests it still hits; -1 = until switched off.
        after: Requests it lets pass first.
        rng: What a scramble changes.
    """

    prefix: str
    kind: str
    left: int = -1
    after: int = 0
    rng: random.Random = field(default_factory=random.Random)


class Switch:
    """ASGI middleware that applies the switched-on faults."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        self._lock = threading.Lock()
        self.active: list[Fault] = []
        self.requests: list[str] = []

    def set(self, prefix: str, kind: str, *, times: int = -1, after: int = 0, seed: int = 0) -> None:
        """Switch a fault on."""
        if kind not in (*FAULTS, SCRAMBLE):
            raise ValueError(f"no fault {kind!r}: one of {', '.join(FAULTS)}")
        with self._lock:
            self.active.append(Fault(prefix, kind, times, after, random.Random(seed)))

    def clear(self) -> None:
        """Switch all faults off and forget the requests seen."""
        with self._lock:
            self.active.clear()
            self.requests.clear()

    def _take(self, path: str) -> Fault | None:
        with self._lock:
            self.requests.append(path)
            for fault in self.active:
                if path.startswith(fault.prefix) and fault.left != 0:
                    if fault.after > 0:
                        fault.after -= 1
                        return None
                    fault.left -= fault.left > 0
                    return fault
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """FetchResult, or fail in the way that is switched on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        fault = self._take(scope["path"])
        kind = fault.kind if fault else None
        if kind in {"401", "403", "429", "429_retry_after", "500", "504"}:
            headers = [(b"content-type", b"application/json")]
            if kind == "429_retry_after":
                headers.append((b"retry-after", b"0"))
            await _respond(
                send, int(kind[:3]), b'{"message":"refused","error":{"code":"Refused","message":"no"}}', headers
            )
        elif kind == "skew":
            # A server whose clock is ten minutes behind: the instant at which it wants to be asked again is past.
            headers = [(b"content-type", b"application/json"), (b"retry-after", b"Mon, 23 Nov 2020 05:50:00 GMT")]
            await _respond(send, 429, b"{}", headers)
        elif kind == "malformed":
            await _respond(send, 200, b'{"data": [tru', [(b"content-type", b"application/json")])
        elif kind == "cut":
            await _cut(send)
        elif fault is None or kind == "slow":
            if kind == "slow":
                await asyncio.sleep(0.4)
            await self._app(scope, receive, send)
        else:
            await self._changed(fault, scope, receive, send)

    async def _changed(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and change the answer: partial, drift, empty, duplicate or scramble."""
        parts: list[bytes] = []
        start: dict[str, Any] = {}

        async def hold(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, hold)
        body = b"".join(parts)
        headers = [(k, v) for k, v in start["headers"] if k != b"content-length"]
        try:
            whole = json.loads(body)
            with self._lock:
                found = scrambled(whole, fault.rng) if fault.kind == SCRAMBLE else change(fault.kind, whole)
            changed = json.dumps(found).encode()
        except ValueError:
            changed = body
        await _respond(send, start["status"], changed, headers)


def change(kind: str, body: Any) -> Any:  # noqa: PLR0911 - one return per fault
    """Return an answer with the fault in it."""
    if kind == "drift":
        return _renamed(body)
    if kind == "empty":
        return _emptied(body)
    if kind == "duplicate":
        return _doubled(body)
    if isinstance(body, dict) and "tables" in body:
        details = {"code": "PartialError", "message": "some errors", "details": []}
        return body | {
            "tables": [t | {"rows": t["rows"][: len(t["rows"]) // 2]} for t in body["tables"]],
            "error": details,
        }
    if isinstance(body, dict) and "resultTruncated" in body:
        return body | {"resultTruncated": "true", "data": body["data"][: len(body["data"]) // 2]}
    if isinstance(body, dict) and "search" in (body.get("data") or {}):
        return {"data": None, "errors": [{"type": "SERVICE_UNAVAILABLE", "message": "partial"}]}
    return body


def scrambled(body: Any, rng: random.Random) -> Any:
    """Return an answer in which one to three values, at any depth, are of another kind, doubled or gone."""
    for _ in range(rng.randint(1, 3)):
        holders = list(_holders(body))
        if not holders:
            return rng.choice(_NASTY)
        holder: Any = rng.choice(holders)
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if rng.random() < 0.15:
            del holder[key]
        else:
            holder[key] = rng.choice(_NASTY)
    return body


def _holders(body: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """Yield every table and list in an answer that holds something."""
    if isinstance(body, dict | list) and body:
        yield body
        for value in body.values() if isinstance(body, dict) else body:
            yield from _holders(value)


def _lists(body: Any) -> list[Any]:
    """Return the lists of records in an answer, outermost ones."""
    if isinstance(body, list):
        return [body]
    found: list[Any] = []
    if isinstance(body, dict):
        for value in body.values():
            found += _lists(value)
    return found


def _renamed(body: Any) -> Any:
    """Rename every field of the records, as an API of another version might."""
    if isinstance(body, list):
        return [_renamed(item) for item in body]
    if isinstance(body, dict):
        return {f"{key}_v2": value for key, value in body.items()}
    return body


def _emptied(body: Any) -> Any:
    if isinstance(body, list):
        return []
    if isinstance(body, dict):
        keep = {"columns", "schema"}
        return {key: value if key in keep else _emptied(value) for key, value in body.items()}
    return body


def _doubled(body: Any) -> Any:
    """Say every record twice, as pages that shift under the reader do."""
    if isinstance(body, list):
        return [copy for item in body for copy in (item, item)] if body and isinstance(body[0], dict) else body
    if isinstance(body, dict):
        return {
            key: _doubled(value) if key not in {"columns", "tables", "labels"} else value for key, value in body.items()
        }
    return body


async def _respond(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _cut(send: Send) -> None:
    """Promise more than is sent, and hang up."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"data": [', "more_body": True})
    raise ConnectionAbortedError("the fault switch hangs up")

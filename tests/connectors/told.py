"""A server on loopback that says what a test gives it: one answer of a real shape at a time, without the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.sources.fetching import FetchRequest, FetchResult, batch_of
from opsmetrics.sources.registry import fetch_function
from opsmetrics.streams import STREAMS
from tests.listening import listening

NOW = datetime(2026, 9, 1, 10, tzinfo=UTC)
AUGUST = (date(2026, 8, 1), date(2026, 9, 1))


@dataclass(frozen=True)
class Reply:
    """An answer that is more than a body with status 200."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_json: bool = True


# Path -> a body, a reply, or what makes one of query and body.
Routes = Mapping[str, Any]


class Server:
    """What is said, and what was asked: (path, query, body)."""

    def __init__(self, routes: Routes) -> None:
        self.routes = dict(routes)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.url = ""

    def paths(self) -> list[str]:
        """Return the paths that were asked, in order."""
        return [path for path, _, _ in self.asked]

    def reply(self, address: str, body: Any) -> Reply:
        """Return what a path says; what no test gave is not found."""
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append((parts.path, query, body))
        if parts.path not in self.routes:
            return Reply({"message": "Not Found"}, 404)
        said = self.routes[parts.path]
        found = said(query, body) if isinstance(said, Callable) else said
        return found if isinstance(found, Reply) else Reply(found)


@contextmanager
def telling(routes: Routes) -> Iterator[Server]:
    """Serve the routes until the block ends."""
    told = Server(routes)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            content = self.rfile.read(length)
            found = told.reply(self.path, json.loads(content) if content else None)
            # What has no content has no body.
            said = json.dumps(found.body) if found.is_json else str(found.body)
            sent = b"" if found.status == HTTPStatus.NO_CONTENT else said.encode()
            self.send_response(found.status)
            for name, value in {"content-type": "application/json", **found.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as told.url:
        yield told


def asking(
    folder: Path, kind: str, stream: str, days: tuple[date, date] = AUGUST, *, now: datetime = NOW, **settings: Any
) -> FetchRequest[Any]:
    """Return the question to a connector of the organisation in a folder."""
    connector = KINDS[kind].model_validate({"name": "source", "kind": kind, "streams": [stream], **settings})
    own = Settings(home=folder / "home", org=folder, data=None, now=None, sql=default_sql_root(), retry_seconds=0.001)
    return FetchRequest.make(own, load_organisation(folder), connector, stream, days, now)


def fetched(folder: Path, kind: str, stream: str, days: tuple[date, date] = AUGUST, **settings: Any) -> FetchResult:
    """Ask a connector for a stream."""
    request = asking(folder, kind, stream, days, **settings)
    return fetch_function(kind, stream)(request)


def told_and_landed(
    folder: Path, kind: str, stream: str, days: tuple[date, date] = AUGUST, **settings: Any
) -> tuple[FetchResult, Any]:
    """Ask a connector once; return its answer, and the rows as they are landed, with ``_reason`` where one is set aside."""
    request = asking(folder, kind, stream, days, **settings)
    answer = fetch_function(kind, stream)(request)
    return answer, batch_of(request, STREAMS[stream], answer, accumulates=False).frame


def landed(folder: Path, kind: str, stream: str, days: tuple[date, date] = AUGUST, **settings: Any) -> Any:
    """Ask a connector, and return its rows as they are landed, with ``_reason`` where one was set aside."""
    return told_and_landed(folder, kind, stream, days, **settings)[1]

"""The simulated servers, started once; an organisation whose sources they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.sources.fetching import batch_of
from opsmetrics.sources.pull import PullResult, pull_stream
from tests.conftest import settings_in
from tests.listening import listening

# Tests of other folders use what stands here: loading the servers takes two seconds.
if TYPE_CHECKING:
    from simulator.servers.records import Records
    from simulator.servers.serve import Running

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def records() -> Records:
    from simulator.demo import generate  # noqa: PLC0415 - as above
    from simulator.organisation import read_organisation  # noqa: PLC0415
    from simulator.servers.records import Records  # noqa: PLC0415

    organisation = read_organisation(DEMO)
    return Records.of(organisation, generate(organisation, 1), NOW)


@pytest.fixture(scope="session")
def servers(tmp_path_factory) -> Iterator[Running]:
    from simulator.servers.serve import serve  # noqa: PLC0415 - as above

    with serve(DEMO, tmp_path_factory.mktemp("tls"), now=NOW) as running:
        yield running


@pytest.fixture(autouse=True)
def declared(monkeypatch) -> None:
    """Every answer in these tests tells exactly the columns that its connector does not declare as untold."""

    def checked(request, stream, answer, **rest):
        told = {name for row in answer.rows for name in row}
        untold = set(request.connector.untold(stream.name))
        if answer.rows:
            assert told & untold == set(), f"{request.connector.kind} tells {stream.name}: {told & untold}"
            silent = set(stream.names) - told - untold
            assert silent == set(), (
                f"{request.connector.kind} cannot tell {stream.name}: {silent}; declare it in its Feed"
            )
        return batch_of(request, stream, answer, **rest)

    monkeypatch.setattr("opsmetrics.sources.pull.batch_of", checked)


@pytest.fixture
def simulated(servers, monkeypatch) -> Running:
    """The servers, whole again, and the environment in which connectors find them."""
    servers.faults.clear()
    for name, value in servers.environment.items():
        monkeypatch.setenv(name, value)
    return servers


@pytest.fixture
def demo_connected() -> str:
    """The demo's connected sources as text, for tests that add to them."""
    return (DEMO / "sources.connected.toml").read_text()


@pytest.fixture
def connected(simulated, tmp_path) -> Callable[[str], tuple[Settings, Organisation]]:
    """Make an organisation like the demo with other sources: a TOML text, default the demo's connected ones."""

    def make(sources: str | None = None) -> tuple[Settings, Organisation]:
        text = sources if sources is not None else (DEMO / "sources.connected.toml").read_text()
        folder = demo_with(tmp_path / "org", text)
        return connected_in(tmp_path, folder), load_organisation(folder)

    return make


def demo_with(folder: Path, sources: str) -> Path:
    """Write the demo's configuration with other sources."""
    shutil.copytree(DEMO, folder, dirs_exist_ok=True)
    (folder / "sources.toml").write_text(sources)
    return folder


def connected_in(folder: Path, org: Path) -> Settings:
    """Settings for an organisation, with its state below a test's own folder; connectors find the servers of now."""
    settings = Settings.from_env(dict(os.environ))
    return replace(settings, home=folder / "home", org=org, data=folder / "data", retry_seconds=0.01, reads_apart=False)


@pytest.fixture
def pull_small(small, tmp_path) -> Callable[..., tuple[PullResult, list[dict[str, Any]]]]:
    """Pull a stream of one connector, given as TOML, into the small organisation; with the rows that were landed."""

    def pull(sources: str, stream: str, first: date, end: date) -> tuple[PullResult, list[dict[str, Any]]]:
        (small / "sources.toml").write_text(sources, encoding="utf-8")
        settings = replace(settings_in(tmp_path), retry_seconds=0.01)
        (result,) = pull_stream(settings, load_organisation(small), stream, (first, end))
        frames = [pl.read_parquet(load.path) for load in result.loads]
        return result, [row for frame in frames for row in frame.sort("_line").to_dicts()]

    return pull


class Answers(BaseHTTPRequestHandler):
    """Answers what a test says, on loopback."""

    answer: Callable[[str, dict[str, str], str], tuple[int, Any]]

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        status, content = type(self).answer(address.path, query, self.rfile.read(length).decode())
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[Callable[[Callable[[str, dict[str, str], str], tuple[int, Any]]], str]]:
    """Serve what a function of path, query and body answers (status, JSON); returns the address."""

    def serve_answers(answer: Callable[[str, dict[str, str], str], tuple[int, Any]]) -> str:
        handler = type("Answering", (Answers,), {"answer": staticmethod(answer)})
        return servers.enter_context(listening(HTTPServer(("127.0.0.1", 0), handler)))

    with ExitStack() as servers:
        yield serve_answers

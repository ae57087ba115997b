"""The Dagster page behind its gate, and behind the app's sign-in: what a foreign page or user tries with it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

from door.proxy import Proxy
from opsmetrics.core.errors import ConfigurationError
from pipelines.definitions import build_definitions
from pipelines.questions import LONGEST, MOST_ALIASES, Questions
from simulator.servers import identity
from tests.apps import free_port, running_app
from tests.patience import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = """mutation { launchRun(executionParams: {
    selector: {repositoryLocationName: "pipelines.definitions", repositoryName: "__repository__", jobName: "upkeep"},
    runConfigData: {}}) { __typename } }"""


def test_run_configuration_chooses_nothing():
    """Whoever may start a run chooses neither home nor organisation, data or clock: no field takes them."""
    job = build_definitions().resolve_job_def("build_and_publish")
    dg.validate_run_config(job, {})
    for name, value in (("home", "/tmp"), ("org", "/tmp"), ("data", "/tmp"), ("now", "2026-01-01T00:00:00Z")):  # noqa: S108
        with pytest.raises(dg.DagsterInvalidConfigError):
            dg.validate_run_config(job, {"resources": {"workspace": {"config": {name: value}}}})


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Generator[Path]:
    """The page on a local socket, as ``opsmetrics dagster page`` starts it: it only shows."""
    folder = tmp_path_factory.mktemp("page")
    path, log = folder / "page.sock", folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "opsmetrics", "dagster", "page", "--socket", str(path)],
            env=os.environ | {"OPSMETRICS_HOME": str(folder / "home"), "DAGSTER_HOME": str(folder / "dagster")},
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )

    def is_there() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(str(path)) == 0

    try:
        wait_until(is_there, log.read_text, every=0.25)
        yield path
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)


@pytest.fixture(scope="module")
def app(page, tmp_path_factory) -> Generator[str]:
    """The app with sign-in through the stand-in identity service, and the page behind it."""
    port, other = free_port(), free_port()
    provider = uvicorn.Server(
        uvicorn.Config(Starlette(routes=identity.routes()), host="127.0.0.1", port=other, log_level="error")
    )
    thread = threading.Thread(target=provider.run, daemon=True)
    thread.start()
    settings = {
        "OPSMETRICS_ORG": str(ROOT / "examples" / "demo"),
        "OPSMETRICS_OIDC_METADATA_URL": f"http://127.0.0.1:{other}/{identity.TENANT}/v2.0/.well-known/openid-configuration",
        "OPSMETRICS_OIDC_CLIENT_ID": identity.CLIENT,
        "OPSMETRICS_OIDC_CLIENT_SECRET": identity.CLIENT_SECRET,
        "OPSMETRICS_COOKIE_SECRET": "only-for-this-test-on-loopback-0123456789",
        "OPSMETRICS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "OPSMETRICS_DAGSTER_PAGE": str(page),
    }
    folder = tmp_path_factory.mktemp("app")
    with running_app(folder / "home", folder / "log", port, **settings) as address:
        yield address
    provider.should_exit = provider.force_exit = True
    thread.join(LIMIT_SECONDS)


@contextmanager
def signed_in(app: str, person: str) -> Generator[httpx.Client]:
    """A client that went the whole way through the identity service."""
    with httpx.Client(base_url=app, timeout=LIMIT_SECONDS) as client:
        asked = client.get("/logg-inn")
        assert asked.status_code == 302
        back = httpx.get(f"{asked.headers['location']}&person={person}", timeout=LIMIT_SECONDS).headers["location"]
        arrived = client.get(back.removeprefix(app))
        assert arrived.status_code == 303, arrived.text
        yield client


def test_the_page_is_for_administrators(app):
    with httpx.Client(base_url=app, timeout=LIMIT_SECONDS) as stranger:
        assert stranger.get("/dagster/").status_code == 401
    for person, status in (("leader", 403), ("skipper", 403), ("keeper", 200)):
        with signed_in(app, person) as client:
            assert client.get("/dagster/").status_code == status


def test_an_administrator_sees_runs_and_changes_nothing(app):
    with signed_in(app, "keeper") as client:
        assert "/dagster/" in client.get("/dagster/").text
        ask = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name } } } } }"}
        told = client.post("/dagster/graphql", json=ask, headers={"Origin": app})
        (repository,) = told.json()["data"]["repositoriesOrError"]["nodes"]
        assert {"name": "upkeep"} in repository["jobs"]
        launched = client.post("/dagster/graphql", json={"query": LAUNCH}, headers={"Origin": app})
        assert launched.json()["data"]["launchRun"]["__typename"] == "UnauthorizedError"
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        with connect(
            f"{app.replace('http', 'ws')}/dagster/graphql",
            origin=app,
            subprotocols=["graphql-ws"],
            additional_headers={"Cookie": cookies},
        ) as far:
            far.send(json.dumps({"type": "connection_init"}))
            assert json.loads(far.recv(LIMIT_SECONDS)) == {"type": "connection_ack"}


def test_a_foreign_page_starts_no_run(app, page):
    """One GET with a foreign origin once started a run with a folder of the attacker's choice."""
    with signed_in(app, "keeper") as admin:
        for headers in ({}, {"Origin": app}, {"Origin": "http://evil.example"}):
            answer = admin.get("/dagster/graphql", params={"query": LAUNCH}, headers=headers)
            assert answer.status_code in {403, 405}, headers
        evil = {"Origin": "http://evil.example"}
        assert admin.post("/dagster/graphql", json={"query": LAUNCH}, headers=evil).status_code == 403
        assert admin.post("/dagster/report_asset_materialization/a", headers={"Origin": app}).status_code in {404, 405}
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(page)), timeout=LIMIT_SECONDS) as near:
        ask = "http://localhost/dagster/graphql"
        assert near.get(ask, params={"query": LAUNCH}).status_code == 405
        assert near.post(ask, json={"query": LAUNCH}, headers=evil).status_code == 403
        assert near.post(ask, json={"query": LAUNCH}).status_code == 403
        assert near.get(ask, headers={"Host": "evil.example"}).status_code == 421
    assert page.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("elsewhere", ["http://dagster.example.org:3000", "http://127.0.0.1@evil.example", "x"])
def test_the_page_behind_is_on_this_machine_or_encrypted(elsewhere):
    with pytest.raises(ConfigurationError, match="not on this machine"):
        Proxy(elsewhere, "/dagster")


def many(count: int) -> bytes:
    """One question that asks for the same under other names: three thousand once kept a thread for minutes."""
    asked = " ".join(f"a{number}: version" for number in range(count))
    return json.dumps({"query": f"{{ {asked} }}"}).encode()


@pytest.mark.parametrize(
    ("content", "kind", "is_taken"),
    [
        (b'{"query": "{ version }"}', "application/json", True),
        (b'{"query": "{ version }", "variables": null, "operationName": "a"}', "application/json; charset=utf-8", True),
        (b'[{"query": "{ version }"}]', "application/json", False),
        (b"1", "application/json", False),
        (b"{", "application/json", False),
        (b"", "application/json", False),
        (b'{"query": 1}', "application/json", False),
        (b'{"query": "{ version }", "operationName": {}}', "application/json", False),
        (b'{"query": "{ version }", "variables": "x"}', "application/json", False),
        (b'{"query": "\xff"}', "application/json", False),
        (b"[" * 100_000, "application/json", False),
        (b'{"query": "' + b"{a" * 5000 + b"}" * 5000 + b'"}', "application/json", False),
        (b"query=%7Bversion%7D", "application/x-www-form-urlencoded", False),
        (b"{ version }", "application/graphql", False),
        (b'{"query": "{ version }"}', "text/plain", False),
        (many(MOST_ALIASES), "application/json", True),
        (many(MOST_ALIASES + 1), "application/json", False),
        (b'{"query": "{ a(' + b"b: 1 " * 500 + b') }"}', "application/json", True),
        (b'{"query": "{ ' + b"a " * LONGEST + b'}"}', "application/json", False),
        (b'{"query": "{ \'"}', "application/json", True),  # what is no query is for Dagster to say
    ],
)
def test_the_page_is_asked_one_question_at_a_time(content, kind, is_taken):
    async def dagster(scope, receive, send):
        await PlainTextResponse((await Request(scope, receive).body()).decode())(scope, receive, send)

    client = TestClient(Questions(dagster, "/dagster/graphql"))
    answer = client.post("/dagster/graphql", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.content == content) == ((200, True) if is_taken else (400, False))
    # Everything else is Dagster's own to answer.
    assert client.post("/dagster/other", content=b"a").text == "a"


@pytest.mark.parametrize(
    ("frame", "is_taken"),
    [
        ('{"type": "connection_init", "payload": {}}', True),
        ('{"type": "start", "id": "1", "payload": {"query": "subscription { a }"}}', True),
        ('{"type": "stop", "id": "1"}', True),
        ('{"type": "start", "id": "1", "payload": {"query": 1}}', False),
        ('{"type": "start", "id": "1", "payload": []}', False),
        ('{"type": "start", "id": "1"}', False),
        ('{"type": "stop", "id": {}}', False),
        (f'{{"type": "start", "id": "1", "payload": {many(MOST_ALIASES + 1).decode()}}}', False),
        ("[]", False),
        ("1", False),
        ("{", False),
        ("[" * 100_000, False),
    ],
)
def test_a_socket_of_the_page_takes_what_its_protocol_says(frame, is_taken):
    async def dagster(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        if message["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    client = TestClient(Questions(dagster, "/dagster/graphql"))
    with client.websocket_connect("/dagster/graphql") as near:
        near.send_text(frame)
        if is_taken:
            assert near.receive_text() == frame
        else:
            with pytest.raises(WebSocketDisconnect) as closed:
                near.receive_text()
            assert closed.value.code == 1008


def test_a_fault_of_dagsters_own_is_one_line(caplog):
    """Each question for a run that is not there left a trace of thirty lines in the log."""

    async def dagster(scope, receive, send):
        await PlainTextResponse("broken", status_code=500)(scope, receive, send)
        raise AttributeError("secret")

    client = TestClient(Questions(dagster, "/dagster/graphql"))
    for _ in range(30):
        assert client.get("/dagster/download_debug/x").status_code == 500
    assert caplog.messages == ["the Dagster page broke on a request (AttributeError)"] * 20

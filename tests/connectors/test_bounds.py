"""Answers without end, small ones that unpack to large ones, and those that lead elsewhere: one line, nothing landed.

What bounds do to a whole pull is a part of ``docs/faults.md``: UPDATE_GOLDEN=1 writes it again.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import threading
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from opsmetrics.core.errors import SourceError
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.bounds import Bounds
from opsmetrics.sources import pull_stream
from opsmetrics.sources.allowance import allowed
from opsmetrics.sources.http import Http
from opsmetrics.sources.notes import read_notes
from tests.conftest import settings_in
from tests.connectors.test_faults import BOUNDS, DOCUMENT, KILL_POINTS
from tests.connectors.told import Reply, telling
from tests.listening import listening

SMALL = b'{"value": [1, 2, 3]}'
BOMB = gzip.compress(b"[" + b" " * 5_000_000 + b"]")


@pytest.fixture
def server():
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.do_GET()

        def do_GET(self):
            packed = {"/bomb": BOMB, "/packed": gzip.compress(SMALL), "/broken": b"no gzip"}.get(self.path)
            if self.path.startswith("/moved/"):
                self.send_response(307)
                self.send_header(
                    "location", {"loop": self.path, "control": "/a\x01b"}.get(self.path[7:], self.path[7:])
                )
                self.end_headers()
                return
            self.send_response(200)
            if packed:
                self.send_header("content-encoding", "gzip")
            # Another next page each time, without end.
            number = int(self.path.partition("page=")[2] or 0) + 1
            self.send_header("link", f'</next?page={number}>; rel="next"')
            self.end_headers()
            try:
                if self.path == "/endless":
                    # Two thousand times the bound, if nobody hangs up.
                    for _ in range(20_000):
                        self.wfile.write(b" " * 10_000)
                elif self.path == "/drip":
                    # One byte at a time, until somebody hangs up.
                    while not stopped.wait(0.01):
                        self.wfile.write(b" ")
                else:
                    self.wfile.write(packed or SMALL)
            except OSError:
                return

        def log_message(self, *_):
            """Silence."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with listening(found) as address:
        yield address
        stopped.set()


@pytest.fixture
def http(server, tmp_path, monkeypatch):
    monkeypatch.setattr("opsmetrics.sources.http.MOST_BYTES", 100_000)
    settings = Settings(tmp_path, tmp_path, None, None, default_sql_root(), retry_seconds=0)
    with Http("source", server, settings) as found:
        yield found


@pytest.mark.parametrize("path", ["endless", "bomb"])
def test_too_much_is_cut_off(http, path):
    assert len(BOMB) < 100_000
    with pytest.raises(SourceError, match="more than") as refused:
        http.get(path)
    assert path in str(refused.value)


@pytest.mark.parametrize("path", ["plain", "packed"])
def test_what_fits_is_read_with_its_headers(http, path):
    answer = http.answer("GET", path)
    assert answer.json() == {"value": [1, 2, 3]}
    assert answer.links["next"]["url"] == "/next?page=1"


def test_more_values_than_memory_holds_are_counted_before_they_are_made(http, monkeypatch):
    monkeypatch.setattr("opsmetrics.sources.http.MOST_VALUES", 3)
    with pytest.raises(SourceError, match="more than 3 values"):
        http.get("plain")


def test_one_byte_at_a_time_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr("opsmetrics.sources.allowance.GRACE_SECONDS", 0.2)
    with allowed(Bounds(bytes_per_second=1000)), Http("source", server, _settings(tmp_path)) as http:
        assert http.get("plain")
        with pytest.raises(SourceError, match="less than 1000 bytes a second") as refused:
            http.get("drip")
    assert "bounds.bytes_per_second" in str(refused.value)


def test_a_pull_has_a_deadline(server, tmp_path):
    with allowed(Bounds(minutes=0.3 / 60)), Http("source", server, _settings(tmp_path)) as http:
        with pytest.raises(SourceError, match=r"longer than 0\.005 minutes") as refused:
            http.get("drip")
        with pytest.raises(SourceError, match=r"longer than 0\.005 minutes"):
            http.get("plain")
    assert "bounds.minutes" in str(refused.value)


def test_pages_without_end_are_counted(server, tmp_path):
    with allowed(Bounds(requests=7)):
        # Two clients of one pull share what it has.
        with Http("source", server, _settings(tmp_path)) as http:
            assert http.get("plain")
        with Http("source", server, _settings(tmp_path)) as http, pytest.raises(SourceError, match="7 requests"):
            list(http.pages("next?page=1"))


@pytest.mark.parametrize(
    ("path", "said"),
    [("moved/loop", "redirects without end"), ("{0}/a\x01b", "an address that is none"), ("broken", "do not unpack")],
)
def test_an_answer_that_cannot_be_followed_is_one_line(http, server, path, said):
    with pytest.raises(SourceError, match=said) as refused:
        http.get(path.format(server))
    assert "\x01" not in str(refused.value)


@pytest.fixture
def elsewhere():
    """A server on another port that keeps what it was sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SMALL)

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            """Silence."""

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address, seen


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("form", ["{0}/x", "moved/{0}/x", "moved///{1}/x", "moved/http://u:p@{2}/x"])
def test_a_token_goes_to_no_other_port_by_link_or_redirect(server, elsewhere, tmp_path, form, method):
    (address, seen), secret = elsewhere, {"PRIVATE-TOKEN": "planted", "Authorization": "Bearer planted"}
    path = form.format(address, address.removeprefix("http://"), server.removeprefix("http://"))
    body = {"json": {"api_key": "planted"}} if method == "POST" else {}
    with Http("source", server, _settings(tmp_path), headers=secret) as http:
        assert http.get("plain")
        with pytest.raises(SourceError, match="another host, port or scheme"):
            http.answer(method, path, **body)
    assert seen == []


def test_a_redirect_on_the_same_host_is_followed(http):
    assert http.get("moved//plain") == {"value": [1, 2, 3]}


@pytest.mark.parametrize("link", ["/gitlab/api/rows?page=2", "rows?page=2", "?page=2", "{0}/gitlab/api/rows?page=2"])
def test_a_next_page_may_be_named_relative_to_the_one_before(tmp_path, link):
    """RFC 8288; the address in the settings may have a path of its own."""

    def rows(query, _body):
        said = {} if query.get("page") else {"link": f'<{link.format(told.url)}>; rel="next"'}
        return Reply([int(query.get("page", "1"))], headers=said)

    with telling({"/gitlab/api/rows": rows}) as told, Http("source", f"{told.url}/gitlab", _settings(tmp_path)) as http:
        assert list(http.pages("api/rows")) == [[1], [2]]


def test_a_part_of_an_answer_is_none(tmp_path):
    told = iter([Reply({"value": [1]}, 206), Reply({"value": [1, 2]})])
    with telling({"/a": lambda *_: next(told)}) as server, Http("source", server.url, _settings(tmp_path)) as http:
        assert http.get("a") == {"value": [1, 2]}
    with (
        telling({"/a": Reply({"value": [1]}, 206)}) as server,
        Http("source", server.url, _settings(tmp_path)) as http,
        pytest.raises(SourceError, match="206 Partial Content"),
    ):
        http.get("a")


@pytest.mark.parametrize(
    ("header", "day"),
    [("Mon, 05 Apr 2027 23:59:59 GMT", "2027-04-05"), ("soon", None), ("", None)],
)
def test_until_when_a_source_answers_is_told_once(pull_small, header, day):
    """RFC 8594."""
    routes = {
        f"/api/v2/{name}.json": Reply({key: []}, headers={"sunset": header} if header else {})
        for name, key in (("incidents", "incidents"), ("scheduled-maintenances", "scheduled_maintenances"))
    }
    with telling(routes) as server:
        sources = f'[[connector]]\nname = "status"\nkind = "statuspage"\nstreams = ["incident_reports"]\nurl = "{server.url}"\n'
        result, _ = pull_small(sources, "incident_reports", date(2026, 8, 1), date(2026, 8, 2))
    assert result.error is None
    told = [said for said in result.told if "Sunset" in said]
    assert len(told) == (day is not None)
    assert all(said.startswith(f"status: it will not answer some of these questions from {day} on") for said in told)


def _settings(tmp_path) -> Settings:
    return Settings(tmp_path, tmp_path, None, None, default_sql_root(), retry_seconds=0)


def page(number: int) -> bytes:
    """A page of monitors, which never is the last one."""
    return json.dumps({"data": [], "pagination": {"next": f"/api/v2/monitors?page={number}"}}).encode()


# Fault -> the setting that bounds it (or where it is no setting, what is patched), and a value that a test can wait for.
FAULTS_OF_BOUNDS: dict[str, tuple[str, float]] = {
    "one byte at a time, for ever": ("bounds.minutes", 0.005),
    "less than so many bytes a second": ("bounds.bytes_per_second", 1000),
    "another next page each time": ("bounds.requests", 7),
    "an answer without end": ("MOST_BYTES", 2 * 2**20),
    "a small answer that unpacks to a large one": ("MOST_BYTES", 2 * 2**20),
    "more values than memory holds": ("MOST_VALUES", 3),
    "more memory than it may have": ("bounds.memory_mb", 64),
}
SEEN_OF_BOUNDS: dict[str, str] = {}


@pytest.fixture
def never_ends():
    """A server that does the same whatever it is asked: what ``does`` says."""
    stopped, does = threading.Event(), [""]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            number = int(self.path.partition("page=")[2].partition("&")[0] or 0)
            packed = {"a small answer that unpacks to a large one": BOMB}.get(does[0])
            self.send_response(200)
            if packed:
                self.send_header("content-encoding", "gzip")
            self.end_headers()
            try:
                if does[0] in {"one byte at a time, for ever", "less than so many bytes a second"}:
                    while not stopped.wait(0.01):
                        self.wfile.write(b" ")
                elif does[0] == "an answer without end":
                    for _ in range(20_000):
                        self.wfile.write(b" " * 10_000)
                elif does[0] == "more memory than it may have":
                    self.wfile.write(b'{"data": ["' + b"a" * 100_000_000 + b'"]}')
                else:
                    self.wfile.write(packed or page(number + 1))
            except OSError:
                return

        def log_message(self, *_):
            """Silence."""

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address, does
        stopped.set()


@pytest.mark.parametrize("fault", FAULTS_OF_BOUNDS)
def test_a_bound_ends_the_pull_of_its_source_alone(fault, never_ends, small, tmp_path, monkeypatch):
    (address, does), (setting, value) = never_ends, FAULTS_OF_BOUNDS[fault]
    does[0] = fault
    monkeypatch.setenv("PLANTED", "token")
    monkeypatch.setattr("opsmetrics.sources.allowance.GRACE_SECONDS", 0.2)
    bounds = ""
    if setting.startswith("bounds."):
        # Else the usual rate would come first.
        more = ", bytes_per_second = 0" if setting == "bounds.minutes" else ""
        bounds = f"bounds = {{ {setting.removeprefix('bounds.')} = {value}{more} }}\n"
    else:
        monkeypatch.setattr(f"opsmetrics.sources.http.{setting}", value)
    connector = f'[[connector]]\nname = "source"\nkind = "betterstack"\nurl = "{address}"\ntoken_env = "PLANTED"\n'
    with (small / "sources.toml").open("a") as file:
        file.write(f'{connector}from = 2026-08-01\nstreams = ["availability_checks"]\n{bounds}')
    is_apart = setting == "bounds.memory_mb"
    settings, organisation = replace(settings_in(tmp_path), reads_apart=is_apart), load_organisation(small)
    days = (date(2026, 8, 31), date(2026, 9, 1))
    results = {result.origin: result for result in pull_stream(settings, organisation, "availability_checks", days)}
    said = results["source"].error or ""
    assert results["source"].rows == 0
    assert len(said.splitlines()) == 2, "one line, and what to do"
    assert "token" not in said
    assert read_notes(settings.home / "pulls")["availability_checks", "source"].error == said
    # The other source of the same stream is read and landed all the same.
    assert (results["files"].error, results["files"].rows) == (None, 24 * 2)
    SEEN_OF_BOUNDS[fault] = re.sub(r"127\.0\.0\.1:\d+", "host:port", said.splitlines()[0])


def test_the_document_says_what_bounds_do():
    if SEEN_OF_BOUNDS.keys() != FAULTS_OF_BOUNDS.keys():
        pytest.fail("this needs the tests above: run the whole module")
    lines = [
        "",
        BOUNDS,
        "",
        "Generated by `tests/connectors/test_bounds.py`, with bounds that a test can wait for; the usual ones stand in",
        "[operations](operations.md). Each fault hits every answer of one of two sources of a stream: nothing of it is landed, its",
        "days stay open, its note says the same, and the other source's rows are landed.",
        "",
        "| Fault | What the error says | Bound by |",
        "|---|---|---|",
        *(f"| {fault} | {said} | `{FAULTS_OF_BOUNDS[fault][0]}` |" for fault, said in SEEN_OF_BOUNDS.items()),
    ]
    text = "\n".join(lines) + "\n"
    before, mark, rest = DOCUMENT.read_text().partition(f"\n{KILL_POINTS}\n")
    before, _, _ = before.partition(f"\n{BOUNDS}\n")
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(before + text + mark + rest)
    assert DOCUMENT.read_text() == before + text + mark + rest

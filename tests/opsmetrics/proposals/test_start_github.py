"""An organisation on GitHub over HTTP on loopback: repositories in use become services, owned as CODEOWNERS says."""

from __future__ import annotations

import base64
import json
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from opsmetrics.core.errors import SourceError
from tests.opsmetrics.proposals.test_start import owners, proposed


def repository(name: str, made: str, pushed: str = "2026-11-01T10:00:00Z", **more: bool) -> dict[str, object]:
    return {"full_name": f"nordhavn/{name}", "created_at": f"{made}T08:00:00Z", "pushed_at": pushed, **more}


PAGES = {
    1: [repository(f"service-{number:03}", "2025-06-01") for number in range(98)]
    + [repository("old", "2019-01-01", "2024-01-01T00:00:00Z"), repository("gone", "2020-01-01", archived=True)],
    2: [repository("soknad-api", "2024-03-01"), repository("copy", "2024-01-01", fork=True)],
}
CODEOWNERS = base64.b64encode(b"* @nordhavn/helse @someone\n").decode()


class Forge(BaseHTTPRequestHandler):
    def do_GET(self):
        address = urlsplit(self.path)
        if address.path == "/orgs/nordhavn/repos":
            self.answer(200, PAGES.get(int(parse_qs(address.query)["page"][0]), []))
        elif address.path == "/repos/nordhavn/soknad-api/contents/CODEOWNERS":
            self.answer(200, {"content": CODEOWNERS})
        else:
            self.answer(404, {"message": "Not Found"})

    def answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def url():
    server = HTTPServer(("127.0.0.1", 0), Forge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_repositories_in_use_become_services_from_the_day_they_were_made(tmp_path, url):
    found, organisation = proposed(tmp_path, github=("nordhavn",), github_url=url)
    told = owners(organisation)
    assert len(told) == 99
    assert told["soknad-api"] == [("helse", "2024-03-01")]
    assert told["service-000"] == [("helse", "2025-06-01")], "the one team there is, and it is said"
    said = " ".join(guess.what for guess in found.draft.guesses)
    assert "3 repositories of nordhavn are left out" in said
    assert "no source names an owner" in said
    (connector,) = organisation.sources.connector
    assert (connector.kind, connector.owner) == ("github", "nordhavn")
    assert organisation.settings.history_from == date(2025, 10, 1)


def test_nobody_of_that_name_is_one_clear_error(tmp_path, url):
    with pytest.raises(SourceError) as caught:
        proposed(tmp_path, github=("nobody",), github_url=url)
    assert "404" in str(caught.value)

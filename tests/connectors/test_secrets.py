"""No secret leaves with what a pull writes and says, whatever the server does with it: it repeats all that it is sent.

Every kind of connector that asks an address has its secrets in its variables, in the path of its address and in the
headers that follow from them; the server answers with all of it in body, headers and reason.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import logging
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assets.landing import _outcome
from opsmetrics.core.errors import ConfigurationError
from opsmetrics.operations.connections import connections
from opsmetrics.organisation import load_organisation
from opsmetrics.organisation.connectors.kinds import KINDS
from opsmetrics.sources import pull_stream
from tests.conftest import settings_in, write_small
from tests.listening import listening

# Kinds that read folders, or let git ask, hold no secret of ours; Azure's take no plain http: their identity is asked
# for first, and told no address.
FOLDERS = {"git_clones", "restore_files", "scan_reports", "k6_summaries", "flux_events"}
AZURE = {"azure_logs", "azure_metrics", "azure_resources"}
NEEDED = {
    "github": 'owner = "o"\nrepositories = ["o/r"]',
    "oncall": 'dialect = "opsgenie"',
    "azure_devops": 'organization = "o"\nproject = "p"',
    "azure_pipelines": 'organization = "o"\nproject = "p"',
    "support_ends": 'products = ["p"]',
    "upptime": 'repository = "o/r"',
    "jira": 'queries = { incidents = "project = A" }',
    "servicenow": "",
    "gitlab": 'group = "g"',
}
STATUSES = (200, 302, 307, 400, 401, 403, 404, 429, 500, 503, 599)
SECRETS = st.text(alphabet="ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789", min_size=20, max_size=40)


class Echo(BaseHTTPRequestHandler):
    """Repeats what it is sent, in every place that an answer has."""

    status = 200

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        sent = " ".join([self.path, body, *(f"{name}={value}" for name, value in self.headers.items())])
        text = " ".join(sent.split())
        answer = json.dumps({"error": text, "message": text, "errors": [{"type": text, "message": text}], text: text})
        self.send_response(self.status, text[:2000])
        self.send_header("location", f"http://{self.headers['host']}/else{self.path}")
        self.send_header("link", f'<https://elsewhere.invalid{self.path}>; rel="next"')
        self.send_header("www-authenticate", text[:2000])
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(answer.encode())

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        """Silence."""


@pytest.fixture(scope="module")
def echo():
    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Echo)) as address:
        yield address


def sources() -> tuple[str, set[str]]:
    """Return a connector of every kind that asks, and the variables that hold its secrets."""
    parts, variables = [], set()
    for kind in sorted(KINDS.keys() - FOLDERS - AZURE):
        fields = KINDS[kind].model_fields
        named = [name for name in fields if name.endswith("_env") and name not in {"private_key_env", "client_id_env"}]
        named = [name for name in named if not (kind == "servicenow" and name.startswith("client_"))]
        # A user's name is not what we hide; its password is.
        lines = [f'{name} = "PLANTED_{kind.upper()}_{name.upper()}"' for name in named]
        variables |= {f"PLANTED_{kind.upper()}_{name.upper()}" for name in named}
        stream = "incidents" if kind in {"jira", "servicenow"} else next(iter(KINDS[kind].feeds))
        head = f'[[connector]]\nname = "{kind}"\nkind = "{kind}"\nstreams = ["{stream}"]\nurl = "$PLANTED_BASE/{kind}"'
        parts.append("\n".join([head, *lines, NEEDED.get(kind, "")]))
    return "\n\n".join(parts), variables


@pytest.fixture
def planted(tmp_path):
    folder = write_small(tmp_path / "org", days=1)
    text, variables = sources()
    (folder / "sources.toml").write_text(text)
    return replace(settings_in(tmp_path), retry_seconds=0, patience_seconds=0), load_organisation(folder), variables


def forms(secret: str) -> list[bytes]:
    """The ways in which a secret may stand somewhere."""
    plain = secret.encode()
    return [plain, base64.b64encode(b":" + plain), base64.b64encode(plain + b":" + plain)]


@pytest.mark.usefixtures("declared")
@settings(
    max_examples=6, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(status=st.sampled_from(STATUSES), secret=SECRETS, path=SECRETS)
def test_a_planted_secret_is_nowhere_that_a_pull_writes_or_says(
    echo, planted, monkeypatch, caplog, status, secret, path
):
    given_settings, organisation, variables = planted
    Echo.status = status
    for name in variables:
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("PLANTED_BASE", f"{echo}/{path}")
    said, results = io.StringIO(), []
    caplog.clear()
    with caplog.at_level(logging.DEBUG), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for stream in organisation.streams:
            results += pull_stream(given_settings, organisation, stream)
        asked = connections(given_settings, organisation)
    assert len(results) == len(organisation.sources.connector)
    # The server is believed by nobody, or few: what it says has another shape.
    assert sum(result.error is not None for result in results) > len(results) // 2
    told = [said.getvalue(), repr(results), repr(asked), caplog.text, repr(_outcome(results)), repr(given_settings)]
    files = [file.read_bytes() for file in sorted(given_settings.home.rglob("*")) if file.is_file()]
    assert len(files) >= len(results)
    for place in [*(text.encode() for text in told), *files]:
        for form in (*forms(secret), path.encode()):
            assert form not in place, place[max(0, place.find(form) - 200) :][:400]


def test_a_secret_in_an_address_is_refused_and_not_repeated(small):
    """In the file and through a variable, for every setting that is an address."""
    count = 0
    for kind, model in KINDS.items():
        for field in (name for name in model.model_fields if name.endswith("url")):
            for address in ("https://user:Zq9xK4tPw2@ops.example.org", "https://ops.example.org/?key=Zq9xK4tPw2"):
                text = f'[[connector]]\nname = "x"\nkind = "{kind}"\nstreams = ["alerts"]\n{field} = "{address}"\n'
                (small / "sources.toml").write_text(text)
                with pytest.raises(ConfigurationError) as refused:
                    load_organisation(small)
                assert "Zq9xK4tPw2" not in str(refused.value)
                assert field in str(refused.value), (kind, field)
                count += 1
    assert count > 40


def test_every_kind_is_planted_or_said_not_to_be():
    assert set(KINDS) >= FOLDERS | AZURE
    assert Path(__file__).read_text().count("PLANTED_BASE") > 1

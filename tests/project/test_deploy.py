"""What stands beside the code for those who run it: secrets where they are needed, and processes that can do little."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import pipelines.page
import scorecard_app.openings
from door.rules import Rules
from tests.patience import LIMIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
FILES = {"opsmetrics-app": "app", "opsmetrics-dagster-daemon": "daemon", "opsmetrics-dagster-webserver": "page"}
KEPT_FROM = [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "ProtectProc=invisible",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "PrivateMounts=yes",
    "RemoveIPC=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "LimitCORE=0",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged",
]
# Variables that hold a secret, or name one of a source.
SECRET = re.compile(r"SECRET|TOKEN|WEBHOOK|KEY")


def variables(unit: str) -> set[str]:
    """Variables of a unit's environment file, those of its comments included."""
    text = (ROOT / "deploy" / "env" / f"{unit}.env.example").read_text()
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def test_there_are_these_units():
    assert {path.stem for path in UNITS} == FILES.keys()


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_kept_from_what_it_does_not_need(path):
    lines = path.read_text().splitlines()
    assert [word for word in KEPT_FROM if word not in lines] == []
    assert [line for line in lines if line.startswith("EnvironmentFile=")] == [
        f"EnvironmentFile=/etc/opsmetrics/{FILES[path.stem]}.env"
    ]
    assert not [line for line in lines if line.startswith("User=") and line == "User=root"]


def test_systemd_finds_little_that_a_unit_is_exposed_to():
    """Measured where systemd is at hand; elsewhere the lines above are what it looks at."""
    analyse = shutil.which("systemd-analyze")
    for path in UNITS if analyse else []:
        said = subprocess.run(
            [str(analyse), "security", "--offline=true", "--threshold=29", "--no-pager", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout[-200:] + said.stderr


def test_each_secret_stands_with_the_one_process_that_needs_it():
    found = {unit: {name for name in variables(unit) if SECRET.search(name)} for unit in FILES.values()}
    assert found["page"] == set()
    assert found["app"] == {"OPSMETRICS_OIDC_CLIENT_SECRET", "OPSMETRICS_COOKIE_SECRET"}
    assert found["daemon"] == {"OPSMETRICS_WEBHOOK_URL", "GITHUB_TOKEN"}


def test_the_installation_shows_secrets_to_nobody_and_snapshots_to_analysts():
    text = (ROOT / "docs" / "operations.md").read_text()
    assert "install -m 0600 deploy/env/$unit.env.example /etc/opsmetrics/$unit.env" in text
    assert "install -d -o opsmetrics -g opsmetrics-readers -m 2750 /var/lib/opsmetrics/state/snapshots" in text
    readable = [line for line in text.splitlines() if line.startswith("sudo install") and "opsmetrics-readers" in line]
    assert [line.split()[-1].rsplit("/", 1)[-1] for line in readable] == ["state", "snapshots"]


def test_every_process_of_the_image_is_asked_whether_it_answers():
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    healthy = (ROOT / "deploy" / "healthy.sh").read_text()
    asked = re.findall(r"healthcheck: \{ test: \[CMD, healthy, (\w+)\]", compose)
    assert sorted(asked) == ["app", "daemon", "page"]
    assert [name for name in asked if f"{name})" not in healthy] == []
    # What they ask leads somewhere: the gate of each lets it in, without sign-in.
    (app,) = re.findall(r"app\) address=http://127\.0\.0\.1:8501(\S+)", healthy)
    (page,) = re.findall(r"page\) address=http://127\.0\.0\.1:3000(\S+)", healthy)
    for path, places in ((app, scorecard_app.openings.openings()), (page, pipelines.page.openings())):
        opening = Rules(frozenset(), frozenset(), places).opening(path, is_socket=False)
        assert opening is not None, path
        assert not opening.role


def test_everything_starts_with_our_command_and_is_asked_past_any_proxy():
    """Dagster's own commands know neither our settings nor that there is a daemon already."""
    for path in UNITS:
        started = re.findall(r"^Exec\w+=(.+)$", path.read_text(), re.MULTILINE)
        assert [line for line in started if not line.startswith("/opt/opsmetrics/.venv/bin/opsmetrics ")] == []
    healthy = ROOT / "deploy" / "healthy.sh"
    (asked,) = re.findall(r"^exec python -c '(.+)' ", healthy.read_text(), re.MULTILINE)
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        command = [sys.executable, "-c", asked, f"http://127.0.0.1:{server.server_port}/"]
        proxied = os.environ | {"http_proxy": "http://127.0.0.1:9"}
        try:
            done = subprocess.run(command, env=proxied, check=False, timeout=LIMIT_SECONDS, capture_output=True)
        finally:
            server.shutdown()
            thread.join()
    assert done.returncode == 0, done.stderr


def test_what_a_workflow_runs_is_named_by_its_content():
    """A tag of an action may mean other code tomorrow."""
    used = [
        line.split("uses:", 1)[1].strip()
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
        for line in path.read_text().splitlines()
        if "uses:" in line
    ]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name)] == []


def test_every_volume_that_the_image_writes_to_is_its_users_own():
    """A new volume takes the owner of the folder of the image that it is mounted on; without one it is root's."""
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    image = (ROOT / "deploy" / "Containerfile").read_text()
    written = set(re.findall(r'"\w+:(/[\w/]+)"', compose))
    made = set(re.findall(r"(?:--home-dir|install -d -o 10001 -g 10001 -m 0700) (/[\w/]+)", image))
    assert written == {"/var/lib/opsmetrics", "/backup"}
    assert written <= made


def test_containers_keep_their_own_paths_whatever_the_environment_files_say():
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    image = (ROOT / "deploy" / "Containerfile").read_text()
    paths = dict(re.findall(r"\b(OPSMETRICS_\w+|DAGSTER_HOME)=(/\S+)", image)) | {"OPSMETRICS_ORG": "/organisation"}
    # Lines of `environment` have the word over those of `env_file`, and these over the image's.
    held = dict(re.findall(r"^ {4}(\w+): (/\S+)$", compose, re.MULTILINE))
    assert held == paths
    examples = "".join(path.read_text() for path in (ROOT / "deploy" / "env").iterdir())
    assert set(re.findall(r"^(\w+)=/", examples, re.MULTILINE)) <= held.keys()

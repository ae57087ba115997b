"""The simulated servers end with whoever started them, and need what the real services need."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.asking import http_get, http_post
from tests.patience import LIMIT_SECONDS

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_the_process_ends_when_its_input_does(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.servers", str(DEMO), str(tmp_path), NOW.isoformat(), "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=DEMO.parents[1],
    )
    try:
        said = json.loads(process.stdout.readline())
        trust = ssl.create_default_context(cafile=said["ca_file"])
        refused = http_post(f"{said['url']}/logs/v1/workspaces/x/query", json={"query": "x"}, verify=trust)
        assert refused.status_code == 401, "no token, no answer"
        with pytest.raises(httpx.ConnectError):
            http_get(said["url"])
        process.stdin.close()
        assert process.wait(timeout=LIMIT_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()

"""State folders that the tests of the app share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks.large import large_snapshot
from tests.asking import http_get
from tests.built import EVERYTHING, built, copied, opsmetrics
from tests.patience import LIMIT_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def homes(demo_home, tmp_path_factory, make_small) -> dict[str, Path]:
    """State folders: the demo, one without sources, one with few, one never run, and one of 500 teams."""

    def half(folder: Path) -> None:
        opsmetrics("run", "--org", str(make_small(folder / "org")), "--json", home=folder)

    def empty(folder: Path) -> None:
        # Nothing is connected: the snapshot is published, and the command ends with 1.
        opsmetrics("run", "--org", str(ROOT / "examples" / "altinn"), "--json", home=folder, code=1)

    inputs = (*EVERYTHING, "benchmarks/large.py", "tests/conftest.py")
    made = {
        "large": built("demo-large", lambda folder: large_snapshot(demo_home, folder), inputs),
        "half": built("half", half, inputs),
        # Its clock is the real one: it says another day tomorrow.
        "empty": built("empty", empty, inputs, key=datetime.now(tz=UTC).date().isoformat()),
    }
    mine = {name: copied(folder, tmp_path_factory.mktemp(name)) for name, folder in made.items()}
    return {"full": demo_home, "none": tmp_path_factory.mktemp("none"), **mine}


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def is_healthy(address: str) -> bool:
    """Whether an app answers; not yet, while nobody listens there."""
    try:
        return http_get(f"{address}/_stcore/health").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def running_app(home: Path, log: Path, port: int | None = None, **env: str) -> Generator[str]:
    """Run ``opsmetrics app`` on a free port and yield its address; it ends with the block."""
    port = port or free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "opsmetrics", "app", "--port", str(port)],
            env=os.environ | {"OPSMETRICS_HOME": str(home)} | env,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            return is_healthy(address)

        wait_until(answers, log.read_text, every=0.25)
        yield address
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)


@pytest.fixture(scope="session")
def apps(homes, tmp_path_factory) -> Generator[Callable[[str], str]]:
    """Addresses of apps by kind of snapshot; each is started when first asked for."""
    started: dict[str, tuple[str, object]] = {}

    def address(kind: str) -> str:
        if kind not in started:
            manager = running_app(homes[kind], tmp_path_factory.mktemp("app") / "log")
            started[kind] = (manager.__enter__(), manager)
        return started[kind][0]

    yield address
    for _, manager in started.values():
        manager.__exit__(None, None, None)


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A real Chromium: the machine's own, else the one that playwright brought (tests/oracles.py).

    It ends with its module: playwright keeps an event loop running, in which Dagster could not run its own.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--disable-component-update"]
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=quiet)
        yield found
        found.close()

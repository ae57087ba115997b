"""State folders that the tests of the app share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from benchmarks.large import large_snapshot

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def homes(demo_home, tmp_path_factory, make_small) -> dict[str, Path]:
    """State folders: the demo, one without sources, one with few, one never run, and one of 500 teams."""
    found = {"full": demo_home, "none": tmp_path_factory.mktemp("none"), "large": tmp_path_factory.mktemp("large")}
    large_snapshot(demo_home, found["large"])
    half = make_small(tmp_path_factory.mktemp("half") / "org")
    for name, org in (("empty", ROOT / "examples" / "altinn"), ("half", half)):
        found[name] = tmp_path_factory.mktemp(name)
        env = os.environ | {"OPSMETRICS_HOME": str(found[name])}
        command = [sys.executable, "-m", "pipelines.cli", "run", "--org", str(org), "--json"]
        subprocess.run(command, env=env, cwd=ROOT, check=True, timeout=300, capture_output=True)
    return found


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running_app(home: Path, log: Path, port: int | None = None, **env: str) -> Generator[str]:
    """Run ``opsmetrics app`` on a free port and yield its address; it ends with the block."""
    port = port or free_port()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "app", "--port", str(port)],
            env=os.environ | {"OPSMETRICS_HOME": str(home)} | env,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            assert process.poll() is None, log.read_text()
            try:
                if httpx.get(f"{address}/_stcore/health", timeout=5).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.25)
        else:
            raise AssertionError(log.read_text())
        yield address
    finally:
        process.terminate()
        process.wait(30)


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

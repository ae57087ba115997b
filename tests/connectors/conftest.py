"""The simulated servers, started once; an organisation whose sources they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.settings import Settings
from simulator.demo import generate
from simulator.organisation import read_organisation
from simulator.servers.records import Records
from simulator.servers.serve import Running, serve

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def records() -> Records:
    organisation = read_organisation(DEMO)
    return Records.of(organisation, generate(organisation, 1), NOW)


@pytest.fixture(scope="session")
def servers(tmp_path_factory) -> Iterator[Running]:
    with serve(DEMO, tmp_path_factory.mktemp("tls"), now=NOW) as running:
        yield running


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
        folder = tmp_path / "org"
        shutil.copytree(DEMO, folder, dirs_exist_ok=True)
        text = sources if sources is not None else (DEMO / "sources.connected.toml").read_text()
        (folder / "sources.toml").write_text(text)
        settings = Settings.from_env(dict(os.environ))
        settings = replace(settings, home=tmp_path / "home", org=folder, data=tmp_path / "data", retry_seconds=0.01)
        return settings, load_organisation(folder)

    return make

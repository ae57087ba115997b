"""The demo: the fictional organisation's records as files, or told by simulated servers to the real connectors."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsmetrics.organisation import load_organisation
from opsmetrics.settings import DEMO_ORG, Settings, environment
from pipelines.run import run_everything
from simulator.demo import write_demo
from simulator.scale import scaled_organisation
from simulator.servers import serve

CONNECTED = "sources.connected.toml"


def run_demo(settings: Settings, root: Path, *, seed: int, scale: float, from_files: bool) -> dict[str, Any]:
    """Make the records, run everything, and return the outcome of the run.

    Args:
        settings: Where the state is.
        root: The demo's configuration.
        seed: Of the pretend organisation.
        scale: Its size; other sizes than 1 come from files, because the servers' addresses are written for 1.
        from_files: Read everything from files instead of asking the simulated servers for the last 30 days.
    """
    if scale != 1:
        root, from_files = scaled_organisation(root, settings.home / "demo-org", scale), True
    records = settings.home / "demo-data"
    write_demo(root, records, seed=seed, scale=scale)
    settings = replace(settings, data=records)
    if from_files:
        return run_everything(replace(settings, org=root), quiet=False)
    connected = _connected(root, settings.home / DEMO_ORG)
    now = settings.clock(load_organisation(root).settings.now)
    with (
        serve(root, settings.home / "simulator", now=now, seed=seed) as running,
        environment(running.environment),
    ):
        return run_everything(replace(settings, org=connected, ca_file=running.ca_file), quiet=False)


def _connected(root: Path, target: Path) -> Path:
    """Copy the configuration, with its connected sources instead of the files."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root, target)
    (target / CONNECTED).replace(target / "sources.toml")
    return target

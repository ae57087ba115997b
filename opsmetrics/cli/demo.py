"""``opsmetrics demo``: the fictional organisation's records, as files or from simulated servers to the real connectors.

The only module of the library that knows the simulator.
"""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import click

from opsmetrics.build import RunReport, run
from opsmetrics.cli.app import serve as serve_app
from opsmetrics.cli.options import EXIT_WRONG, PORT, settings_of
from opsmetrics.cli.progress import run_progress
from opsmetrics.core.settings import DEMO_ORG, Settings, demo_org, environment
from opsmetrics.organisation import load_organisation
from opsmetrics.snapshots.ownership import refuse_state_of_another
from simulator.demo import write_demo
from simulator.scale import scaled_organisation
from simulator.servers import serve as serve_sources

CONNECTED = "sources.connected.toml"


@click.command()
@click.option("--port", type=PORT, default=8501, show_default=True, help="Port of the app, on loopback.")
@click.option("--no-app", is_flag=True, help="Only build the snapshot.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the simulated organisation."
)
@click.option(
    "--scale",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Size: 2 is every team twice, 0.5 half of them.",
)
@click.option("--from-files", is_flag=True, help="Read files only, without simulated servers.")
def demo(port: int, seed: int, scale: float, *, no_app: bool, from_files: bool) -> None:
    """Make the fictional organisation, pull it from simulated servers, build its scorecard and open the app.

    Example: opsmetrics demo --no-app
    """
    settings = settings_of()
    refuse_state_of_another(settings, demo_org())
    report = _run_demo(settings, demo_org(), seed=seed, scale=scale, from_files=from_files)
    if not report.ok:
        for error in report.errors:
            click.echo(error, err=True)
        sys.exit(EXIT_WRONG)
    click.echo(f"snapshot {report.path}")
    if not no_app:
        serve_app(settings, port)


def _run_demo(settings: Settings, root: Path, *, seed: int, scale: float, from_files: bool) -> RunReport:
    """Make the records, run everything, and return the outcome of the run.

    Args:
        settings: Where the state is.
        root: The demo's configuration.
        seed: Of the simulated organisation.
        scale: Its size; other sizes than 1 come from files, because the servers' addresses are written for 1.
        from_files: Read everything from files instead of asking the simulated servers for the last three weeks.
    """
    if scale != 1:
        root, from_files = scaled_organisation(root, settings.home / "demo-org", scale), True
    records = settings.home / "demo-data"
    settings = replace(settings, data=records)
    if from_files:
        write_demo(root, records, seed=seed, scale=scale)
        return _run(replace(settings, org=root))
    connected = _connected(root, settings.home / DEMO_ORG)
    now = settings.clock(load_organisation(root).settings.now)
    with ThreadPoolExecutor(1) as beside:
        # The servers are a process of their own, and make the same records for themselves.
        written = beside.submit(write_demo, root, records, seed=seed, scale=scale)
        with (
            serve_sources(root, settings.home / "simulator", now=now, seed=seed) as running,
            environment(running.environment),
        ):
            written.result()
            return _run(replace(settings, org=connected, ca_file=running.ca_file))


def _run(settings: Settings) -> RunReport:
    with run_progress(quiet=False) as progress:
        return run(settings, progress)


def _connected(root: Path, target: Path) -> Path:
    """Copy the configuration, with its connected sources instead of the files."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root, target)
    (target / CONNECTED).replace(target / "sources.toml")
    return target

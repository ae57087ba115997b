"""Thirty days of the demo's forty services through all simulated sources, then the pull of the next day.

The limit is the network's: as many requests, each answered at once with next to nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from benchmarks.figures import Figure, Report, peak_mib
from opsmetrics.build.pulling import pull_streams
from opsmetrics.core.settings import Settings, environment
from opsmetrics.landing import load_paths, read_load
from opsmetrics.organisation import Organisation, load_organisation
from simulator.servers import Running, serve

DEMO = Path(__file__).resolve().parent.parent / "examples" / "demo"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def pull(settings: Settings, organisation: Organisation) -> float:
    """Pull everything from the connectors and return the seconds it took."""
    origins = tuple(connector.name for connector in organisation.sources.connector)
    began = time.perf_counter()
    results = pull_streams(settings, organisation, list(organisation.streams), origins=origins)
    span = time.perf_counter() - began
    errors = [result.error for result in results if result.error]
    if errors:
        sys.exit("\n".join(errors))
    return span


def round_trip(running: Running, count: int = 500) -> float:
    """Return the seconds of one request over a kept connection that the server answers at once."""
    with httpx.Client(verify=running.trust) as client:
        began = time.perf_counter()
        for _ in range(count):
            client.get(f"{running.url}/github/rate_limit").raise_for_status()
        return (time.perf_counter() - began) / count


def main() -> None:
    """Measure and print; the child process measures its own peak memory."""
    if sys.argv[1:] == ["child"]:
        child()
        return
    work = Path(tempfile.mkdtemp())
    try:
        with serve(DEMO, work / "tls", now=NOW) as running, environment(running.environment):
            running.faults.clear()
            organisation = work / "org"
            shutil.copytree(DEMO, organisation)
            (organisation / "sources.connected.toml").replace(organisation / "sources.toml")
            with environment({"OPSMETRICS_HOME": str(work / "home"), "OPSMETRICS_ORG": str(organisation)}):
                command = [sys.executable, "-m", "benchmarks.pulling", "child"]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
            found = json.loads(done.stdout)
            count = len(running.faults.requests())
            # Of the requests of both pulls, those of the first in the share of its time.
            limit = count * round_trip(running) * found["first"] / (found["first"] + found["daily"])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report = Report()
    note = f"{count:,} requests with the next day's, {found['rows']:,} rows, peak memory {found['mib']:.0f} MiB"
    name = "pull of 21 days of 40 services through 15 connectors"
    report.add(Figure(name, found["first"], limit, "as many empty requests", note=note))
    report.add(Figure("pull of the next day", found["daily"]))


def child() -> None:
    """Pull three weeks and then the next day, in a process of its own."""
    settings = replace(Settings.from_env(), now=NOW)
    organisation = load_organisation(settings.org)
    first = pull(settings, organisation)
    loads = [read_load(path) for name in organisation.streams for path in load_paths(settings.landing, name)]
    daily = pull(replace(settings, now=NOW + timedelta(days=1)), organisation)
    rows = sum(load.rows for load in loads)
    print(json.dumps({"first": first, "daily": daily, "rows": rows, "mib": peak_mib()}))


if __name__ == "__main__":
    main()

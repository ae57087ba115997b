"""What each source is asked and gives as the estate grows: ``python -m benchmarks.requests [--scales 1 2 4]``.

The demo organisation in several sizes pulls thirty days and then one more from simulated servers, which count. The
difference between two sizes, divided by the services between them, is what one more service costs.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsmetrics.build.pulling import pull_streams
from opsmetrics.core.settings import Settings, environment
from opsmetrics.landing import load_paths, read_load
from opsmetrics.organisation import load_organisation
from simulator.scale import scaled_organisation
from simulator.servers import Running, serve

DEMO = Path(__file__).resolve().parents[1] / "examples" / "demo"
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def of_source(path: str) -> str:
    """Return the server that a path belongs to."""
    first = path.strip("/").partition("/")[0]
    return first if not first[:8].isalnum() or "-" not in first else "identity"


def pulled(running: Running, settings: Settings) -> tuple[Counter[str], Counter[str]]:
    """Pull what is open; return requests and landed rows by source."""
    running.faults.clear()
    organisation = load_organisation(settings.org)
    before = {path for name in organisation.streams for path in load_paths(settings.landing, name)}
    origins = tuple(connector.name for connector in organisation.sources.connector)
    results = pull_streams(settings, organisation, list(organisation.streams), origins=origins)
    if errors := [result.error for result in results if result.error]:
        raise RuntimeError("\n".join(errors))
    requests = Counter(of_source(path) for path in running.faults.requests())
    rows: Counter[str] = Counter()
    for name in organisation.streams:
        for path in load_paths(settings.landing, name):
            if path not in before:
                load = read_load(path)
                rows[load.origin] += load.rows
    return requests, rows


def measure(scale: float) -> tuple[int, list[tuple[Counter[str], Counter[str]]], float]:
    """Return services, what both pulls asked and got, and megabytes landed."""
    work = Path(tempfile.mkdtemp())
    try:
        source, organisation = work / "demo", work / "org"
        shutil.copytree(DEMO, source)
        (source / "sources.connected.toml").replace(source / "sources.toml")
        scaled_organisation(source, organisation, scale)
        with serve(organisation, work / "tls", now=NOW) as running, environment(running.environment):
            folders = {"OPSMETRICS_HOME": str(work / "home"), "OPSMETRICS_ORG": str(organisation)}
            with environment(folders):
                settings = replace(Settings.from_env(), now=NOW)
                found = [pulled(running, replace(settings, now=NOW + timedelta(days=day))) for day in (0, 1)]
            services = len(load_organisation(organisation).services)
        size = sum(path.stat().st_size for path in (work / "home").rglob("*.parquet")) / 1e6
        return services, found, size
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=[1, 2, 4])
    for scale in parser.parse_args().scales:
        services, found, size = measure(scale)
        print(f"\n{services} services, {size:.1f} MB landed", flush=True)
        for name, (requests, rows) in zip(("thirty days", "one more day"), found, strict=True):
            print(f"  {name}: {sum(requests.values())} requests, {sum(rows.values())} rows")
            print("    requests: " + ", ".join(f"{key} {count}" for key, count in sorted(requests.items())))
            print("    rows: " + ", ".join(f"{key} {count}" for key, count in sorted(rows.items())))


if __name__ == "__main__":
    main()

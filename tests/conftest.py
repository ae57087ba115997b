"""Fixtures that several folders of tests share: a small organisation on disk, and the demo's snapshot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REALDATA = ROOT.parent / "shared" / "realdata"
if not REALDATA.exists() and os.environ.get("CI"):
    raise RuntimeError(f"{REALDATA} is missing: in CI the real data must be there")
collect_ignore = [] if REALDATA.exists() else ["test_realdata.py"]

SMALL = {
    "organisation.toml": """
id = "small"
name = { nb = "Liten", en = "Small" }
history_from = 2026-07-01
now = 2026-09-02T06:00:00Z
[environments]
prod = ["production"]
""",
    "teams.toml": """
[[team]]
id = "alfa"
name = { nb = "Alfa", en = "Alfa" }
type = "product"
onboarded_on = 2026-01-01

[[team]]
id = "beta"
name = { nb = "Beta", en = "Beta" }
type = "platform"
onboarded_on = 2026-01-01
""",
    "services.toml": """
[[service]]
id = "web"
name = { nb = "Nett", en = "Web" }
criticality = "critical"
owners = [{ team = "alfa", from = 2025-01-01 }]
monitors = [{ id = "probe-web", hold_minutes = 60 }]

[[service]]
id = "db"
name = { nb = "Base", en = "Base" }
criticality = "important"
owners = [{ team = "beta", from = 2025-01-01 }]
monitors = [{ id = "probe-db", hold_minutes = 60 }]
""",
    "slo.toml": """
[[slo]]
service = "web"
target = 0.99
from = 2025-01-01
""",
    "sources.toml": """
root = "data"

[[stream]]
name = "availability_checks"
path = "checks/{date}.csv"

[[stream]]
name = "incidents"
path = "incidents.jsonl"
covers = [2026-07-01, 2026-09-01]

[[stream]]
name = "deployments"
path = "deployments.csv"
covers = [2026-07-01, 2026-09-01]
""",
}


def write_small(folder: Path, days: int = 12) -> Path:
    """Write the small organisation with ``days`` days of hourly checks up to 1 September 2026."""
    from datetime import date, timedelta  # noqa: PLC0415 - only this helper needs it

    data = folder / "data"
    (data / "checks").mkdir(parents=True)
    for name, text in SMALL.items():
        (folder / name).write_text(text, encoding="utf-8")
    first = date(2026, 9, 1) - timedelta(days=days - 1)
    for number in range(days):
        day = first + timedelta(days=number)
        rows = ["monitor_id,checked_at,status"]
        for hour in range(24):
            for monitor in ("probe-web", "probe-db"):
                status = "down" if (hour, number % 5, monitor) == (3, 0, "probe-web") else "up"
                rows.append(f"{monitor},{day}T{hour:02d}:00:00+02:00,{status}")
        (data / "checks" / f"{day}.csv").write_text("\n".join(rows) + "\n")
    incidents = [
        {
            "incident_id": f"H{n}",
            "service_id": "web" if n % 2 else "db",
            "severity": 1 + n % 4,
            "declared_at": f"2026-08-{1 + n:02d}T08:00:00Z",
            "resolved_at": f"2026-08-{1 + n:02d}T10:00:00Z",
            "manager_assigned_at": f"2026-08-{1 + n:02d}T08:10:00Z",
        }
        for n in range(20)
    ]
    (data / "incidents.jsonl").write_text("\n".join(map(json.dumps, incidents)) + "\n")
    rows = ["deployment_id,service_id,environment,deployed_at,actor_kind,has_manual_step"]
    rows += [f"d{n},web,production,2026-08-{1 + n % 28:02d}T09:00:00Z,pipeline,{n % 3 == 0}" for n in range(30)]
    (data / "deployments.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def small(tmp_path) -> Path:
    """The small organisation's folder; its data lie in ``data`` below it."""
    return write_small(tmp_path / "org")


@pytest.fixture(scope="session")
def make_small():
    """The function that writes the small organisation, for tests that need several."""
    return write_small


@pytest.fixture
def cli(tmp_path):
    """Run ``opsmetrics`` in a process of its own with a state folder of its own."""

    def run(*arguments: str, home: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"OPSMETRICS_HOME": str(home or tmp_path / "home")}
        found = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *arguments],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if check and found.returncode != 0:
            raise AssertionError(f"exit {found.returncode}\n{found.stdout}\n{found.stderr}")
        return found

    return run


@pytest.fixture(scope="session")
def older_duckdb() -> Path:
    """Folder of the DuckDB 1.5 that ``tests/oracles.py`` installed apart from ours."""
    return Path(sys.prefix) / "oracles" / "duckdb-1.5"


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory) -> Path:
    """State folder of the demo, built once by the same command as ``make demo``."""
    home = tmp_path_factory.mktemp("demo")
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "demo", "--no-app"],
        env=os.environ | {"OPSMETRICS_HOME": str(home)},
        cwd=ROOT,
        check=True,
        timeout=600,
    )
    return home

"""Fixtures that several folders of tests share: a small organisation on disk, and the demo's snapshot."""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.built import LIBRARY, built, copied, demo
from tests.patience import LIMIT_SECONDS, TEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Generator

    from opsmetrics.core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
REALDATA = ROOT.parent / "shared" / "realdata"
if not REALDATA.exists() and os.environ.get("CI"):
    raise RuntimeError(f"{REALDATA} is missing: in CI the real data must be there")
collect_ignore = [] if REALDATA.exists() else ["realdata/test_realdata.py"]

# Hypothesis' and Dagster's own limits judge speed as well.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
for _kind in ("", "REPOSITORY_", "SCHEDULE_", "SENSOR_"):
    os.environ.setdefault(f"DAGSTER_{_kind}GRPC_TIMEOUT_SECONDS", f"{LIMIT_SECONDS:.0f}")
# Each command would start a server for the processes that read; demos, tutorial and `test_apart.py` read apart.
os.environ.setdefault("OPSMETRICS_READ_APART", "0")

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
            # Told, or nothing that rests on them would be measured (ADR 26).
            "is_escalated": False,
            "is_exercise": False,
        }
        for n in range(20)
    ]
    (data / "incidents.jsonl").write_text("\n".join(map(json.dumps, incidents)) + "\n")
    rows = ["deployment_id,service_id,environment,deployed_at,actor_kind,has_manual_step,rolled_back_at"]
    rows += [f"d{n},web,production,2026-08-{1 + n % 28:02d}T09:00:00Z,pipeline,{n % 3 == 0}," for n in range(30)]
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


def settings_in(folder: Path) -> Settings:
    """Settings for an organisation in ``org`` of a folder, with its state in ``home``."""
    from opsmetrics.core.settings import Settings, default_sql_root  # noqa: PLC0415 - not every test needs the library

    home, org = folder / "home", folder / "org"
    return Settings(home=home, org=org, data=None, now=None, sql=default_sql_root(), busy_seconds=0)


@pytest.fixture(scope="session")
def first_run() -> Path:
    """The small organisation in ``org`` and its state after one undisturbed run in ``home``; not to be changed."""

    def make(folder: Path) -> None:
        from opsmetrics import build as plans  # noqa: PLC0415 - as above

        write_small(folder / "org")
        report = plans.run(settings_in(folder))
        assert (report.ok, report.changed) == (True, True)

    return built("first-run", make, (*LIBRARY, "tests/conftest.py"))


@pytest.fixture
def small_run(first_run, tmp_path) -> Settings:
    """Settings for a copy of it, which a test may change: ``org`` and ``home`` of the test's own folder."""
    for part in ("org", "home"):
        shutil.copytree(first_run / part, tmp_path / part, symlinks=True)
    return settings_in(tmp_path)


@pytest.fixture
def cli(tmp_path):
    """Run ``opsmetrics`` in a process of its own with a state folder of its own."""

    def run(
        *arguments: str, home: Path | None = None, check: bool = True, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"OPSMETRICS_HOME": str(home or tmp_path / "home")}
        found = subprocess.run(
            [sys.executable, "-m", "opsmetrics", *arguments],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            input=typed,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        if check and found.returncode != 0:
            raise AssertionError(f"exit {found.returncode}\n{found.stdout}\n{found.stderr}")
        return found

    return run


@pytest.fixture
def here(tmp_path):
    """Run the command line in this process, as ``cli`` does in one of its own: what begins one costs a second.

    For what a command says and does. How it speaks to a shell, a terminal or other processes is tested by ``cli``.
    """

    def run(
        *arguments: str, home: Path | None = None, check: bool = True, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        from click.testing import CliRunner  # noqa: PLC0415 - not every test needs the library

        from opsmetrics.cli import main  # noqa: PLC0415 - as above

        # A command changes both for the rest of its process.
        mask, core = os.umask(0o022), resource.getrlimit(resource.RLIMIT_CORE)
        os.umask(mask)
        try:
            found = CliRunner().invoke(
                main, arguments, env={"OPSMETRICS_HOME": str(home or tmp_path / "home")}, input=typed
            )
        finally:
            os.umask(mask)
            resource.setrlimit(resource.RLIMIT_CORE, core)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception  # a process would have shown its traceback
        if check and found.exit_code != 0:
            raise AssertionError(f"exit {found.exit_code}\n{found.stdout}\n{found.stderr}")
        return subprocess.CompletedProcess(arguments, found.exit_code, found.stdout, found.stderr)

    return run


@pytest.fixture(scope="session")
def older_duckdb() -> Path:
    """Folder of the DuckDB 1.5 that ``tests/oracles.py`` installed apart from ours."""
    return Path(sys.prefix) / "oracles" / "duckdb-1.5"


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory) -> Path:
    """State folder of the demo, built by the same command as ``make demo``; a copy of this session's own."""
    return copied(demo(), tmp_path_factory.mktemp("demo"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage once, when all tests are there: what lists them stays, and each look would go through all of it.

    A quarter of the processor time in which a worker lists all tests, and a second for each look that came later.
    """
    gc.disable()
    found = yield
    gc.enable()
    gc.collect()
    gc.freeze()
    # What is frozen at the end counts as lost.
    atexit.register(gc.unfreeze)
    return found


# The files that take longest come first, so that workers end together; they start with different ones.
LONGEST_FIRST = (
    "resilience/test_soak.py",
    "browser/test_browser.py",
    "resilience/test_faults.py",
    "resilience/test_crashes.py",
    "connectors/test_faults.py",
    "browser/test_injection.py",
    "unknown/test_blanks.py",
    "opsmetrics/warehouse/test_spark.py",
    "journeys/test_landing_to_snapshot.py",
    "pipelines/test_dagster_postgres.py",
    "scorecard_app/test_views.py",
    "simulator/test_truth.py",
    "journeys/test_contributing.py",
    "journeys/test_published_and_preview.py",
    "connectors/test_real_prometheus.py",
    "pipelines/test_service.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: many tests wait for processes, servers and browsers that they started."""
    return (os.cpu_count() or 1) + 1


# Who asks for one of these takes whole runs: minutes, where everything else takes seconds.
WHOLE_RUNS = {"demo_home", "demo", "small", "make_small", "first_run", "ran", "ran_on_one_area", "cli", "here"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, mark what takes whole runs, and end tests that hang.

    Fixtures are left out of a test's limit: the first test to ask would pay for what all share.
    """
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    for item in items:
        item.add_marker(pytest.mark.timeout(TEST_SECONDS, func_only=True))
        if WHOLE_RUNS & {*getattr(item, "fixturenames", ())}:
            item.add_marker("whole_run")

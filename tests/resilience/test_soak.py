"""Thirty-six simulated days of pulls and builds with random faults say at the end what undisturbed ones say.

What was injected is the table of ``docs/soak.md``: UPDATE_GOLDEN=1 writes it again.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from opsmetrics.landing import DAMAGED
from opsmetrics.snapshots import store
from tests.patience import TEST_SECONDS
from tests.resilience import soak
from tests.resilience.conftest import ROOT, meaning

DOCUMENT = ROOT / "docs" / "soak.md"
DAYS = 36
CALM = 2
FAULTS = 48
SEED = 20261123
PROMETHEUS = """
[[connector]]
name = "prometheus"
kind = "prometheus"
streams = ["alerts", "capacity_samples"]
url = "$SOAK_URL"
utilisation = "use"
at_ceiling = "none"
"""


def plan_of(steps: list[str]) -> dict[str, tuple[str, int]]:
    """Which step meets which fault: every kind equally often, kills at every kind of step, the last days calm."""
    rolls = random.Random(SEED)
    kinds = [
        *soak.ON_DISK,
        *soak.OF_SOURCES,
        "killed",
        "killed",
        "the disk is full",
        "the clock is wrong",
        "a second run",
    ]
    # Before the first build there is nothing yet that could break.
    places = range(steps.index("build") + 1, len(steps) - CALM * len(soak.CLOCK))
    pulls = [place for place in places if steps[place].startswith("pull")]
    builds = [place for place in places if steps[place] == "build"]
    others = [place for place in places if steps[place] in {"backup", "upkeep"}]
    plan: dict[str, tuple[str, int]] = {}
    for number in range(FAULTS):
        kind = kinds[number % len(kinds)]
        rare = others if kind == "killed" else pulls
        where = pulls if kind in soak.OF_SOURCES else rolls.choice([pulls, builds, rare, pulls, rare])
        free = [place for place in where if str(place) not in plan]
        plan[str(rolls.choice(free))] = (kind, rolls.randrange(1 << 30))
    return plan


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.resilience.soak", str(folder), *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_thirty_six_days_with_faults_say_what_undisturbed_ones_say(make_small, tmp_path):
    first, last = soak.EPOCH, soak.EPOCH + timedelta(days=DAYS - 1)
    steps = [step for step, _ in soak.steps_of(first, last)]
    plan = plan_of(steps)
    quiet, storm = tmp_path / "quiet", tmp_path / "storm"
    for folder in (quiet, storm):
        org = make_small(folder / "org", days=0)
        organisation = org / "organisation.toml"
        organisation.write_text(organisation.read_text().replace("now = 2026-09-02T06:00:00Z", ""))
        sources = org / "sources.toml"
        sources.write_text(re.sub(r"covers = .*\n", "", sources.read_text()) + PROMETHEUS)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    span = (first.isoformat(), last.isoformat())
    undisturbed = start(quiet, *span)
    killed = 0
    try:
        while True:
            process = start(storm, *span, str(tmp_path / "plan.json"))
            said, _ = process.communicate(timeout=TEST_SECONDS)
            if process.returncode == 0:
                break
            assert process.returncode == -signal.SIGKILL, said
            killed += 1
        said, _ = undisturbed.communicate(timeout=TEST_SECONDS)
        assert undisturbed.returncode == 0, said
    finally:
        for running in (undisturbed, process):
            running.kill()
            running.wait()

    expected, found = (meaning(store.current(folder / "home/snapshots").path) for folder in (quiet, storm))
    differing = {table for table in expected if found[table] != expected[table]}
    assert differing == set()
    counted = Counter(kind for kind, _ in plan.values())
    assert killed == counted["killed"]
    # The days were not empty, the quiet ones were quiet, and what was injected did bite.
    rows = sum(len(table) for name, table in expected.items() if name.startswith("staging."))
    assert rows > DAYS * 80
    assert lines(quiet / "refused") == []
    refused = Counter(fault for _, _, fault, _ in lines(storm / "refused"))
    assert refused["the disk is full"] > 0
    damaged = len(list((storm / "home/landing").glob(f"*/{DAMAGED}/*")))
    assert damaged > 0
    check_document(
        steps, counted, rows, rows - sum(len(found[name]) for name in expected if name.startswith("staging."))
    )


def lines(path: Path) -> list[list]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def check_document(steps: list[str], counted: Counter[str], rows: int, lost: int) -> None:
    did = Counter(steps)
    table = "\n".join(f"| {kind[0].upper()}{kind[1:]} | {number} |" for kind, number in sorted(counted.items()))
    text = f"""# Thirty-six days with faults

Generated by `tests/resilience/test_soak.py` from what it did (`UPDATE_GOLDEN=1`). A small organisation lives through
{DAYS} simulated days as its schedules do: {did["pull_by_day"]} pulls by day and {did["pull_daily"]} by night from files and from a Prometheus,
{did["backup"]} backups, {did["upkeep"]} times upkeep, {did["build"]} builds that are published. Another lives through the same days
without faults and builds once, at the end and from nothing. These faults strike the first at random steps; a killed
process starts again with the step after it. Both published snapshots say the same in every table.

| Fault | Times |
|---|---|
{table}

Faults injected: {sum(counted.values())}. Rows compared: {rows}. Rows lost: {lost}.
"""
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text

"""Every connector x every fault: one readable line, nothing lost, nothing counted twice, no failure taken for quiet.

The outcomes are the table of ``docs/faults.md``: UPDATE_GOLDEN=1 writes it again from what the tests saw.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.core.settings import Settings
from opsmetrics.landing import load_paths, read_load
from opsmetrics.organisation import Organisation, load_organisation
from opsmetrics.sources.pull import PullResult, pull_stream
from simulator.servers.faults import FAULTS, SCRAMBLE
from simulator.servers.identity import TENANT
from simulator.servers.records import PLANTED
from tests.connectors.conftest import DEMO, connected_in, demo_with
from tests.connectors.sections import ARGOCD, DESK, GRAFANA, JSM, PAGERDUTY, PROBERS, ZABBIX

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
# The other parts of the document, which other tests write (test_bounds.py, tests/resilience/test_crashes.py).
BOUNDS = "## What bounds do to a source"
KILL_POINTS = "## Every file operation struck once"
IN_CI = 8
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", IN_CI))
WINDOW = (date(2026, 11, 10), date(2026, 11, 12))
# Source and stream -> the part of the servers that fails.
SUBJECTS = {
    ("github", "deployments"): "/github",
    ("github", "update_episodes"): "/github",
    ("github-issues", "incidents"): "/github",
    ("github-alerts", "vulnerabilities"): "/github",
    ("azure-logs", "latency_daily"): "/logs",
    ("azure-logs", "recovery_points"): f"/{TENANT}",
    ("azure-metrics", "capacity_samples"): "/metrics",
    ("azure-resources", "control_results"): "/arm",
    ("azure-alerts", "alerts"): "/arm",
    ("grafana", "alert_rule_states"): "/grafana",
    ("grafana-alerts", "alerts"): "/grafana",
    ("grafana-history", "alerts"): "/grafana",
    ("prometheus", "capacity_samples"): "/prometheus",
    ("opsgenie", "alerts"): "/oncall",
    ("opsgenie-duty", "oncall_shifts"): "/oncall",
    ("opsgenie-incidents", "incidents"): "/oncall",
    ("jsm", "alerts"): "/oncall",
    ("jsm", "oncall_shifts"): "/oncall",
    ("prometheus-alerts", "alerts"): "/prometheus",
    ("pagerduty", "alerts"): "/pagerduty",
    ("pagerduty", "incidents"): "/pagerduty",
    ("status-page", "incident_reports"): "/support",
    ("azure-devops", "deployments"): "/devops",
    ("support-ends", "eol_dates"): "/support",
    ("zabbix", "alerts"): "/zabbix",
    ("argocd", "deployments"): "/argocd",
    ("uptimerobot", "availability_checks"): "/uptimerobot",
    ("betterstack", "availability_checks"): "/betterstack",
    ("upptime", "availability_checks"): "/upptime",
    ("jira", "incidents"): "/jira",
    ("jira", "action_items"): "/jira",
    ("servicenow", "incidents"): "/servicenow",
    ("gitlab", "deployments"): "/gitlab",
    ("gitlab", "update_episodes"): "/gitlab",
    ("servicenow-changes", "maintenance_tasks"): "/servicenow",
}
# Faults that go away are switched on for one request only: the pull must come through.
PASSING = {"429_retry_after": 1, "skew": 1, "slow": 2}
WHOLE: dict[tuple[str, str], list[tuple]] = {}
SEEN: dict[tuple[str, str], dict[str, str]] = {}


def landed(settings, stream: str) -> list[tuple]:
    """Rows of the loads that count: the newest complete one of each window."""
    newest = {}
    for path in load_paths(settings.landing, stream):
        load = read_load(path)
        if load.is_complete:
            newest[load.window_start] = path
    if not newest:
        return []
    frame = pl.concat([pl.read_parquet(path) for path in newest.values()])
    return sorted(frame.filter(pl.col("_reason").is_null()).drop("_line", "_raw", "_reason").rows(), key=str)


@pytest.fixture(scope="module")
def organisation(tmp_path_factory) -> Organisation:
    """The demo with every source there is, read once: no test of this module changes it."""
    connected = (DEMO / "sources.connected.toml").read_text()
    texts = (connected, JSM, PAGERDUTY, GRAFANA, PROBERS, DESK, ZABBIX, ARGOCD)
    return load_organisation(demo_with(tmp_path_factory.mktemp("connected") / "org", "".join(texts)))


@pytest.fixture
def ask(simulated, organisation, tmp_path) -> Callable[[tuple[str, str]], tuple[Settings, PullResult]]:
    """Pull the stream of a subject into a folder of the test's own; the servers are whole at first."""

    def asked(subject: tuple[str, str]) -> tuple[Settings, PullResult]:
        origin, stream = subject
        settings = connected_in(tmp_path, organisation.folder)
        (result,) = pull_stream(settings, organisation, stream, WINDOW, origins=(origin,))
        return settings, result

    return asked


def explained(subject, error: str) -> None:
    """One line that names the source, one that says what to do, and nothing of the answer."""
    first, *rest = error.splitlines()
    assert subject[0] in first
    assert len(rest) == 1
    assert rest[0].strip().startswith("fix: ")
    assert len(first) < 300
    assert not re.search(r"Traceback|\{|<html", error)
    assert not [planted for planted in PLANTED.values() if planted in error]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("subject", SUBJECTS, ids="/".join)
def test_fault(ask, simulated, subject, fault):
    if subject not in WHOLE:
        settings, whole = ask(subject)
        assert whole.error is None
        WHOLE[subject] = landed(settings, subject[1])
        shutil.rmtree(settings.home)
    expected = WHOLE[subject]

    simulated.faults.set(SUBJECTS[subject], fault, times=PASSING.get(fault, -1))
    settings, broken = ask(subject)
    during = landed(settings, subject[1])
    simulated.faults.clear()
    outcome = judged(settings, subject, broken, during, expected)
    SEEN.setdefault(subject, {})[fault] = outcome

    _, healed = ask(subject)
    assert healed.error is None
    assert landed(settings, subject[1]) == expected, "after the fault the same rows are there, each once"


def judged(settings, subject, broken, during, expected) -> str:
    """Say what a fault did, and fail where it did harm."""
    if broken.error is None:
        if during == expected:
            return "whole"
        # An answer that is empty in good form says that nothing happened; it cannot be told from silence.
        assert during == []
        return "quiet"
    explained(subject, broken.error)
    assert during == [], "what came before the fault is asked for again as a whole, or is not complete"
    loads = [read_load(path) for path in load_paths(settings.landing, subject[1])]
    assert not [load for load in loads if load.is_complete]
    return "partial" if loads else "error"


def test_the_documented_table_is_what_was_seen():
    if len(SEEN) < len(SUBJECTS) or any(len(row) < len(FAULTS) for row in SEEN.values()):
        pytest.skip("only with all faults: the table is made of what they showed")
    lines = [
        "# What each fault does to each connector",
        "",
        "Generated by `tests/connectors/test_faults.py` from what it saw (`UPDATE_GOLDEN=1`). A fault hits every request",
        "of the source, except `429_retry_after`, `skew` and `slow`, which go away. After each the same rows are landed,",
        "each once.",
        "",
        "- **error**: one line with source, what happened and how to fix it; nothing is landed, the days stay open.",
        "- **whole**: the pull came through with the right rows.",
        "- **partial**: landed as partial, which never replaces a complete answer; the days stay open.",
        "- **quiet**: an empty answer in good form is a quiet day; it has no rows, so that it says nothing good or bad.",
        "",
        f"| Source | Stream | {' | '.join(FAULTS)} |",
        f"|---|---|{'---|' * len(FAULTS)}",
    ]
    for (origin, stream), row in sorted(SEEN.items()):
        lines.append(f"| {origin} | {stream} | {' | '.join(row[fault] for fault in FAULTS)} |")
    text = "\n".join(lines) + "\n"
    _, mark, rest = DOCUMENT.read_text().partition(f"\n{BOUNDS}\n")
    if os.environ.get("UPDATE_GOLDEN"):
        DOCUMENT.write_text(text + mark + rest)
    assert DOCUMENT.read_text() == text + mark + rest


@pytest.mark.parametrize("subject", SUBJECTS, ids="/".join)
def test_values_of_another_kind(ask, simulated, subject):
    """Numbers where texts were, lists where tables were, days that do not exist: an error of one line, or rows set aside.

    Answers that pass for good ones are landed; asked again, the source puts them right. FUZZ_EXAMPLES asks for more.
    """
    _, whole = ask(subject)
    assert whole.error is None
    refused = 0
    for seed in range(EXAMPLES):
        simulated.faults.set(SUBJECTS[subject], SCRAMBLE, seed=seed)
        settings, broken = ask(subject)
        simulated.faults.clear()
        if broken.error is not None:
            refused += 1
            explained(subject, broken.error)
        shutil.rmtree(settings.home)
    assert refused
    simulated.faults.set(SUBJECTS[subject], SCRAMBLE, seed=EXAMPLES)
    ask(subject)
    simulated.faults.clear()
    settings, healed = ask(subject)
    assert healed.error is None
    shutil.rmtree(settings.home)


@pytest.mark.parametrize("subject", [("grafana", "alert_rule_states"), ("support-ends", "eol_dates")], ids="/".join)
def test_an_inventory_does_not_vanish_overnight(ask, simulated, subject):
    settings, first = ask(subject)
    assert first.error is None
    expected = landed(settings, subject[1])
    simulated.faults.set(SUBJECTS[subject], "empty")
    _, broken = ask(subject)
    assert "shows nothing at all" in (broken.error or "")
    assert landed(settings, subject[1]) == expected

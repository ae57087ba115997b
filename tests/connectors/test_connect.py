"""What ``check --connect`` says of probers, alerts, deployments and files of other programs."""

from __future__ import annotations

import re
import shutil
from datetime import date

import pytest

from opsmetrics.operations.connections import connections
from simulator.servers.reports import write_reports
from tests.connectors.sections import ARGOCD, FLUX, JSM, K6, PAGERDUTY, PROBERS, SCANS, ZABBIX

SAYS = {
    "uptimerobot": r"readable, 1 of the monitors seen",
    "betterstack": r"\d\d monitors readable",
    "upptime": r"\d\d sites with a history",
    "zabbix": r"readable, Zabbix 7\.0\.5",
    "argocd": r"\d\d applications readable",
    "trivy": r"\d\d reports, 0 unreadable; 0 artifacts are not in artifacts",
    "grype": r"\d\d reports, 0 unreadable; 0 artifacts are not in artifacts",
    "k6": r"\d+ summaries, 0 unreadable",
    "flux": r"\d+ notifications, 0 files unreadable",
}
SERVED = ("uptimerobot", "betterstack", "upptime", "zabbix", "argocd")


@pytest.fixture
def organised(connected, records):
    settings, organisation = connected(PROBERS + ZABBIX + ARGOCD + SCANS + K6 + FLUX)
    write_reports(records, settings.org, date(2026, 11, 20), date(2026, 11, 22))
    return settings, organisation


def test_each_says_what_it_sees(organised):
    found = {each.source: each for each in connections(*organised)}
    assert set(found) == set(SAYS)
    for source, connection in found.items():
        assert connection.is_connected, connection.said
        assert re.fullmatch(SAYS[source], connection.said), (source, connection.said)


def test_each_says_what_is_missing(organised, simulated, monkeypatch):
    """No token, and no folder: one line that names the source, one that says what to do."""
    settings, organisation = organised
    monkeypatch.delenv("SIMULATOR_TOKEN")
    for folder in ("scans", "k6", "flux"):
        shutil.rmtree(settings.org / folder)
    simulated.faults.set("/upptime", "403")
    for connection in connections(settings, organisation):
        assert not connection.is_connected, connection
        first, fix = connection.said.splitlines()
        wanted = "no such folder" if connection.source not in SERVED else "SIMULATOR_TOKEN is not set"
        assert ("403" if connection.source == "upptime" else wanted) in first
        assert fix.strip().startswith("fix: ")


PAGERS = {
    "jsm": r"readable, 1 schedules configured",
    "opsgenie-incidents": r"readable, 0 schedules configured",
    "pagerduty": r"readable, 1 schedules configured",
    "prometheus-alerts": r"readable, \d+ probed targets, \d+ alerts at the Alertmanager",
}


def test_what_pages_the_duty_says_what_it_sees(connected):
    found = {each.source: each for each in connections(*connected(JSM + PAGERDUTY))}
    assert set(found) == set(PAGERS)
    for source, connection in found.items():
        assert connection.is_connected, connection.said
        assert re.fullmatch(PAGERS[source], connection.said), (source, connection.said)


def test_an_alertmanager_that_is_away_and_keys_that_are_missing_are_said(connected, simulated, monkeypatch):
    settings, organisation = connected(JSM + PAGERDUTY)
    monkeypatch.delenv("SIMULATOR_TOKEN")
    simulated.faults.set("/alertmanager", "403")
    for connection in connections(settings, organisation):
        assert not connection.is_connected, connection
        first, fix = connection.said.splitlines()
        wanted = "alertmanager" if connection.source == "prometheus-alerts" else "SIMULATOR_TOKEN is not set"
        assert wanted in first
        assert fix.strip().startswith("fix: ")

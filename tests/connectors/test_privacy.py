"""No name, address, text, secret or finding reaches landing, notes, logs or messages: marked ones are everywhere."""

from __future__ import annotations

import logging
from datetime import date

import polars as pl
import pytest

from opsmetrics.sources.pull import pull_stream
from simulator.servers.identity import CLIENT_SECRET
from simulator.servers.records import PLANTED
from simulator.servers.reports import write_reports
from tests.asking import http_get
from tests.connectors.sections import ARGOCD, DESK, FLUX, K6, PROBERS, SCANS, ZABBIX

WINDOW = (date(2026, 11, 9), date(2026, 11, 13))
# Where each marked text must be found in what the servers say, so that the search below means something.
SAID = {
    "github/repos/kystetaten/havneavgift-api/deployments": ("person", "text"),
    "github/repos/kystetaten/havneavgift-api/dependabot/alerts": ("finding",),
    "github/repos/kystetaten/havneavgift-api/secret-scanning/alerts": ("secret",),
    "github/repos/kystetaten/havneavgift-api/code-scanning/alerts": ("finding",),
    "grafana/api/annotations?type=alert&from=0&to=9999999999999": ("person", "text"),
    "oncall/v2/alerts": ("mail", "text"),
    "oncall/v2/schedules/vakt-maskinrommet/timeline?date=2026-11-09T00:00:00Z": ("person",),
    "pagerduty/incidents": ("text",),
    "pagerduty/oncalls?since=2026-11-09T00:00:00Z&until=2026-11-12T00:00:00Z&schedule_ids[]=vakt-maskinrommet": (
        "person",
    ),
    "devops/a/b/_apis/release/deployments": ("person", "mail"),
    "support/api/v2/incidents.json": ("text",),
    "betterstack/api/v3/incidents?monitor_id=777000001": ("person", "text"),
    "upptime/repos/kystetaten/status/commits?path=history/havneavgift-api.yml&until=2026-11-12T00:00:00Z": (
        "person",
        "mail",
    ),
    "argocd/api/v1/applications": ("person",),
    "jira/rest/api/3/issue/10000/changelog": ("person", "text"),
    "servicenow/api/now/table/incident?sysparm_display_value=all&sysparm_fields=short_description,caller_id": (
        "person",
        "text",
    ),
    "gitlab/api/v4/groups/g/merge_requests?author_username=renovate-bot": ("text",),
    "gitlab/api/v4/projects/100/deployments": ("person",),
}
MORE = """
[[connector]]
name = "github-scanners"
kind = "github"
streams = ["security_alerts", "repository_states", "update_merges", "dependency_updates"]
from = 2026-10-24
url = "$SIMULATOR/github"
owner = "kystetaten"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "grafana-alerts"
kind = "grafana"
streams = ["alerts", "deployments"]
from = 2026-10-24
url = "$SIMULATOR/grafana"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "azure-alerts"
kind = "azure_resources"
streams = ["alerts", "alert_rule_states", "restore_tests", "workload_states"]
from = 2026-10-24
url = "$SIMULATOR/arm"
subscriptions = ["11111111-1111-1111-1111-111111111111"]

[[connector]]
name = "pagerduty"
kind = "pagerduty"
streams = ["alerts", "incidents", "oncall_shifts"]
from = 2026-10-24
url = "$SIMULATOR/pagerduty"
token_env = "SIMULATOR_TOKEN"
schedules = { "vakt-maskinrommet" = "maskinrommet" }

[[connector]]
name = "opsgenie-incidents"
kind = "oncall"
dialect = "opsgenie"
streams = ["incidents"]
from = 2026-10-24
url = "$SIMULATOR/oncall"
token_env = "SIMULATOR_TOKEN"
"""


@pytest.mark.parametrize("path", SAID)
def test_the_servers_do_say_them(simulated, path):
    keys = {
        "grafana": "Bearer x",
        "pagerduty": "Token token=x",
        "jira": "Basic x",
        "servicenow": "Basic x",
        "betterstack": "Bearer x",
        "argocd": "Bearer x",
    }
    headers = {"authorization": keys.get(path.split("/", 1)[0], "GenieKey x"), "private-token": "x"}
    if path.startswith("pagerduty"):
        headers["accept"] = "application/vnd.pagerduty+json;version=2"
    body = http_get(f"{simulated.url}/{path}", headers=headers, verify=simulated.trust).text
    for name in SAID[path]:
        assert PLANTED[name] in body


def test_nothing_marked_is_written_or_said(connected, records, caplog, capfd, demo_connected):
    """Pull everything, in whole and while every fault of reading is on, and search all that was written."""
    caplog.set_level(logging.DEBUG)
    probers = PROBERS + ZABBIX + ARGOCD
    settings, organisation = connected(demo_connected + MORE + DESK + probers + K6 + SCANS + FLUX)
    write_reports(records, settings.org, *WINDOW)
    results = []
    for delivery in organisation.deliveries:
        if delivery.origin != "files":
            results += pull_stream(settings, organisation, delivery.stream, WINDOW, origins=(delivery.origin,))
    assert [result.error for result in results if result.error] == []
    assert sum(result.rows for result in results) > 10_000
    said = capfd.readouterr()
    texts = [caplog.text, said.out, said.err]
    for path in settings.home.rglob("*"):
        if path.suffix == ".parquet":
            texts.append(path.name)
            texts.append(pl.read_parquet(path).with_columns(pl.all().cast(pl.String)).write_csv())
            texts.append(str(pl.read_parquet_metadata(path)))
        elif path.is_file():
            texts.append(path.read_text())
    everything = "\n".join(texts)
    found = [name for name, planted in PLANTED.items() if planted in everything]
    found += [name for name, planted in PLANTED.items() if planted.split()[0] in everything]
    assert found == []
    for secret in (CLIENT_SECRET, "Bearer ", "GenieKey ", "Token token="):
        assert secret not in everything

"""Where rows are found in their systems: as configured, else by the form that the vendor documents."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from opsmetrics.core.links import filled
from opsmetrics.organisation.connectors.kinds import AnyConnector
from opsmetrics.organisation.file_sources import StreamSource
from opsmetrics.organisation.organisation import Delivery
from opsmetrics.organisation.source_links import link_of

CONNECTOR: TypeAdapter[Any] = TypeAdapter(AnyConnector)
ROW = {"id": "OPS-7", "repository": "kyst/web", "number": "7", "service": "web", "team": "alfa"}
GITHUB = {"kind": "github", "owner": "kyst"}
JIRA = {
    "kind": "jira",
    "url": "https://kyst.example.net",
    "user_env": "U",
    "token_env": "T",
    "queries": {"incidents": "x"},
}
DOCUMENTED = [
    (GITHUB, "incidents", "https://github.com/kyst/web/issues/7"),
    (GITHUB, "update_episodes", "https://github.com/kyst/web/pull/7"),
    (GITHUB, "deployments", "https://github.com/kyst/web/deployments"),
    (GITHUB, "vulnerabilities", None),  # their ids are digests on purpose
    (GITHUB | {"url": "https://git.example.net/api/v3"}, "action_items", "https://git.example.net/kyst/web/issues/7"),
    ({"kind": "gitlab", "group": "kyst"}, "deployments", "https://gitlab.com/kyst/web/-/environments"),
    (
        {"kind": "azure_pipelines", "organization": "kyst", "project": "drift og støtte"},
        "deployments",
        "https://dev.azure.com/kyst/drift%20og%20st%C3%B8tte/_build/results?buildId=7",
    ),
    (
        {"kind": "azure_devops", "organization": "kyst", "project": "d"},
        "deployments",
        "https://dev.azure.com/kyst/d/_release",
    ),
    ({"kind": "grafana", "url": "https://g.example.net"}, "alert_rule_states", "https://g.example.net/alerting/list"),
    ({"kind": "prometheus", "url": "https://p.example.net"}, "alerts", "https://p.example.net/alerts"),
    (
        {"kind": "prometheus", "url": "https://p.example.net", "alertmanager_url": "https://am.example.net"},
        "alerts",
        "https://am.example.net/#/alerts",
    ),
    (
        {"kind": "oncall", "dialect": "opsgenie", "token_env": "T"},
        "alerts",
        "https://app.eu.opsgenie.com/alert/detail/OPS-7/details",
    ),
    ({"kind": "pagerduty", "token_env": "T"}, "alerts", None),  # the account's own host is not known
    (JIRA, "incidents", "https://kyst.example.net/browse/OPS-7"),
    (
        {"kind": "statuspage", "url": "https://status.example.net"},
        "incident_reports",
        "https://status.example.net/incidents/OPS-7",
    ),
    (
        {"kind": "servicenow", "url": "https://kyst.example.net", "user_env": "U", "password_env": "P"},
        "incidents",
        "https://kyst.example.net/incident.do?sysparm_query=number=OPS-7",
    ),
    (
        {"kind": "grafana", "url": "$GRAFANA/ops"},
        "alert_rule_states",
        None,
    ),  # what is in the variable only a pull knows
]


def delivery(settings: dict[str, Any], stream: str) -> Delivery:
    connector = CONNECTOR.validate_python({"name": "source", "streams": [stream], **settings})
    return Delivery(stream, connector, date(2026, 1, 1), None, None)


@pytest.mark.parametrize(("settings", "stream", "expected"), DOCUMENTED)
def test_vendors_have_the_form_that_they_document(settings, stream, expected):
    template = link_of(delivery(settings, stream))
    assert (filled(template, ROW) if template else None) == expected


def test_what_is_configured_goes_before_the_vendors_form():
    one = delivery(GITHUB | {"link": "https://ops.example.org/{id}"}, "incidents")
    assert link_of(one) == "https://ops.example.org/{id}"
    each = delivery(GITHUB | {"link": {"incidents": "https://ops.example.org/i/{id}"}}, "incidents")
    assert link_of(each) == "https://ops.example.org/i/{id}"
    files = StreamSource(name="alerts", path="alerts.csv", link="https://ops.example.org/a/{id}")
    assert link_of(Delivery("alerts", files, date(2026, 1, 1), None, None)) == "https://ops.example.org/a/{id}"
    assert link_of(Delivery("alerts", files.model_copy(update={"link": None}), date(2026, 1, 1), None, None)) is None

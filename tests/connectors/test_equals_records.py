"""What the connectors land equals what the simulated organisation did: every stream, every column that is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from opsmetrics.sources.pull import pull_stream
from simulator.plants import BROKEN_COUNTER
from simulator.servers.records import (
    AZURE_METRICS_TEAM,
    DEVOPS_TEAM,
    PROBED_BY_GITHUB,
    PROMETHEUS_SLO_TEAM,
    PROMETHEUS_TEAM,
)
from simulator.world import END_DAY, days, local
from tests.connectors.landed import landed, table

FROM = date(2026, 11, 2)
START = local(FROM, 0)


def pull(connected, stream: str, *origins: str):
    settings, organisation = connected()
    results = pull_stream(
        settings,
        organisation,
        stream,
        origins=origins or tuple(d.origin for d in organisation.deliveries_of(stream) if d.origin != "files"),
    )
    assert [result.error for result in results] == [None] * len(results)
    return landed(settings, stream)


def since(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [row for row in rows if row[column] >= START]


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        ("prometheus", lambda s: s.team == PROMETHEUS_TEAM),
        ("github", lambda s: s.id in PROBED_BY_GITHUB),
        ("azure-logs", lambda s: s.team != PROMETHEUS_TEAM and s.id not in PROBED_BY_GITHUB),
    ],
)
def test_probes(connected, records, origin, wanted):
    found = pull(connected, "availability_checks", origin).with_columns(
        pl.col("monitor_id").replace(f"kystetaten/{PROBED_BY_GITHUB[0]}/use-case-PROD", f"probe-{PROBED_BY_GITHUB[0]}")
    )
    names = [f"probe-{s.id}" for s in records.organisation.services if wanted(s)]
    frame = records.frames["availability_checks"]
    expected = frame.filter(pl.col("monitor_id").is_in(names) & (pl.col("checked_at") >= START))
    columns = ("monitor_id", "checked_at", "status")
    unknown = found.filter(pl.col("status") == "unknown")
    assert unknown.height == (1 if origin == "github" else 0), "a green run whose probe was skipped is not a result"
    assert table(found.filter(pl.col("status") != "unknown"), *columns) == table(expected, *columns)


def test_capacity(connected, records):
    found = pull(connected, "capacity_samples")
    frame = records.frames["capacity_samples"].filter(pl.col("sampled_at") >= START)
    columns = ("resource_id", "service_id", "sampled_at", "utilisation_ratio")
    assert table(found, *columns) == table(frame, *columns)
    mine = [s.id for s in records.organisation.services if s.team != AZURE_METRICS_TEAM]
    asked = ("resource_id", "sampled_at", "is_at_ceiling")
    assert table(found.filter(pl.col("service_id").is_in(mine)), *asked) == table(
        frame.filter(pl.col("service_id").is_in(mine)), *asked
    )


def test_latency(connected, records):
    found = pull(connected, "latency_daily")
    rows = [row for row in records.rows["latency_daily"] if row["observed_on"] >= FROM]
    columns = ("service_id", "observed_on", "valid_count", "fast_count", "threshold_ms")
    assert table(found, *columns) == table(rows, *columns)
    team, broken_from = BROKEN_COUNTER
    lost = [row for row in rows if records.team_of(row["service_id"]) == team and row["observed_on"] >= broken_from]
    assert not lost, "of a broken counter there are no rows"
    assert PROMETHEUS_SLO_TEAM in {team, *(records.team_of(row["service_id"]) for row in rows)}


def test_pages(connected, records):
    found = pull(connected, "alerts")
    rows = since(records.rows["alerts"], "fired_at")
    columns = (
        *("service_id", "rule_id", "severity", "fired_at", "acknowledged_at", "acknowledged_by_kind"),
        *("closed_at", "label", "incident_id"),
    )
    expected = [row | {"acknowledged_by_kind": "human" if row["acknowledged_at"] else None} for row in rows]
    assert table(found, *columns) == table(expected, *columns)


def test_shifts(connected, records):
    found = pull(connected, "oncall_shifts")
    columns = ("team_id", "starts_at", "ends_at", "responder_count")
    assert table(found, *columns) == table(since(records.rows["oncall_shifts"], "starts_at"), *columns)


def test_incidents(connected, records):
    found = pull(connected, "incidents").to_dicts()
    rows = [row for row in records.rows["incidents"] if row["declared_at"] >= local(date(2024, 11, 1), 0)]
    columns = (
        *("incident_id", "service_id", "severity", "declared_at", "first_alert_at", "first_report_at", "resolved_at"),
        *("manager_assigned_at", "is_escalated", "is_exercise", "is_data_loss", "postmortem_published_at"),
        *("is_postmortem_reviewed", "signature", "is_reportable", "notified_at"),
    )
    assert table(found, *columns) == table(rows, *columns)
    blamed = {row["incident_id"] for row in rows if row["caused_by_deployment_id"]}
    assert {row["incident_id"] for row in found if row["caused_by_deployment_id"]} == blamed


def test_blamed_deployments_are_the_ones_that_were_landed(connected):
    incidents, changes = pull(connected, "incidents"), pull(connected, "deployments")
    numbered = incidents.filter(pl.col("caused_by_deployment_id").str.contains(r"#|azure-devops"))
    assert numbered.height > 0
    assert set(numbered["caused_by_deployment_id"]) <= set(changes["deployment_id"])


def test_actions_and_tasks(connected, records):
    found = pull(connected, "action_items")
    columns = (
        *("service_id", "incident_id", "priority", "created_at", "first_due_at", "done_at"),
        "is_dropped_with_approval",
    )
    assert table(found, *columns) == table(records.rows["action_items"], *columns)
    tasks = pull(connected, "maintenance_tasks")
    asked = ("team_id", "first_due_at", "completed_at", "is_cancelled_with_approval")
    assert table(tasks, *asked) == table(records.rows["maintenance_tasks"], *asked)


def test_deployments(connected, records):
    found = pull(connected, "deployments")
    rows = since(records.rows["deployments"], "deployed_at")
    mine = [row for row in rows if records.team_of(row["service_id"]) != DEVOPS_TEAM]
    columns = (
        *("service_id", "environment", "deployed_at", "actor_kind", "has_manual_step"),
        *("rolled_back_at", "hotfixed_at", "committed_at", "is_rework"),
    )
    by_github = found.filter(pl.col("deployment_id").str.contains("#"))
    assert table(by_github, *columns) == table(mine, *columns)
    theirs = [row for row in rows if records.team_of(row["service_id"]) == DEVOPS_TEAM]
    by_devops = found.filter(~pl.col("deployment_id").str.contains("#"))
    asked = ("service_id", "environment", "deployed_at")
    assert table(by_devops, *asked) == table(theirs, *asked)


def test_yaml_pipelines_say_what_reached_an_environment(connected, records):
    text = """
[[connector]]
name = "pipelines"
kind = "azure_pipelines"
streams = ["deployments"]
from = 2026-11-02
url = "$SIMULATOR/devops"
organization = "kystetaten"
project = "kaiplan"
token_env = "SIMULATOR_TOKEN"
"""
    settings, organisation = connected(text)
    (result,) = pull_stream(settings, organisation, "deployments")
    assert result.error is None
    rows = since(records.rows["deployments"], "deployed_at")
    theirs = [row for row in rows if records.team_of(row["service_id"]) == DEVOPS_TEAM]
    columns = ("service_id", "environment", "deployed_at", "has_manual_step")
    assert table(landed(settings, "deployments"), *columns) == table(theirs, *columns)
    # Half an hour after each the environment was tested, by schedule.
    assert len(result.told) == 1
    assert "test_events (schedule)" in result.told[0]


def test_vulnerabilities(connected, records):
    found = pull(connected, "vulnerabilities")
    rows = since(records.rows["vulnerabilities"], "effective_at")
    columns = (
        *("service_id", "detected_at", "effective_at", "is_exposed", "is_exploited", "is_automatable"),
        *("is_total_impact", "fixed_at", "epss_ratio"),
    )
    assert table(found, *columns) == table(rows, *columns)


def test_updates(connected, records):
    found = pull(connected, "update_episodes")
    rows = since(records.rows["update_episodes"], "available_at")
    columns = ("repository", "package", "available_at")
    assert table(found, *columns) == table(rows, *columns)


def test_recovery_points(connected, records):
    found = pull(connected, "recovery_points")
    columns = ("datastore_id", "taken_at", "is_usable")
    assert table(found, *columns) == table(since(records.rows["recovery_points"], "taken_at"), *columns)


@pytest.mark.parametrize(
    ("stream", "columns"),
    [
        (
            "alert_rule_states",
            "rule_id service_id resource_id kind is_enabled is_paging is_routed threshold_ratio forecast_hours last_changed_at last_reviewed_at last_proven_at",
        ),
        ("component_states", "component_id service_id kind product cycle"),
        ("control_results", "control_id service_id status risk"),
        ("backup_copies", "datastore_id copy_id has_own_identity is_immutable_or_offline is_other_region"),
        ("workload_states", "workload_id service_id replica_count zone_count autoscaler_min autoscaler_max"),
    ],
)
def test_states_are_the_newest_inventory(connected, records, stream, columns):
    found = pull(connected, stream)
    if stream == "component_states":
        # Runtimes come from elsewhere; node images are only Azure's to tell.
        expected = [row for row in records.newest(stream) if row["kind"] in {"database", "kubernetes"}]
        found = found.filter(pl.col("kind") != "base_image")
    else:
        expected = records.newest(stream)
    if stream == "control_results":
        patches = found.filter(pl.col("control_id") == "patch-assessment")
        # Without counts a machine was not assessed, which is neither good nor bad.
        assert sorted(patches["status"]) == ["failed", "inconclusive", "passed"]
        found = found.filter(pl.col("control_id") != "patch-assessment")
    assert table(found, *columns.split()) == table(expected, *columns.split())
    assert set(found["observed_on"]) == {END_DAY}


def test_registers(connected, records):
    found = pull(connected, "eol_dates")
    columns = ("product", "cycle", "released_on", "eol_on")
    assert table(found, *columns) == table(records.rows["eol_dates"], *columns)
    tests = pull(connected, "restore_tests")
    mine = [row for row in records.rows["restore_tests"] if row["datastore_id"].startswith("losbestilling-api")]
    asked = ("test_id", "datastore_id", "requested_at", "restored_at", "verified_at", "is_successful", "data_gb")
    assert mine
    assert table(tests, *asked) == table(mine, *asked)


def test_both_dialects_of_log_analytics_say_the_same(connected):
    """A resource speaks the classic table names, a workspace the new ones."""
    text = """
[[connector]]
name = "logs"
kind = "azure_logs"
streams = ["availability_checks", "latency_daily", "signal_hours"]
from = 2026-11-15
url = "$SIMULATOR/logs"
{}
"""
    scopes = {
        "workspace": 'workspaces = ["33333333-3333-3333-3333-333333333333"]',
        "resource": 'resources = ["/subscriptions/x/resourceGroups/y/providers/microsoft.insights/components/z"]',
    }
    for stream, columns in (
        ("availability_checks", ("monitor_id", "checked_at", "status", "response_ms")),
        ("latency_daily", ("service_id", "observed_on", "valid_count", "fast_count")),
        ("signal_hours", ("service_id", "signal", "observed_on", "hours_with_data")),
    ):
        said = {}
        for name, scope in scopes.items():
            settings, organisation = connected(text.format(scope))
            settings = replace(settings, home=settings.home / name)
            (result,) = pull_stream(settings, organisation, stream)
            assert result.error is None
            rows = landed(settings, stream)
            if stream == "signal_hours":
                # Audit logs are in workspaces only.
                rows = rows.filter(pl.col("signal") != "security")
            said[name] = table(rows, *columns)
        assert said["workspace"] == said["resource"]
        assert said["resource"]


def test_jira_service_management_says_what_opsgenie_said(connected):
    text = """
[[connector]]
name = "duty"
kind = "oncall"
dialect = "{}"
streams = ["alerts", "oncall_shifts"]
from = 2026-11-02
url = "$SIMULATOR/oncall"
token_env = "SIMULATOR_TOKEN"
user_env = "SIMULATOR_TOKEN"
cloud_id = "c1"
schedules = {{ "vakt-maskinrommet" = "maskinrommet" }}
"""
    for stream in ("alerts", "oncall_shifts"):
        said = []
        for dialect in ("opsgenie", "jsm"):
            settings, organisation = connected(text.format(dialect))
            settings = replace(settings, home=settings.home / dialect)
            (result,) = pull_stream(settings, organisation, stream)
            assert result.error is None
            # Who acknowledged stands in Opsgenie's report only; instants have milliseconds in both.
            frame = landed(settings, stream).drop("_line", "acknowledged_by_kind", strict=False)
            said.append(table(frame.filter(pl.col("_reason").is_null()), *frame.columns))
        assert said[0] == said[1]
        assert said[0]


def test_releases_and_restore_runs(connected):
    text = """
[[connector]]
name = "releases"
kind = "github"
streams = ["deployments", "restore_tests"]
from = 2026-11-02
url = "$SIMULATOR/github"
owner = "kystetaten"
repositories = ["sjokart-api"]
token_env = "SIMULATOR_TOKEN"
deployed_by = "releases"
restore_files = []
"""
    settings, organisation = connected(text)
    for stream in ("deployments", "restore_tests"):
        (result,) = pull_stream(settings, organisation, stream)
        assert result.error is None
    made = landed(settings, "deployments")
    assert made.height > 0
    assert set(made["environment"]) == {"production"}
    assert made.filter(~pl.col("deployed_at").is_between(START, local(END_DAY, 0))).height == 0
    (row,) = landed(settings, "restore_tests").to_dicts()
    assert (row["datastore_id"], row["is_successful"]) == ("sjokart-api-db", True)
    assert (row["restored_at"] - row["requested_at"]).total_seconds() == 42 * 60


OTHERS = """
[[connector]]
name = "grafana"
kind = "grafana"
streams = ["alerts", "deployments"]
from = 2026-10-26
url = "$SIMULATOR/grafana"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "azure"
kind = "azure_resources"
streams = ["alerts", "restore_tests", "alert_rule_states"]
from = 2026-10-26
url = "$SIMULATOR/arm"
subscriptions = ["11111111-1111-1111-1111-111111111111"]

[[connector]]
name = "opsgenie"
kind = "oncall"
dialect = "opsgenie"
streams = ["incidents"]
from = 2026-10-26
url = "$SIMULATOR/oncall"
token_env = "SIMULATOR_TOKEN"

[[connector]]
name = "pagerduty"
kind = "pagerduty"
streams = ["alerts", "incidents", "oncall_shifts"]
from = 2026-10-26
url = "$SIMULATOR/pagerduty"
token_env = "SIMULATOR_TOKEN"
schedules = { "vakt-maskinrommet" = "maskinrommet" }
test_services = []

[[connector]]
name = "prometheus"
kind = "prometheus"
streams = ["alerts"]
from = 2026-10-26
url = "$SIMULATOR/prometheus"
alertmanager_url = "$SIMULATOR/alertmanager"
token_env = "SIMULATOR_TOKEN"
remembers_days = 60

[[connector]]
name = "page"
kind = "statuspage"
streams = ["incident_reports"]
url = "$SIMULATOR/support"

[[connector]]
name = "github"
kind = "github"
streams = ["update_merges", "dependency_updates", "repository_states", "security_alerts"]
from = 2026-10-26
url = "$SIMULATOR/github"
owner = "kystetaten"
token_env = "SIMULATOR_TOKEN"
"""


def pull_other(connected, stream: str, origin: str) -> pl.DataFrame:
    settings, organisation = connected(OTHERS)
    settings = replace(settings, home=settings.home / f"{stream}-{origin}")
    (result,) = pull_stream(settings, organisation, stream, origins=(origin,))
    assert result.error is None
    return landed(settings, stream)


def recent(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [row for row in rows if row[column] is not None and row[column] >= local(date(2026, 10, 26), 0)]


@pytest.mark.parametrize("origin", ["grafana", "azure"])
def test_alerts_of_machines(connected, records, origin):
    found = pull_other(connected, "alerts", origin)
    columns = ("service_id", "rule_id", "fired_at", "closed_at")
    assert table(found, *columns) == table(recent(records.rows["alerts"], "fired_at"), *columns)


def test_deploy_annotations(connected, records):
    found = pull_other(connected, "deployments", "grafana")
    columns = ("service_id", "environment", "deployed_at")
    assert table(found, *columns) == table(recent(records.rows["deployments"], "deployed_at"), *columns)


def test_incidents_of_opsgenie(connected, records):
    found = pull_other(connected, "incidents", "opsgenie")
    columns = ("service_id", "severity", "declared_at", "resolved_at")
    assert table(found, *columns) == table(recent(records.rows["incidents"], "declared_at"), *columns)
    assert found["first_alert_at"].null_count() == found.height, "no answer of Opsgenie says when it was detected"


def test_firing_runs_of_prometheus(connected, records):
    found = pull_other(connected, "alerts", "prometheus")
    rows = recent(records.rows["alerts"], "fired_at")
    columns = ("service_id", "rule_id", "severity", "fired_at")
    assert table(found, *columns) == table(rows, *columns)
    # It has a sample a minute: the end is the minute after the last one.
    ends = {row["closed_at"] and row["closed_at"].replace(second=0, microsecond=0) for row in rows}
    assert {end and end.timestamp() // 60 - 1 for end in found["closed_at"]} == {
        end and end.timestamp() // 60 for end in ends
    }


def test_pages_incidents_and_duties_of_pagerduty(connected, records):
    found = pull_other(connected, "alerts", "pagerduty")
    columns = ("service_id", "fired_at", "acknowledged_at", "acknowledged_by_kind", "closed_at")
    expected = [
        row | {"acknowledged_by_kind": "human" if row["acknowledged_at"] else None}
        for row in recent(records.rows["alerts"], "fired_at")
    ]
    assert table(found, *columns) == table(expected, *columns)
    incidents = pull_other(connected, "incidents", "pagerduty")
    asked = ("service_id", "severity", "declared_at", "resolved_at")
    assert table(incidents, *asked) == table(recent(records.rows["incidents"], "declared_at"), *asked)
    duties = pull_other(connected, "oncall_shifts", "pagerduty")
    mine = [row for row in recent(records.rows["oncall_shifts"], "starts_at") if row["team_id"] == "maskinrommet"]
    counted = ("team_id", "starts_at", "ends_at", "responder_count")
    assert table(duties, *counted) == table(mine, *counted)


def test_restore_jobs_and_rules_of_azure(connected, records):
    found = pull_other(connected, "restore_tests", "azure")
    assert found["verified_at"].null_count() == found.height, "nobody verified a restore job"
    rules = pull_other(connected, "alert_rule_states", "azure")
    columns = ("service_id", "kind", "is_enabled", "is_paging", "is_routed")
    expected = [
        row | {"is_paging": row["is_paging"] and row["is_routed"]} for row in records.newest("alert_rule_states")
    ]
    assert table(rules, *columns) == table(expected, *columns)


def test_reports_of_a_status_page_keep_their_offsets(connected, records):
    found = pull_other(connected, "incident_reports", "page")
    large = sorted(
        (row for row in records.rows["incidents"] if row["severity"] <= 2), key=lambda r: r["declared_at"], reverse=True
    )
    expected = [{"started_at": row["declared_at"], "resolved_at": row["resolved_at"]} for row in large[:50]]
    assert table(found, "started_at", "resolved_at") == table(expected, "started_at", "resolved_at")


def test_merged_updates_package_by_package(connected, records):
    rows = recent(records.rows["update_episodes"], "applied_at")
    merges = pull_other(connected, "update_merges", "github")
    assert merges.height == len(rows)
    assert set(merges["is_dependency_update"]) == {True}
    updates = pull_other(connected, "dependency_updates", "github")
    columns = ("repository", "package")
    assert table(updates, *columns) == table(rows, *columns)
    assert set(updates["ecosystem"]) == {"npm"}


def test_scanner_alerts_and_states(connected, records):
    alerts = pull_other(connected, "security_alerts", "github")
    assert set(alerts["kind"]) == {"code_scanning", "secret_scanning"}
    assert set(alerts.filter(pl.col("kind") == "code_scanning")["severity"]) == {"high"}
    states = pull_other(connected, "repository_states", "github")
    enabled = {row["repository"]: row["is_bot_enabled"] for row in records.rows["repository_states"]}
    assert {row["repository"]: row["is_bot_enabled"] for row in states.iter_rows(named=True)} == enabled


def test_every_day_is_covered_once(connected):
    settings, organisation = connected()
    (result,) = pull_stream(settings, organisation, "availability_checks", origins=("prometheus",))
    covered = [day for load in result.loads for day in days(load.window_start, load.window_end)]
    assert covered == days(FROM, END_DAY)
    (again,) = pull_stream(settings, organisation, "availability_checks", origins=("prometheus",))
    assert (again.loads, again.unchanged) == ((), 0), "what was pulled an hour ago is not asked for again"

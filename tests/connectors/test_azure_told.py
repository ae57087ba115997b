"""What Azure really says, case by case: official examples as tables of Resource Graph, the shipped KQL run on them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from azure.monitor.query import LogsQueryError, LogsQueryPartialResult
from azure.monitor.querymetrics import MetricsQueryResult

from opsmetrics.core.errors import SourceError
from opsmetrics.sources.azure import client as azure_client
from opsmetrics.sources.azure import graph, logs, metrics, resources
from opsmetrics.sources.azure.alerting import UNTOLD
from opsmetrics.sources.azure.backup import UNKNOWN_STATE, UNSEEN_VAULT
from opsmetrics.sources.azure.jobs import UNKNOWN_STATUS
from simulator.servers.kusto import Engine
from simulator.servers.resourcegraph import TABLES
from tests.connectors.told import asking, fetched, landed, told_and_landed

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
OTHER = "/subscriptions/22222222-2222-2222-2222-222222222222"
DATABASE = f"{SUB}/resourceGroups/rg/providers/Microsoft.DBforPostgreSQL/flexibleServers/db"
VAULT = f"{OTHER}/resourceGroups/rg/providers/Microsoft.DataProtection/backupVaults/v"
RECOVERY = f"{OTHER}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/r"
RULES = f"{SUB}/resourceGroups/rg/providers/Microsoft.Insights"
SETTINGS: dict[str, Any] = {"subscriptions": ["11111111-1111-1111-1111-111111111111"]}
DAY = (date(2026, 8, 31), date(2026, 9, 1))
GROUP = {"actionGroupId": f"{SUB}/resourceGroups/rg/providers/microsoft.insights/actionGroups/on-duty"}


def resource(identity: str, kind: str, properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "name": more.pop("name", identity.rsplit("/", 1)[-1]),
        "type": kind.lower(),
        "location": more.pop("location", "norwayeast"),
        "subscriptionId": identity.split("/")[2],
        "properties": json.dumps(properties),
        "tags": json.dumps(more.pop("tags", {})),
    }


@pytest.fixture
def azure(small, monkeypatch):
    """Put resources into the tables of Resource Graph, and ask a connector for a stream of them."""

    def asked(stream: str, days: tuple[date, date] = DAY, **tables: list[dict[str, Any]]):
        none = resource(f"{SUB}/none/none", "none", {})
        frames = {name: pl.DataFrame([*tables.get(name, []), none]) for name in TABLES}
        engine = Engine(frames, json_columns=("properties", "tags"))

        def query(request, name, _url, _subscriptions):
            columns, rows = engine.run(azure_client.rendered(name, request.starts_at, request.ends_at))
            return [dict(zip([column["name"] for column in columns], row, strict=True)) for row in rows]

        monkeypatch.setattr(graph, "query", query)
        answer, rows = told_and_landed(small, "azure_resources", stream, days, **SETTINGS)
        return answer, rows.to_dicts()

    return asked


class Client(SimpleNamespace):
    """A stand-in for a client of the vendor's packages, which is its own context."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Nothing is held."""


def job(name: str, kind: str = "protection", **properties: Any) -> dict[str, Any]:
    """A job in the form of the official examples; the vault's kind decides which fields it has."""
    common = {"startTime": "2026-08-31T05:00:08.1746833Z", "duration": "00:02:11.9724387"}
    if kind == "protection":
        common |= {"operationCategory": "Backup", "operation": "Backup", "dataSourceId": DATABASE}
        return resource(
            f"{VAULT}/backupJobs/{name}", "Microsoft.DataProtection/Backupvaults/backupJobs", common | properties
        )
    common |= {"operation": "Backup", "entityFriendlyName": "db", "jobType": "AzureIaaSVMJob"}
    return resource(
        f"{RECOVERY}/backupJobs/{name}", "Microsoft.RecoveryServices/vaults/backupJobs", common | properties
    )


@pytest.mark.parametrize(
    ("status", "usable"),
    [
        ("Succeeded", True),
        ("Completed", True),
        ("CompletedWithWarnings", True),
        ("Completed with warnings", True),
        ("SuccessWithWarning", True),
        ("Failed", False),
        ("Cancelled", False),
        ("Started", None),
        ("InProgress", None),
        ("Cancelling", None),
    ],
)
@pytest.mark.parametrize("kind", ["protection", "recovery"])
def test_a_running_job_is_neither_ended_nor_failed(azure, kind, status, usable):
    found, rows = azure("recovery_points", recoveryservicesresources=[job("1", kind, status=status)])
    assert [row["is_usable"] for row in rows] == ([] if usable is None else [usable])
    assert [row["datastore_id"] for row in rows] == ([] if usable is None else ["db"])
    assert not found.counted


def test_a_state_that_azure_does_not_have_is_left_out_and_counted(azure):
    found, rows = azure("recovery_points", recoveryservicesresources=[job("1", status="Splendid")])
    assert rows == []
    assert found.counted == {UNKNOWN_STATUS: 1}


@pytest.mark.parametrize(
    ("kind", "properties", "makes"),
    [
        ("protection", {"operationCategory": "Backup", "operation": "Scheduled full"}, "recovery_points"),
        ("protection", {"operationCategory": "Restore", "operation": "OLR"}, "restore_tests"),
        ("protection", {"operationCategory": "Management", "operation": "ConfigureBackup"}, None),
        ("protection", {"operationCategory": "Tiering", "operation": "Backup to archive"}, None),
        ("recovery", {"operation": "Backup"}, "recovery_points"),
        ("recovery", {"operation": "Backup (Log)"}, "recovery_points"),
        ("recovery", {"operation": "Restore"}, "restore_tests"),
        ("recovery", {"operation": "CrossRegionRestore"}, "restore_tests"),
        # Each of these was a usable recovery point: its name has "backup" in it.
        ("recovery", {"operation": "DeleteBackupData"}, None),
        ("recovery", {"operation": "DisableBackup"}, None),
        ("recovery", {"operation": "ConfigureBackup"}, None),
        ("recovery", {"operation": "Undelete"}, None),
    ],
)
def test_only_what_takes_a_backup_makes_a_recovery_point(azure, kind, properties, makes):
    jobs = [job("1", kind, status="Completed", endTime="2026-08-31T05:30:00Z", **properties)]
    for stream in ("recovery_points", "restore_tests"):
        _, rows = azure(stream, recoveryservicesresources=jobs)
        assert len(rows) == (stream == makes)


def test_restores_that_run_or_were_cancelled_are_no_tests(azure):
    restore = {"operationCategory": "Restore", "operation": "Restore"}
    jobs = [job(status, status=status, **restore) for status in ("Started", "Cancelled", "Failed", "Succeeded")]
    _, rows = azure("restore_tests", recoveryservicesresources=jobs)
    assert {row["test_id"]: row["is_successful"] for row in rows} == {"Failed": False, "Succeeded": True}


def test_a_job_without_data_source_is_set_aside_and_the_others_are_read(azure):
    jobs = [job("1", status="Completed", dataSourceId=""), job("2", status="Completed")]
    _, rows = azure("recovery_points", recoveryservicesresources=jobs)
    assert sorted((row["datastore_id"] or "", row["_reason"]) for row in rows) == [
        ("", "datastore_id: missing"),
        ("db", None),
    ]


def instance(
    name: str, state: str = "ProtectionConfigured", region: str = "", source: str = DATABASE
) -> dict[str, Any]:
    info = {"datasourceType": "OssDB", "resourceID": source, "resourceLocation": region, "resourceName": "db"}
    properties = {"friendlyName": name, "currentProtectionState": state, "dataSourceInfo": info}
    return resource(
        f"{VAULT}/backupInstances/{name}", "Microsoft.DataProtection/backupVaults/backupInstances", properties
    )


def vault(kind: str = "LocallyRedundant", lock: str | None = "Locked", location: str = "norwaywest") -> dict[str, Any]:
    security = {"immutabilitySettings": {"state": lock}} if lock else {}
    properties = {"storageSettings": [{"type": kind, "datastoreType": "VaultStore"}], "securitySettings": security}
    return resource(VAULT, "Microsoft.DataProtection/backupVaults", properties, location=location)


FLAGS = ("has_own_identity", "is_immutable_or_offline", "is_other_region")


@pytest.mark.parametrize(
    ("item", "kept_in", "flags"),
    [
        (instance("i", region="norwayeast"), vault(), (True, True, True)),
        (instance("i", region="norwaywest"), vault(), (True, True, False)),
        # An empty region is not another one.
        (instance("i"), vault(), (True, True, None)),
        (instance("i"), vault("GeoRedundant"), (True, True, True)),
        (instance("i", region="norwayeast"), vault(lock="Unlocked"), (True, False, True)),
        (instance("i", region="norwayeast"), vault(lock=None), (True, None, True)),
        (instance("i", region="norwayeast", source="db"), vault(), (None, True, True)),
        (instance("i", "ProtectionError", "norwayeast"), vault(), (True, True, True)),
        (instance("i", "BackupSchedulesSuspended", "norwayeast"), vault(), (True, True, True)),
    ],
)
def test_what_a_copy_adds_or_is_not_known_to_add(azure, item, kept_in, flags):
    _, (row,) = azure("backup_copies", resources=[kept_in], recoveryservicesresources=[item])
    assert (row["_reason"], row["datastore_id"]) == (None, "db")
    assert tuple(row[name] for name in FLAGS) == flags


def test_items_without_copies_are_none_and_one_of_an_unseen_vault_is_told(azure):
    states = ("NotProtected", "ConfiguringProtection", "SoftDeleted", "Wonderful")
    items = [instance(state, state) for state in states] + [instance("i", region="norwayeast")]
    found, (row,) = azure("backup_copies", recoveryservicesresources=items)
    assert tuple(row[name] for name in FLAGS) == (True, None, None)
    assert found.counted == {UNKNOWN_STATE: 1, UNSEEN_VAULT: 1}


def test_items_of_recovery_services_are_asked_for_too(azure):
    machine = f"{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/db"
    item = resource(
        f"{RECOVERY}/backupFabrics/Azure/protectionContainers/c/protectedItems/VM;iaasvmcontainerv2;rg;db",
        "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
        {"protectionState": "Protected", "sourceResourceId": machine, "backupManagementType": "AzureIaasVM"},
    )
    redundancy = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Enabled"}
    security = {"immutabilitySettings": {"state": "Locked"}}
    properties = {"redundancySettings": redundancy, "securitySettings": security}
    kept_in = resource(RECOVERY, "Microsoft.RecoveryServices/vaults", properties)
    _, (row,) = azure("backup_copies", resources=[kept_in], recoveryservicesresources=[item])
    assert (row["datastore_id"], *(row[name] for name in FLAGS)) == ("db", True, True, True)


def test_what_was_deleted_in_a_recovery_services_vault_is_no_copy(azure):
    """It stays for 14 days, as an item whose protection stopped: Azure's own tests of ``az backup`` show it so."""

    def item(name: str, **more: Any) -> dict[str, Any]:
        machine = f"{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/{name}"
        return resource(
            f"{RECOVERY}/backupFabrics/Azure/protectionContainers/c/protectedItems/VM;iaasvmcontainerv2;rg;{name}",
            "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
            {"protectionState": "ProtectionStopped", "sourceResourceId": machine} | more,
        )

    told = {"kept": {}, "back": {"isScheduledForDeferredDelete": False}, "gone": {"isScheduledForDeferredDelete": True}}
    items = [item(name, **more) for name, more in told.items()]
    found, rows = azure("backup_copies", recoveryservicesresources=items)
    assert sorted(row["datastore_id"] for row in rows) == ["back", "kept"]
    assert found.counted == {UNSEEN_VAULT: 2}


def rule(kind: str = "metricAlerts", tags: dict[str, str] | None = None, **properties: Any) -> dict[str, Any]:
    criteria = {"odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria", "allOf": []}
    common = {"enabled": True, "severity": 1, "scopes": [DATABASE], "criteria": criteria}
    return resource(
        f"{RULES}/{kind}/slow", f"Microsoft.Insights/{kind}", common | properties, tags=tags or {"service": "web"}
    )


def processing(**properties: Any) -> dict[str, Any]:
    identity = f"{SUB}/resourceGroups/rg/providers/Microsoft.AlertsManagement/actionRules/all"
    action = {"actionType": "AddActionGroups", "actionGroupIds": [GROUP["actionGroupId"]]}
    common = {"enabled": True, "scopes": [SUB], "actions": [action]}
    return resource(identity, "Microsoft.AlertsManagement/actionRules", common | properties)


SILENCE = {"actionType": "RemoveAllActionGroups"}


@pytest.mark.parametrize(
    ("resources", "routed"),
    [
        ([rule(actions=[GROUP])], True),
        ([rule(actions=[])], False),
        ([rule()], False),
        ([rule("scheduledQueryRules", actions={"actionGroups": [GROUP["actionGroupId"]]})], True),
        # The form of a log alert that tells nobody: it was routed.
        ([rule("scheduledQueryRules", actions={"actionGroups": []})], False),
        ([rule("scheduledQueryRules", actions={"customProperties": {}})], False),
        # Action groups that an alert processing rule adds.
        ([rule(actions=[]), processing()], True),
        ([rule(actions=[]), processing(scopes=[f"{SUB}/resourceGroups/rg"])], True),
        ([rule(actions=[]), processing(scopes=[f"{SUB}/resourceGroups/r"])], False),
        ([rule(actions=[]), processing(enabled=False)], False),
        ([rule(actions=[]), processing(actions=[{"actionType": "RemoveAllActionGroups"}])], False),
        # Suppressed for good; under conditions that may fit; for a window of maintenance.
        ([rule(actions=[GROUP]), processing(actions=[SILENCE])], False),
        ([rule(actions=[GROUP]), processing(actions=[SILENCE], scopes=[f"{SUB}/resourceGroups/r"])], True),
        ([rule(actions=[GROUP]), processing(actions=[SILENCE], conditions=[{"field": "Severity"}])], None),
        ([rule(actions=[GROUP]), processing(actions=[SILENCE], schedule={"timeZone": "UTC"})], True),
        ([rule(actions=[]), processing(conditions=[{"field": "Severity", "operator": "Equals"}])], None),
        ([rule(actions=[]), processing(schedule={"timeZone": "UTC"})], None),
    ],
)
def test_a_rule_is_routed_where_an_action_group_is_told(azure, resources, routed):
    _, (row,) = azure("alert_rule_states", resources=resources)
    assert (row["is_routed"], row["is_paging"]) == (routed, routed)


@pytest.mark.parametrize(("threshold", "share"), [(85, 0.85), (100.0, 1.0), (800_000_000, None)])
def test_only_a_threshold_in_percent_is_a_share(azure, threshold, share):
    condition = {"metricName": "memory_percent", "threshold": threshold}
    _, (row,) = azure("alert_rule_states", resources=[rule(criteria={"allOf": [condition]})])
    assert (row["kind"], row["threshold_ratio"]) == ("saturation", share)


def test_a_percentile_in_a_query_is_no_saturation(azure):
    condition = {"query": "AppRequests | summarize percentile(DurationMs, 95)", "threshold": 60}
    _, (row,) = azure("alert_rule_states", resources=[rule("scheduledQueryRules", criteria={"allOf": [condition]})])
    assert (row["kind"], row["threshold_ratio"]) == ("other", None)


def test_a_rule_that_makes_a_metric_of_logs_is_no_alert_rule(azure):
    """Kind LogToMetric: only of it the description knows a name of a metric, and no operator."""
    query = {"query": "Heartbeat", "dimensions": []}
    recording = rule("scheduledQueryRules", criteria={"allOf": [query | {"metricName": "Alive"}]})
    alerting = rule("scheduledQueryRules", criteria={"allOf": [query | {"operator": "GreaterThan", "threshold": 1}]})
    assert [len(azure("alert_rule_states", resources=[one])[1]) for one in (recording, alerting)] == [0, 1]


def placed(group: str, kind: str = "metricAlerts", **more: Any) -> dict[str, Any]:
    found = rule(kind, **more)
    return found | {"id": found["id"].replace("/rg/", f"/{group}/")}


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        # The same template in two environments: names of rules are unique in a resource group.
        ([placed("prod", actions=[GROUP]), placed("Test")], ["prod/slow", "test/slow"]),
        ([placed("prod", actions=[GROUP]), placed("prod", "scheduledQueryRules")],
         ["prod/metricalerts/slow", "prod/scheduledqueryrules/slow"]),
        ([placed("prod"), placed("test", tags={"service": "db"})], ["slow", "slow"]),
    ],
)  # fmt: skip
def test_rules_of_one_name_and_service_are_told_apart_in_states_and_alerts(azure, rules, names):
    _, rows = azure("alert_rule_states", resources=rules)
    assert sorted((row["rule_id"], row["_reason"]) for row in rows) == [(name, None) for name in names]
    kind = "Microsoft.AlertsManagement/alerts"
    essentials = {"severity": "Sev1", "monitorCondition": "Fired", "startDateTime": "2026-08-31T08:00:00Z"}
    fired = [
        resource(
            f"{SUB}/{kind}/{number}",
            kind,
            {"essentials": essentials | {"alertRule": told["id"], "targetResource": DATABASE}},
        )
        for number, told in enumerate(rules)
    ]
    _, alerts = azure("alerts", alertsmanagementresources=fired, resources=rules)
    assert [row["rule_id"] for row in sorted(alerts, key=lambda row: row["alert_id"])] == names


@pytest.mark.parametrize(
    ("stream", "kind", "one", "other", "ids"),
    [
        ("component_states", "Microsoft.ContainerService/managedClusters", {"currentKubernetesVersion": "1.31.1"},
         {"currentKubernetesVersion": "1.33.1"}, ["prod/x", "test/x"]),
        ("workload_states", "Microsoft.App/containerApps", {"template": {"scale": {"minReplicas": 2}}},
         {"template": {"scale": {"minReplicas": 0}}}, ["prod/x", "test/x"]),
    ],
)  # fmt: skip
def test_resources_of_one_name_in_two_groups_are_two(azure, stream, kind, one, other, ids):
    told = [
        resource(f"{SUB}/resourceGroups/{group}/providers/{kind}/x", kind, properties, tags={"service": "web"})
        for group, properties in (("Prod", one), ("test", other))
    ]
    key = {"component_states": "component_id", "workload_states": "workload_id"}[stream]
    _, rows = azure(stream, resources=told)
    assert {(row[key], row["_reason"]) for row in rows} >= {(name, None) for name in ids}
    _, rows = azure(stream, resources=told[:1])
    assert "x" in {row[key] for row in rows}


def test_alerts_of_one_name_in_a_group_are_told_apart_by_their_severity(azure):
    """As rules of Prometheus are written: a warning and a page."""
    rules = [{"alert": "Slow", "severity": 3}, {"alert": "Slow", "severity": 1, "actions": [GROUP]}]
    kind = "Microsoft.AlertsManagement/prometheusRuleGroups"
    identity = f"{SUB}/resourceGroups/rg/providers/{kind}/Billing"
    group = resource(identity, kind, {"enabled": True, "scopes": [SUB], "rules": rules}, tags={"service": "web"})
    _, rows = azure("alert_rule_states", resources=[group])
    told = sorted((row["rule_id"], row["is_paging"], row["_reason"]) for row in rows)
    assert told == [("billing/slow/sev1", True, None), ("billing/slow/sev3", False, None)]
    essentials = {"severity": "Sev1", "monitorCondition": "Fired", "startDateTime": "2026-08-31T08:00:00Z"}
    essentials |= {"alertRule": identity, "targetResource": DATABASE}
    alert = resource(f"{SUB}/x/1", "Microsoft.AlertsManagement/alerts", {"essentials": essentials}, name="Slow")
    _, (row,) = azure("alerts", alertsmanagementresources=[alert], resources=[group])
    assert row["rule_id"] == "billing/slow/sev1"


def test_each_alert_of_a_group_of_prometheus_rules_is_a_rule(azure):
    """The official example: one rule records, one alerts; more rules as groups have them."""
    rules = [
        {"record": "job_type:billing:99p5m", "expression": "histogram_quantile(0.99, x)", "labels": {"team": "prod"}},
        {"alert": "Very_Slow", "expression": "x > 30", "severity": 1, "for": "PT5M", "actions": [GROUP]},
        {"alert": "Off", "expression": "x > 60", "enabled": False, "labels": {"service": "db", "kind": "burn_rate"}},
    ]
    group = resource(
        f"{SUB}/resourceGroups/rg/providers/Microsoft.AlertsManagement/prometheusRuleGroups/Billing",
        "Microsoft.AlertsManagement/prometheusRuleGroups",
        {"enabled": True, "interval": "PT10M", "scopes": [f"{SUB}/x"], "rules": rules},
        tags={"service": "web"},
    )
    _, rows = azure("alert_rule_states", resources=[group])
    seen = {
        row["rule_id"]: tuple(row[name] for name in ("service_id", "kind", "is_enabled", "is_routed", "is_paging"))
        for row in rows
    }
    assert seen == {
        "billing/very_slow": ("web", "other", True, True, True),
        "billing/off": ("db", "burn_rate", False, False, False),
    }


@pytest.mark.parametrize(("condition", "is_closed"), [("Resolved", True), ("Fired", False)])
def test_a_time_of_resolving_may_stand_at_an_alert_that_fires(azure, condition, is_closed):
    """As in the official example."""
    essentials = {
        "severity": "Sev3",
        "monitorCondition": condition,
        "alertRule": f"{RULES}/metricAlerts/slow",
        "targetResource": DATABASE,
        "startDateTime": "2026-08-31T08:00:00Z",
        "monitorConditionResolvedDateTime": "2026-08-31T08:00:00Z",
    }
    kind = "Microsoft.AlertsManagement/alerts"
    alert = resource(f"{SUB}/providers/{kind}/6611", kind, {"essentials": essentials}, name="slow")
    _, (row,) = azure("alerts", alertsmanagementresources=[alert])
    assert (row["closed_at"] is not None) == is_closed


PROMETHEUS = "Microsoft.AlertsManagement/prometheusRuleGroups"


def graded(**actions: Any) -> dict[str, Any]:
    """A group of Prometheus rules: a warning that tells nobody, and a page with these actions."""
    rules = [{"alert": "Slow", "severity": 3, "actions": []}, {"alert": "slow", "severity": 1, **actions}]
    identity = f"{SUB}/resourceGroups/rg/providers/{PROMETHEUS}/group"
    return resource(identity, PROMETHEUS, {"enabled": True, "scopes": [SUB], "rules": rules})


@pytest.mark.parametrize(
    ("told", "is_page"),
    [
        ([rule(actions=[])], False),
        ([rule(actions=[GROUP])], True),
        ([rule("scheduledQueryRules", actions={"actionGroups": []})], False),
        # Neither a rule that does not say it nor one that was deleted is known to tell nobody.
        ([rule()], True),
        ([], True),
        ([rule(actions=[]), processing()], True),
        ([rule(actions=[]), processing(conditions=[{"field": "Severity"}])], True),
        # The alert itself says whether it was suppressed: what silences the rule now may be younger.
        ([rule(actions=[GROUP]), processing(actions=[SILENCE])], True),
        ([graded(actions=[GROUP])], True),
        ([graded(actions=[])], False),
        ([graded()], True),
    ],
)
def test_an_alert_of_which_no_action_group_was_told_is_no_page(azure, told, is_page):
    identity = told[0]["id"] if told else f"{RULES}/metricAlerts/slow"
    essentials = {"severity": "Sev1", "monitorCondition": "Fired", "startDateTime": "2026-08-31T08:00:00Z"}
    essentials |= {"alertRule": identity, "targetResource": DATABASE}
    alert = resource(f"{SUB}/x/1", "Microsoft.AlertsManagement/alerts", {"essentials": essentials}, name="Slow")
    answer, rows = azure("alerts", alertsmanagementresources=[alert], resources=told)
    assert (len(rows), answer.counted) == ((1, {}) if is_page else (0, {UNTOLD: 1}))


@pytest.mark.parametrize(
    ("said", "resolves", "is_over"),
    [
        # All alerts of the activity log are without state, and fired for ever.
        ({"monitorService": "ActivityLog Administrative"}, None, True),
        ({"monitorService": "ServiceHealth", "isStatefulAlert": True}, None, True),
        ({"monitorService": "Resource Health"}, None, True),
        ({"monitorService": "Log Alerts V2", "isStatefulAlert": False}, True, True),
        ({"monitorService": "Log Alerts V2", "isStatefulAlert": True}, False, False),
        # An alert that does not say it: its rule does.
        ({"monitorService": "Platform"}, False, True),
        ({"monitorService": "Platform"}, True, False),
        ({"monitorService": "Platform"}, None, False),
    ],
)
def test_an_alert_without_a_state_is_over_with_its_instant(azure, said, resolves, is_over):
    essentials = {
        "severity": "Sev1",
        "monitorCondition": "Fired",
        "alertRule": f"{RULES}/metricAlerts/slow",
        "targetResource": DATABASE,
        "startDateTime": "2026-08-31T08:00:00Z",
        **said,
    }
    kind = "Microsoft.AlertsManagement/alerts"
    alert = resource(f"{SUB}/providers/{kind}/6611", kind, {"essentials": essentials}, name="slow")
    properties = {"enabled": True, "severity": 1, "scopes": [DATABASE], "criteria": {}, "autoMitigate": resolves}
    own = resource(f"{RULES}/metricAlerts/Slow", "Microsoft.Insights/metricAlerts", properties)
    _, (row,) = azure("alerts", alertsmanagementresources=[alert], resources=[own])
    assert row["closed_at"] == (row["fired_at"] if is_over else None)


def test_of_web_tests_of_one_name_the_rarest_says_how_many_runs_there_are(small, monkeypatch):
    """As in test and production: where the other one counted, a test that ran as it should was unknown for ever."""
    rare, often = (
        {"name": f"ping-{n}", "testName": "ping", "enabled": True, "locations": n, "frequency": 300} for n in (1, 5)
    )
    for told in ([rare, often], [often, rare, often | {"enabled": False, "locations": 1, "frequency": 900}]):
        monkeypatch.setattr(resources, "query", lambda *_, told=told: told)
        request = asking(small, "azure_logs", "availability_checks", workspaces=["w"], subscriptions=["s"])
        assert resources.web_tests(request) == {"ping": 0.2, "ping-1": 0.2, "ping-5": 1.0}


def test_rules_without_a_service_are_left_out_and_counted(azure):
    found, rows = azure("alert_rule_states", resources=[rule(tags={"team": "x"}), rule("scheduledQueryRules")])
    assert len(rows) == 1
    assert found.counted == {"alert rules left out, without the tag service": 1}


def test_an_alert_of_a_prometheus_rule_names_its_rule(azure):
    group = f"{SUB}/resourceGroups/rg/providers/Microsoft.AlertsManagement/prometheusRuleGroups/Billing"
    essentials = {
        "severity": "Sev1",
        "monitorCondition": "Fired",
        "alertState": "New",
        "alertRule": group,
        "targetResource": f"{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/web",
        "startDateTime": "2026-08-31T08:00:00Z",
        "actionStatus": {"isSuppressed": False},
    }
    alert = resource(
        f"{SUB}/providers/Microsoft.AlertsManagement/alerts/6611",
        "Microsoft.AlertsManagement/alerts",
        {"essentials": essentials},
        name="Very_Slow",
    )
    _, (row,) = azure("alerts", alertsmanagementresources=[alert])
    assert (row["alert_id"], row["rule_id"], row["closed_at"]) == ("6611", "billing/very_slow", None)


@pytest.mark.parametrize(
    ("kind", "properties", "status"),
    [
        ("Microsoft.Compute/virtualMachines", {"osType": "Linux", "counts": {"security": 0, "other": 9}}, "passed"),
        ("Microsoft.Compute/virtualMachines", {"osType": "Linux", "counts": {"security": 1, "other": 0}}, "failed"),
        ("Microsoft.HybridCompute/machines", {"osType": "Linux", "counts": {"security": 0, "other": 0}}, "passed"),
        ("Microsoft.HybridCompute/machines", {"osType": "Windows", "counts": {"critical": 1, "security": 0}}, "failed"),
        ("Microsoft.Compute/virtualMachines", {"osType": "Windows", "counts": {"security": 0}}, "inconclusive"),
        ("Microsoft.Compute/virtualMachines", {"osType": "Linux"}, "inconclusive"),
        (
            "Microsoft.Compute/virtualMachines",
            {"osType": "Linux", "status": "Failed", "counts": {"security": 0}},
            "inconclusive",
        ),
    ],
)
def test_assessments_of_patches(azure, kind, properties, status):
    machine = f"{SUB}/resourceGroups/rg/providers/{kind}/vm"
    said = {"status": "Succeeded", **properties}
    if "counts" in said:
        said["availablePatchCountByClassification"] = said.pop("counts")
    assessed = resource(f"{machine}/patchAssessmentResults/latest", f"{kind}/patchAssessmentResults", said)
    tagged = resource(machine, kind, {}, tags={"service": "web"})
    _, (row,) = azure("control_results", resources=[tagged], patchassessmentresources=[assessed])
    assert (row["control_id"], row["status"]) == ("patch-assessment", status)


@pytest.mark.parametrize("word", ["Id", "id"])
def test_the_asset_of_an_assessment_is_found_however_it_is_spelt(azure, word):
    site = f"{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/web"
    properties = {
        "status": {"code": "Unhealthy"},
        "metadata": {"severity": "High"},
        "resourceDetails": {"Source": "Azure", word: site},
    }
    told = resource(f"{site}/providers/Microsoft.Security/assessments/a1", "Microsoft.Security/assessments", properties)
    tagged = resource(site, "Microsoft.Web/sites", {}, tags={"service": "web"})
    _, (row,) = azure("control_results", resources=[tagged], securityresources=[told])
    assert (row["control_id"], row["status"], row["risk"]) == ("a1", "failed", "high")


METRIC = {
    "resource": DATABASE,
    "region": "norwayeast",
    "namespace": "Microsoft.DBforPostgreSQL/flexibleServers",
    "metric": "cpu_percent",
    "service": "db",
    "resource_id": "db-cpu",
}


def measured(errors: str = "Success", unit: str = "Percent") -> dict[str, Any]:
    point = {"timeStamp": "2026-08-31T08:00:00Z", "maximum": 41.5}
    metric = {
        "id": f"{DATABASE}/providers/Microsoft.Insights/metrics/cpu_percent",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": "cpu_percent", "localizedValue": "CPU percent"},
        "unit": unit,
        "errorCode": errors,
        "timeseries": [{"metadatavalues": [], "data": [point]}] if errors == "Success" else [],
    }
    return {"resourceid": DATABASE, "value": [metric]}


@pytest.fixture
def batch(small, monkeypatch):
    def asked(body: dict[str, Any], **settings: Any):
        def query_resources(*, raw_response_hook, **_):
            raw_response_hook(SimpleNamespace(http_response=SimpleNamespace(json=lambda: body)))
            return [MetricsQueryResult._from_generated(value) for value in body["values"]]

        fake = Client(query_resources=query_resources)
        monkeypatch.setattr(metrics, "MetricsClient", lambda *_, **__: fake)
        monkeypatch.setattr(metrics, "credential", lambda _: None)
        return fetched(small, "azure_metrics", "capacity_samples", DAY, resources=[METRIC | settings])

    return asked


def test_a_metric_that_failed_is_not_complete_and_empty(batch):
    whole = batch({"values": [measured()]})
    assert [row["utilisation_ratio"] for row in whole.rows] == [0.415]
    assert (whole.is_complete, whole.notes) == (True, ())
    failed = batch({"values": [measured("InternalError")]})
    assert (failed.rows, failed.is_complete, failed.notes) == ([], False, ("db-cpu: InternalError",))
    silent = batch({"values": []})
    assert (silent.is_complete, silent.notes) == (False, ("db-cpu: no answer",))


def test_bytes_are_not_a_share_of_a_hundred(batch):
    with pytest.raises(SourceError, match="told in Bytes, not in percent"):
        batch({"values": [measured(unit="Bytes")]})
    (row,) = batch({"values": [measured(unit="Bytes")]}, limit=83).rows
    assert row["utilisation_ratio"] == 0.5


LOGS: dict[str, Any] = {"workspaces": ["33333333-3333-3333-3333-333333333333"]}


@pytest.mark.parametrize("value", ["NaN", None, "Infinity"])
def test_a_bin_whose_statistic_is_no_number_is_up_all_the_same(small, monkeypatch, value):
    row = {"ResourceId": "/x/ai", "TestName": "t", "Bin": datetime(2026, 8, 31, 8, tzinfo=UTC), "Runs": 1, "Ok": 1}
    row |= {"P95Ms": value, "LastReceived": datetime(2026, 8, 31, 8, 2, tzinfo=UTC)}
    monkeypatch.setattr(logs, "_query", lambda *_, **__: ([row], True))
    (found,) = landed(small, "azure_logs", "availability_checks", DAY, **LOGS).to_dicts()
    assert (found["_reason"], found["status"], found["response_ms"]) == (None, "up", None)


def test_jobs_of_the_logs_are_read_by_the_same_words(small, monkeypatch):
    at = datetime(2026, 8, 31, 8, tzinfo=UTC)
    said = [
        ("Backup", "Completed", DATABASE.lower()),
        ("Backup", "InProgress", DATABASE.lower()),
        ("DeleteBackupData", "Completed", DATABASE.lower()),
        ("Backup", "Splendid", DATABASE.lower()),
        ("Backup", "Failed", ""),
    ]
    rows = [
        {"JobUniqueId": str(n), "JobOperation": kind, "JobStatus": status, "JobStartDateTime": at, "DataSource": source}
        for n, (kind, status, source) in enumerate(said)
    ]
    monkeypatch.setattr(logs, "_query", lambda *_, **__: (rows, True))
    found = fetched(small, "azure_logs", "recovery_points", DAY, **LOGS)
    assert [(row["datastore_id"], row["is_usable"]) for row in found.rows] == [("db", True), (None, False)]
    assert found.counted == {UNKNOWN_STATUS: 1}


@pytest.mark.parametrize(
    ("inner", "asked"),
    [
        ({"code": "-2133196797", "message": "The results of this query exceed the set limit of 64000000 bytes"}, 15),
        ({"code": "-2146959361", "message": "A cluster could not be reached"}, 1),
    ],
)
def test_a_lasting_partial_error_is_asked_for_once(small, monkeypatch, inner, asked):
    """Halving mends what was too large, and nothing else: 15 questions for one answer that stays as it is."""
    questions: list[timedelta] = []
    details = [{"code": "EngineError", "message": "", "innererror": inner}]
    error = {"code": "PartialError", "message": "There were some errors", "details": details}

    def query_workspace(_scope, _text, *, timespan, **_):
        questions.append(timespan[1] - timespan[0])
        generated = {"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}], "error": error}
        return LogsQueryPartialResult._from_generated(generated, LogsQueryError)

    client = Client(query_workspace=query_workspace)
    monkeypatch.setattr(logs, "LogsQueryClient", lambda *_, **__: client)
    monkeypatch.setattr(logs, "credential", lambda _: None)
    request = asking(small, "azure_logs", "latency_daily", DAY, **LOGS)
    assert logs.latency_daily(request).is_complete is False
    assert len(questions) == asked

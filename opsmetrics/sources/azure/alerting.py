"""Alerts and alert rules in Azure Resource Graph (contracts, C1)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from opsmetrics.organisation.connectors.azure import AzureResources
from opsmetrics.sources.azure.graph import inventory, last_part, names_of
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Row = dict[str, Any]
# A percentile is a way to count, and fills nothing.
_SATURATION = re.compile(r"cpu|memory|storage|percent(?!ile)|usage", re.IGNORECASE)
_THRESHOLD = re.compile(r'"threshold"\s*:\s*([0-9.]+)')
# Thresholds above this are in bytes or pieces, not in percent.
_WHOLE_PERCENT = 100
_GROUP = "/prometheusrulegroups/"
# Services whose alerts all are of one instant: they tell of an event in the activity log.
_OF_AN_EVENT = ("activitylog", "servicehealth", "resourcehealth")
# A severity of a Prometheus rule that names none (the service's default).
_DEFAULT_SEVERITY = 3


def alerts(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return fired alerts. Closed is when the rule's condition ended; what people closed in the portal is not (C1).

    An alert without a state is of one instant, and over with it: Azure calls it fired for ever.
    """
    found = [row for row in inventory(request, "alerts") if not row["suppressed"]]
    rules = inventory(request, "alert_rules") if found else []
    # Whether a rule's alerts last until they are resolved, for alerts that do not say it.
    lasting, names = {row["id"].lower(): row["resolves"] for row in rules}, _Names(rules)
    rows: list[Row] = []
    for row in found:
        severity = int(row["severity"].removeprefix("Sev")) if row["severity"] else None
        rows.append(
            {
                "alert_id": last_part(row["id"]),
                "service_id": request.connector.service(last_part(row["target"])),
                "rule_id": names.of(row["rule"], row["name"], severity),
                "severity": severity,
                "fired_at": row["firedAt"],
                "closed_at": _closed_at(row, lasting),
                "is_test": False,
            }
        )
    return FetchResult(rows, source=f"{request.connector.url} alerts")


def _closed_at(row: Row, lasting: dict[str, bool | None]) -> Any:
    if row["condition"] == "Resolved":
        # The time may stand there while the alert fires.
        return row["resolvedAt"]
    is_of_an_event = (row["service"] or "").replace(" ", "").startswith(_OF_AN_EVENT)
    is_stateful = False if is_of_an_event else row["stateful"]
    if is_stateful is None:
        is_stateful = lasting.get(row["rule"])
    return row["firedAt"] if is_stateful is False else None


class _Names:
    """What rules are called: by their name, which may stand in several resource groups, and once for each severity.

    Where several of one service have a name, what stands before it in their ids tells them apart. Of a group of
    Prometheus rules the alert's own name says which.

    Args:
        rules: All rules of today.
    """

    def __init__(self, rules: list[Row]) -> None:
        # Rules without a service are left out.
        found = names_of(rules, lambda row: row["service"] or None)
        self._names = {identity: name.lower() for identity, name in found.items()}
        self._graded: dict[str, Counter[str]] = {
            row["id"].lower(): Counter(str(rule.get("alert")).lower() for rule in _json(row["rules"]) or ())
            for row in rules
        }

    def of(self, rule: str, alert: str | None, severity: int | None) -> str:
        """Return the name of a rule, or of the alert of a group.

        Args:
            rule: Id of the rule or group.
            alert: Name of the alert; only that of a group counts.
            severity: Of several alerts of a group with one name, which.
        """
        identity = rule.lower()
        name = self._names.get(identity, last_part(identity))
        if _GROUP not in identity or not alert:
            return name
        several = self._graded.get(identity, Counter())[alert.lower()] > 1 and severity is not None
        return f"{name}/{alert.lower()}" + (f"/sev{severity}" if several else "")


def alert_rule_states(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return every alert rule of today; the tags ``service`` and ``kind`` say what it guards.

    Each alert of a group of Prometheus rules is a rule, its labels before the group's tags; what only records is none.
    """
    processing = inventory(request, "alert_processing")
    rows: list[Row] = []
    rules = inventory(request, "alert_rules")
    names = _Names(rules)
    for row in rules:
        one = (
            _of_group(row, names)
            if row["type"].endswith("/prometheusrulegroups")
            else iter((row | {"name": names.of(row["id"], None, None)},))
        )
        rows += [_state(request, rule, processing) for rule in one if not _only_records(rule)]
    owned = [row for row in rows if row["service_id"]]
    counted = (
        {"alert rules left out, without the tag service": len(rows) - len(owned)} if len(owned) < len(rows) else {}
    )
    return FetchResult(owned, source=f"{request.connector.url} alert rules", counted=counted)


def _only_records(rule: Row) -> bool:
    """Whether a rule makes a metric of logs and alerts nobody: only such a one names the metric (kind LogToMetric)."""
    criteria = _json(rule["criteria"]) if str(rule.get("type")).endswith("/scheduledqueryrules") else None
    conditions = criteria.get("allOf") if isinstance(criteria, dict) else None
    return any(one.get("metricName") and not one.get("operator") for one in conditions or ())


def _of_group(group: Row, names: _Names) -> Iterator[Row]:
    for rule in _json(group["rules"]) or ():
        if not rule.get("alert"):
            continue
        labels, told = rule.get("labels") or {}, rule.get("severity")
        severity = _DEFAULT_SEVERITY if told is None else told
        yield {
            "name": names.of(group["id"], rule["alert"], severity),
            "enabled": group["enabled"] is not False and rule.get("enabled") is not False,
            "severity": severity,
            "actions": json.dumps(rule.get("actions") or []),
            "scopes": group["scopes"],
            # What a query looks for cannot be read from its text; the label says it.
            "criteria": "",
            "service": labels.get("service") or group["service"],
            "guards": labels.get("kind") or group["guards"],
        }


def _state(request: FetchRequest[AzureResources], row: Row, processing: list[Row]) -> Row:
    criteria = row["criteria"] or ""
    saturation = bool(_SATURATION.search(criteria))
    threshold = _THRESHOLD.search(criteria)
    kind = row["guards"] or ("probe" if "availability" in criteria.lower() else "saturation" if saturation else "other")
    routed = _is_routed(row, processing)
    grave = None if row["severity"] is None else row["severity"] <= 1
    return {
        "rule_id": row["name"].lower(),
        "service_id": request.connector.service(row["service"]) or "",
        "kind": kind,
        "observed_on": request.today,
        "is_enabled": row["enabled"],
        "is_paging": _all_of(routed, grave),
        "is_routed": routed,
        "threshold_ratio": _share(threshold[1]) if threshold and kind == "saturation" else None,
    }


def _share(threshold: str) -> float | None:
    """Return a threshold in percent as a share; one in bytes or pieces is none of a limit that Azure tells."""
    percent = float(threshold)
    return percent / 100 if percent <= _WHOLE_PERCENT else None


def _all_of(*parts: bool | None) -> bool | None:
    """Join what is known of several conditions: one no is a no, and of the rest everything must be known."""
    return False if False in parts else None if None in parts else True


def _is_routed(row: Row, processing: list[Row]) -> bool | None:
    """Whether an action group is told: the rule's own, or one that an alert processing rule adds to what it covers.

    One that covers it under conditions or at certain times leaves the answer open. One that takes all action groups
    away, whatever the hour, wins over both; what is silent for a window of maintenance tells somebody all the same.
    """
    silencing = [rule for rule in processing if _removes_groups(rule) and _covers(rule, row)]
    lasting = [rule for rule in silencing if not _json(rule["schedule"])]
    if any(not _json(rule["conditions"]) for rule in lasting):
        return False
    told = _tells_somebody(row, processing)
    return None if told and lasting else told


def _tells_somebody(row: Row, processing: list[Row]) -> bool | None:
    if _groups(_json(row["actions"])):
        return True
    covering = [rule for rule in processing if _adds_groups(rule) and _covers(rule, row)]
    if any(not _json(rule["conditions"]) and not _json(rule["schedule"]) for rule in covering):
        return True
    return None if covering else False


def _groups(actions: Any) -> bool:
    """Whether actions name an action group: metric alerts list them, log alerts hold a list of their ids."""
    if isinstance(actions, dict):
        return bool(actions.get("actionGroups"))
    return any(isinstance(action, dict) and action.get("actionGroupId") for action in actions or ())


def _adds_groups(rule: Row) -> bool:
    return any(
        action.get("actionType") == "AddActionGroups" and action.get("actionGroupIds")
        for action in _json(rule["actions"]) or ()
    )


def _removes_groups(rule: Row) -> bool:
    return any(action.get("actionType") == "RemoveAllActionGroups" for action in _json(rule["actions"]) or ())


def _covers(rule: Row, row: Row) -> bool:
    scopes = [f"{scope.lower().rstrip('/')}/" for scope in _json(rule["scopes"]) or ()]
    return any(f"{target.lower()}/".startswith(scope) for target in _json(row["scopes"]) or () for scope in scopes)


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None

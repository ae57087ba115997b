"""Alerts and alert rules in Azure Resource Graph (contracts, C1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from opsmetrics.organisation.connectors.azure import AzureResources
from opsmetrics.sources.azure.graph import inventory, last_part
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
    lasting = _lasting_rules(request, found)
    rows = [
        {
            "alert_id": last_part(row["id"]),
            "service_id": request.connector.service(last_part(row["target"])),
            "rule_id": _rule_id(row["rule"], row["name"]),
            "severity": int(row["severity"].removeprefix("Sev")) if row["severity"] else None,
            "fired_at": row["firedAt"],
            "closed_at": _closed_at(row, lasting),
            "is_test": False,
        }
        for row in found
    ]
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


def _lasting_rules(request: FetchRequest[AzureResources], found: list[Row]) -> dict[str, bool | None]:
    """Return id of a rule -> whether its alerts last until they are resolved; asked where alerts do not say it."""
    if all(row["condition"] == "Resolved" or row["stateful"] is not None for row in found):
        return {}
    return {row["id"].lower(): row["resolves"] for row in inventory(request, "alert_rules")}


def _rule_id(rule: str, alert: str) -> str:
    """Return a rule's name; of a group of Prometheus rules the alert's own name says which."""
    return f"{last_part(rule)}/{alert}".lower() if _GROUP in rule.lower() and alert else last_part(rule)


def alert_rule_states(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return every alert rule of today; the tags ``service`` and ``kind`` say what it guards.

    Each alert of a group of Prometheus rules is a rule, its labels before the group's tags; what it records is none.
    """
    processing = inventory(request, "alert_processing")
    rows: list[Row] = []
    for row in inventory(request, "alert_rules"):
        one = _of_group(row) if row["type"].endswith("/prometheusrulegroups") else iter((row,))
        rows += [_state(request, rule, processing) for rule in one]
    owned = [row for row in rows if row["service_id"]]
    counted = (
        {"alert rules left out, without the tag service": len(rows) - len(owned)} if len(owned) < len(rows) else {}
    )
    return FetchResult(owned, source=f"{request.connector.url} alert rules", counted=counted)


def _of_group(group: Row) -> Iterator[Row]:
    for rule in _json(group["rules"]) or ():
        if not rule.get("alert"):
            continue
        labels, severity = rule.get("labels") or {}, rule.get("severity")
        yield {
            "name": f"{group['name']}/{rule['alert']}",
            "enabled": group["enabled"] is not False and rule.get("enabled") is not False,
            "severity": _DEFAULT_SEVERITY if severity is None else severity,
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

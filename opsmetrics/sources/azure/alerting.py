"""Alerts and alert rules in Azure Resource Graph (contracts, C1)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.azure import AzureResources
from opsmetrics.sources.azure.action_groups import is_routed, json_of, tells_somebody
from opsmetrics.sources.azure.graph import inventory, last_part, names_of
from opsmetrics.sources.earlier import Earlier
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
UNTOLD = "alerts left out, whose rule names no action group: nobody was told"


def alerts(request: FetchRequest[AzureResources]) -> FetchResult:
    """Return fired alerts. Closed is when the rule's condition ended; what people closed in the portal is not (C1).

    An alert without a state is of one instant, and over with it: Azure calls it fired for ever. One whose rule names no
    action group told nobody: it is only to be seen in the portal.
    """
    found = [row for row in inventory(request, "alerts") if not row["suppressed"]]
    rules = inventory(request, "alert_rules") if found else []
    # Whether a rule's alerts last until they are resolved, for alerts that do not say it.
    lasting, names = {row["id"].lower(): row["resolves"] for row in rules}, _Names(rules)
    groups = _Groups(rules, names, inventory(request, "alert_processing") if rules else [])
    earlier = Earlier(request, [last_part(row["id"]) for row in found])
    rows: list[Row] = []
    untold = 0
    for row in found:
        severity = int(row["severity"].removeprefix("Sev")) if row["severity"] else None
        fired, closed = row["firedAt"], _closed_at(row, lasting)
        # Of rules those of now are told: what an alert was when it was over stays so.
        is_page = earlier.was_page(last_part(row["id"]), datetime.fromisoformat(fired), instant(closed))
        if is_page is None:
            is_page = not groups.are_untold(row, severity)
        if not is_page:
            untold += 1
            continue
        rows.append(
            {
                "alert_id": last_part(row["id"]),
                "service_id": request.connector.service(last_part(row["target"])),
                "rule_id": names.of(row["rule"], row["name"], severity),
                "severity": severity,
                "fired_at": fired,
                "closed_at": closed,
                "is_test": False,
            }
        )
    return FetchResult(rows, source=f"{request.connector.url} alerts", counted={UNTOLD: untold} if untold else {})


def _closed_at(row: Row, lasting: dict[str, bool | None]) -> Any:
    if row["condition"] == "Resolved":
        # The time may stand there while the alert fires.
        return row["resolvedAt"]
    is_of_an_event = (row["service"] or "").replace(" ", "").startswith(_OF_AN_EVENT)
    is_stateful = False if is_of_an_event else row["stateful"]
    if is_stateful is None:
        is_stateful = lasting.get(row["rule"])
    return row["firedAt"] if is_stateful is False else None


class _Groups:
    """Which alerts are told to an action group.

    Args:
        rules: All rules of today.
        names: What they are called.
        processing: Alert processing rules of today.
    """

    def __init__(self, rules: list[Row], names: _Names, processing: list[Row]) -> None:
        self._rules = {row["id"].lower(): row for row in rules}
        self._names, self._processing = names, processing

    def are_untold(self, alert: Row, severity: int | None) -> bool:
        """Whether it is known that no action group was told: by the rule, and whatever may add one to it."""
        rule = self._rules.get((alert["rule"] or "").lower())
        if rule is None:
            return False
        name = self._names.of(alert["rule"], alert["name"], severity)
        ones = [one for one in _of_group(rule, self._names) if one["name"] == name] if _is_group(rule) else [rule]
        return bool(ones) and all(
            json_of(one["actions"]) is not None and tells_somebody(one, self._processing) is False for one in ones
        )


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
            row["id"].lower(): Counter(str(rule.get("alert")).lower() for rule in json_of(row["rules"]) or ())
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
        one = _of_group(row, names) if _is_group(row) else iter((row | {"name": names.of(row["id"], None, None)},))
        rows += [_state(request, rule, processing) for rule in one if not _only_records(rule)]
    owned = [row for row in rows if row["service_id"]]
    counted = (
        {"alert rules left out, without the tag service": len(rows) - len(owned)} if len(owned) < len(rows) else {}
    )
    return FetchResult(owned, source=f"{request.connector.url} alert rules", counted=counted)


def _only_records(rule: Row) -> bool:
    """Whether a rule makes a metric of logs and alerts nobody: only such a one names the metric (kind LogToMetric)."""
    criteria = json_of(rule["criteria"]) if str(rule.get("type")).endswith("/scheduledqueryrules") else None
    conditions = criteria.get("allOf") if isinstance(criteria, dict) else None
    return any(one.get("metricName") and not one.get("operator") for one in conditions or ())


def _is_group(row: Row) -> bool:
    return str(row["type"]).endswith("/prometheusrulegroups")


def _of_group(group: Row, names: _Names) -> Iterator[Row]:
    for rule in json_of(group["rules"]) or ():
        if not rule.get("alert"):
            continue
        labels, told = rule.get("labels") or {}, rule.get("severity")
        severity = _DEFAULT_SEVERITY if told is None else told
        yield {
            "name": names.of(group["id"], rule["alert"], severity),
            "enabled": group["enabled"] is not False and rule.get("enabled") is not False,
            "severity": severity,
            "actions": json.dumps(rule.get("actions")),
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
    routed = is_routed(row, processing)
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

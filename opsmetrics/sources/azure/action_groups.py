"""Whether an action group is told of a rule's alerts: by the rule itself, or by a processing rule (contracts, C1)."""

from __future__ import annotations

import json
from typing import Any

Row = dict[str, Any]


def is_routed(row: Row, processing: list[Row]) -> bool | None:
    """Whether an action group is told: the rule's own, or one that an alert processing rule adds to what it covers.

    One that covers it under conditions or at certain times leaves the answer open. One that takes all action groups
    away, whatever the hour, wins over both; what is silent for a window of maintenance tells somebody all the same.
    """
    silencing = [rule for rule in processing if _removes_groups(rule) and _covers(rule, row)]
    lasting = [rule for rule in silencing if not json_of(rule["schedule"])]
    if any(not json_of(rule["conditions"]) for rule in lasting):
        return False
    told = tells_somebody(row, processing)
    return None if told and lasting else told


def tells_somebody(row: Row, processing: list[Row]) -> bool | None:
    """Whether a rule names an action group, or a processing rule adds one to it; None where that depends."""
    if _groups(json_of(row["actions"])):
        return True
    covering = [rule for rule in processing if _adds_groups(rule) and _covers(rule, row)]
    if any(not json_of(rule["conditions"]) and not json_of(rule["schedule"]) for rule in covering):
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
        for action in json_of(rule["actions"]) or ()
    )


def _removes_groups(rule: Row) -> bool:
    return any(action.get("actionType") == "RemoveAllActionGroups" for action in json_of(rule["actions"]) or ())


def _covers(rule: Row, row: Row) -> bool:
    scopes = [f"{scope.lower().rstrip('/')}/" for scope in json_of(rule["scopes"]) or ()]
    return any(f"{target.lower()}/".startswith(scope) for target in json_of(row["scopes"]) or () for scope in scopes)


def json_of(text: str | None) -> Any:
    """Return what a cell with JSON holds, None where it holds none."""
    try:
        return json.loads(text or "null")
    except ValueError:
        return None

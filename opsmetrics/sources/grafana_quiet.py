"""Where alerts of Grafana go, and what keeps one from telling anybody: policies, silences, timings (contracts, C2).

Grafana forgets a silence five days after it ended, and of mute timings and policies it tells those of now only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from opsmetrics.sources.alert_routes import policies_of
from opsmetrics.sources.alertmanager import are_silent, silence_of
from opsmetrics.sources.http import Http, RefusedError
from opsmetrics.sources.quiet_times import QuietTimes

Row = dict[str, Any]
SILENCES = "api/alertmanager/grafana/api/v2/silences"
POLICIES, TIMINGS = "api/v1/provisioning/policies", "api/v1/provisioning/mute-timings"
UNTOLD_SILENCES = "silences cannot be read (alert.silences:read): what they silenced counts as pages"
# What a rule names the tree of policies by that its alerts go by: since 2026 in its settings, before that in a label.
_TREE_LABEL, _DEFAULT_TREE = "__grafana_managed_route__", "user-defined"
# Trees of policies by name, in newer and older versions, of a namespace (an organisation of Grafana).
TREES = tuple(
    f"apis/notifications.alerting.grafana.app/{of}/namespaces/{{}}/routingtrees" for of in ("v1beta1", "v0alpha1")
)
UNTOLD_TREES = (
    "rules go by a tree of policies of their own, which cannot be read (alert.notifications.routes:read): "
    "what it mutes counts as pages"
)
UNTOLD_TIMINGS = "policies or mute timings cannot be read (alert.provisioning:read): what they muted counts as pages"


class Trees:
    """The trees of notification policies that rules go by: the default one, and those with names.

    Args:
        http: Grafana.
        rules: Rules; what none of them goes by is not asked for.
    """

    def __init__(self, http: Http, rules: Iterable[Row]) -> None:
        asking = [rule for rule in rules if not receiver_of(rule)]
        named = [rule for rule in asking if _tree_name(rule)]
        self.default = policies(http) if len(named) < len(asking) else None
        self._named = _named_trees(http, named[0]) if named else {}
        self.untold = sum(_tree_name(rule) not in self._named for rule in named)

    def of(self, rule: Row) -> Row | None:
        """Return the tree that alerts of a rule go by, None where it is not told."""
        name = _tree_name(rule)
        return self._named.get(name) if name else self.default

    @staticmethod
    def has_own(rule: Row) -> bool:
        """Whether somebody chose a tree for a rule: also what only its root takes was sent somewhere then."""
        return _tree_name(rule) is not None


class Quiet:
    """What Grafana knows at the time of a pull.

    Args:
        http: Grafana.
        rules: All rules.

    Attributes:
        notes: What could not be read.
    """

    def __init__(self, http: Http, rules: Iterable[Row]) -> None:
        silences = _listed(http, SILENCES)
        # Alerts of a rule that was deleted went by the default tree, for all that is known.
        self._trees = Trees(http, [*rules, {}])
        timings = _listed(http, TIMINGS) if self._trees.default is not None else None
        self._silences = [silence_of(item) for item in silences or [] if item.get("matchers")]
        self._times = QuietTimes(timings or [])
        untold = self._trees.untold
        self.notes = (
            *([UNTOLD_SILENCES] if silences is None else []),
            *([UNTOLD_TIMINGS] if timings is None else []),
            *([f"{untold} {UNTOLD_TREES}"] if untold else []),
        )

    def tells_nobody(self, labels: Mapping[str, str], uid: str, rule: Row, first: datetime, last: datetime) -> bool:
        """Whether nobody was told of an alert, from its first to its last instant.

        Args:
            labels: All its labels but Grafana's own; none where they are not told.
            uid: Of its rule, which a silence of the rule names.
            rule: Its rule, nothing where it was deleted.
            first: When it began to fire.
            last: When it ended, or now.
        """
        is_all = bool(labels)
        own = {"alertname": rule.get("title") or "", **(rule.get("labels") or {}), **labels}
        own |= {"__alert_rule_uid__": uid, "__alert_rule_namespace_uid__": rule.get("folderUID") or ""}
        if are_silent(self._silences, own, first, last, is_all=is_all):
            return True
        sent: Row = rule.get("notification_settings") or {}
        if sent.get("receiver"):
            return self._times.cover(sent, first, last)
        tree = self._trees.of(rule)
        found = policies_of(own, tree, is_all=is_all) if tree else None
        return bool(found) and all(self._times.cover(policy, first, last) for _, policy in found or [])


def receiver_of(rule: Row) -> str | None:
    """Return the receiver that a rule names itself, past all policies."""
    return (rule.get("notification_settings") or {}).get("receiver")


def _tree_name(rule: Row) -> str | None:
    """Return the name of the tree of policies that alerts of a rule go by, None of the default one."""
    named = (rule.get("notification_settings") or {}).get("policy") or (rule.get("labels") or {}).get(_TREE_LABEL)
    return None if named in {None, "", _DEFAULT_TREE} else str(named)


def _named_trees(http: Http, rule: Row) -> dict[str, Row]:
    """Return the trees of the organisation of a rule by name, none where they may not be read."""
    number = rule.get("orgID")
    namespace = "default" if number in {None, 1} else f"org-{number}"
    found = next((each for path in TREES if (each := allowed(http, path.format(namespace))) is not None), None) or {}
    return {item["metadata"]["name"]: _tree(item["spec"]) for item in found.get("items") or []}


def _tree(spec: Row) -> Row:
    """Return a tree as the provisioning API writes the default one."""
    return {"receiver": spec["defaults"]["receiver"], "routes": [_route(route) for route in spec.get("routes") or []]}


def _route(route: Row) -> Row:
    matchers = [[each["label"], each["type"], each["value"]] for each in route.get("matchers") or []]
    below = [_route(each) for each in route.get("routes") or []]
    return {**route, "matchers": [], "object_matchers": matchers, "routes": below}


def policies(http: Http) -> Row | None:
    """Return the tree of notification policies, None where the identity may not read it."""
    found = allowed(http, POLICIES)
    return found if isinstance(found, dict) else None


def _listed(http: Http, path: str) -> list[Row] | None:
    found = allowed(http, path)
    return found if isinstance(found, list) else None


def allowed(http: Http, path: str) -> Any:
    """Return an answer, None where the identity may not have it or this Grafana has no such thing."""
    try:
        return http.get(path)
    except RefusedError as error:
        if error.status not in {403, 404}:
            raise
        return None

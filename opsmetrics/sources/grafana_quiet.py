"""What keeps an alert of Grafana from telling anybody: silences, and mute timings of its policies (contracts, C2).

Grafana forgets a silence five days after it ended, and of mute timings and policies it tells those of now only.
"""

from __future__ import annotations

from collections.abc import Mapping
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
UNTOLD_TREES = "rules go by a tree of policies of their own, which is not read: what it mutes counts as pages"
UNTOLD_TIMINGS = "policies or mute timings cannot be read (alert.provisioning:read): what they muted counts as pages"


class Quiet:
    """What Grafana knows at the time of a pull.

    Args:
        http: Grafana.

    Attributes:
        notes: What could not be read.
    """

    def __init__(self, http: Http) -> None:
        silences, self._tree = _listed(http, SILENCES), policies(http)
        timings = _listed(http, TIMINGS) if self._tree is not None else None
        self._silences = [silence_of(item) for item in silences or [] if item.get("matchers")]
        self._times = QuietTimes(timings or [])
        self.notes = (
            *([UNTOLD_SILENCES] if silences is None else []),
            *([UNTOLD_TIMINGS] if timings is None else []),
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
        if has_own_tree(rule):
            return False
        found = policies_of(own, self._tree, is_all=is_all) if self._tree else None
        return bool(found) and all(self._times.cover(policy, first, last) for _, policy in found or [])


def has_own_tree(rule: Row) -> bool:
    """Whether alerts of a rule go by another tree of policies than the one that is told."""
    named = (rule.get("notification_settings") or {}).get("policy") or (rule.get("labels") or {}).get(_TREE_LABEL)
    return named not in {None, "", _DEFAULT_TREE}


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

"""Dependabot, code-scanning and secret-scanning alerts as opaque ids, counts and ages (contracts, E1 and G)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import GitHub
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.github.client import Client
from opsmetrics.sources.http import RefusedError
from opsmetrics.sources.vulnerability_facts import KnownExploited, automatable_and_total, known_exploited, opaque

Row = dict[str, Any]
# Reasons for closing an alert that say that there is nothing to fix. Every other one (tolerable risk, no time, a fix
# under way, will not be fixed, a rule that dismisses by itself) leaves it as open as it was: a click fixes nothing.
NO_FINDING = frozenset(
    {
        *("inaccurate", "not_used"),
        *("false positive", "used in tests", "mitigated"),
        *("false_positive", "used_in_tests", "pattern_deleted", "pattern_edited"),
    }
)
STILL_OPEN = "alerts kept open although somebody dismissed them, because nothing was fixed"
# Scope of a dependency -> whether it runs where others reach it; any other word says nothing.
_EXPOSED = {"runtime": True, "development": False}
# Severity of a rule of code scanning that has no security severity; any other is not known.
_LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "low"}


def vulnerabilities(request: FetchRequest[GitHub]) -> FetchResult:
    """Return Dependabot alerts; a repository whose alerts are off or hidden makes the answer a part.

    The stream's flags come from what GitHub publishes: a runtime dependency counts as exposed, a development
    dependency does not, and of one without scope it is not known; automatable and total impact are read from the CVSS 3
    vector as a stand-in for SSVC.
    """
    rows: list[Row] = []
    unseen: list[str] = []
    counted: Counter[str] = Counter()
    with Client(request) as client:
        exploited = known_exploited(request, request.connector.known_exploited_url)
        for repository, service in client.repositories():
            if repository in client.archived:
                continue
            try:
                alerts = list(_alerts(client, repository, "dependabot", state="auto_dismissed,dismissed,fixed,open"))
            except RefusedError as error:
                if error.status not in (403, 404):
                    raise
                unseen.append(repository)
                continue
            rows += [_vulnerability(repository, service, alert, exploited) for alert in alerts]
            counted.update(_still_open(request, alerts))
    return _answer(request, "dependabot", rows, unseen, counted, client, *(exploited.notes if exploited else ()))


def _answer(
    request: FetchRequest[GitHub],
    what: str,
    rows: list[Row],
    unseen: list[str],
    counted: Counter[str],
    client: Client,
    *notes: str,
) -> FetchResult:
    archived = tuple(f"{name} is archived: GitHub has no alerts of it" for name in sorted(client.archived))
    off = (f"alerts are off or not readable in {', '.join(unseen)}",) if unseen else ()
    source = f"{request.connector.url} {what}"
    answer = FetchResult(rows, source=source, notes=(*client.notes, *archived, *off, *notes), counted=counted)
    return client.without(answer, *map(client.service, unseen))


def _alerts(client: Client, repository: str, kind: str, **params: Any) -> Iterator[Row]:
    seen: set[int] = set()
    for page in client.pages(f"repos/{repository}/{kind}/alerts", per_page=100, **params):
        for alert in page:
            if alert["number"] not in seen:
                seen.add(alert["number"])
                yield alert


def _ended(alert: Row) -> datetime | None:
    """When an alert ended: fixed, or found to be none; what somebody only set aside is open.

    The state decides: an alert that was opened again may carry times of its first end.
    """
    state, changed = alert.get("state"), alert.get("updated_at")
    if state == "fixed":
        return instant(alert.get("fixed_at") or changed)
    if state == "dismissed" and alert.get("dismissed_reason") in NO_FINDING:
        return instant(alert.get("dismissed_at") or changed)
    if state == "resolved" and alert.get("resolution") in NO_FINDING | {"revoked"}:
        return instant(alert.get("resolved_at") or changed)
    return instant((alert.get("security_advisory") or {}).get("withdrawn_at"))


def _still_open(request: FetchRequest[GitHub], alerts: list[Row]) -> Iterator[str]:
    """Yield a word for each alert of the asked days that somebody set aside; every answer holds those of all days."""
    for alert in alerts:
        is_aside = alert.get("state") in {"dismissed", "auto_dismissed", "resolved"} and _ended(alert) is None
        if is_aside and request.covers(instant(alert.get("created_at"))):
            yield STILL_OPEN


def _vulnerability(repository: str, service: str, alert: Row, exploited: KnownExploited | None) -> Row:
    advisory = alert["security_advisory"]
    created, published = instant(alert["created_at"]), instant(advisory["published_at"])
    detected = max(at for at in (created, published) if at is not None)
    cvss = (advisory.get("cvss_severities") or {}).get("cvss_v3") or {}
    is_automatable, is_total = automatable_and_total(cvss.get("vector_string"))
    scope = alert["dependency"].get("scope")
    row = {
        "vulnerability_id": opaque(repository, "dependabot", alert["number"]),
        "service_id": service,
        "detected_at": detected,
        "effective_at": detected,
        "is_exposed": _EXPOSED.get(scope or ""),
        "is_automatable": is_automatable,
        "is_total_impact": is_total,
        "fixed_at": _ended(alert),
        "epss_ratio": _epss(advisory.get("epss")),
    }
    # An advisory without a CVE number is in no list of CVE numbers.
    return row if exploited is None else row | {"is_exploited": exploited.holds([advisory.get("cve_id")])}


def _epss(said: Any) -> float | None:
    """Read the probability: an object, or a list of them (the advisories API), of which the highest counts."""
    found = [item.get("percentage") for item in (said if isinstance(said, list) else [said]) if item]
    return max((value for value in found if value is not None), default=None)


def security_alerts(request: FetchRequest[GitHub]) -> FetchResult:
    """Return code-scanning and secret-scanning alerts: kind, severity, opened, closed, and nothing of the finding."""
    rows: list[Row] = []
    unseen: list[str] = []
    counted: Counter[str] = Counter()
    with Client(request) as client:
        for repository, service in client.repositories():
            if repository in client.archived:
                continue
            for kind in ("code-scanning", "secret-scanning"):
                # Without hide_secret the body holds the secret itself.
                hidden = {"hide_secret": "true"} if kind == "secret-scanning" else {}
                try:
                    alerts = list(_alerts(client, repository, kind, **hidden))
                except RefusedError as error:
                    if error.status not in (403, 404):
                        raise
                    unseen.append(f"{repository} ({kind})")
                    continue
                rows += [_alert(repository, service, kind, alert) for alert in alerts]
                counted.update(_still_open(request, alerts))
    return _answer(request, "alerts", rows, unseen, counted, client)


def _alert(repository: str, service: str, kind: str, alert: Row) -> Row:
    rule = alert.get("rule") or {}
    level = rule.get("security_severity_level") or _LEVELS.get(rule.get("severity") or "")
    return {
        "alert_id": opaque(repository, kind, alert["number"]),
        "service_id": service,
        "kind": kind.replace("-", "_"),
        "severity": "critical" if kind == "secret-scanning" else level,
        "opened_at": instant(alert.get("created_at")),
        "closed_at": _ended(alert),
    }

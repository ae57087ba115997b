"""Dependabot, code-scanning and secret-scanning alerts as opaque ids, counts and ages (contracts, E1 and G)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from opsmetrics.organisation.connectors import GitHub
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.github.client import Client, instant, repositories, service_of
from opsmetrics.sources.http import Http, RefusedError

Row = dict[str, Any]


def vulnerabilities(ask: Ask[GitHub]) -> Answer:
    """Return Dependabot alerts; a repository whose alerts are off or hidden makes the answer a part.

    The stream's flags come from what GitHub publishes: a runtime dependency counts as exposed, a development
    dependency does not; automatable and total impact are read from the CVSS vector as a stand-in for SSVC.
    """
    rows: list[Row] = []
    unseen: list[str] = []
    with Client(ask) as client:
        exploited = _exploited(ask)
        for repository in repositories(ask):
            service = service_of(ask.organisation, ask.connector, repository)
            try:
                alerts = list(_alerts(client, repository, "dependabot", state="auto_dismissed,dismissed,fixed,open"))
            except RefusedError as error:
                if error.status not in (403, 404):
                    raise
                unseen.append(repository)
                continue
            rows += [_vulnerability(repository, service, alert, exploited) for alert in alerts]
    notes = (f"alerts are off or not readable in {', '.join(unseen)}",) if unseen else ()
    return Answer(rows, is_complete=not unseen, source=f"{ask.connector.url} dependabot", notes=notes)


def _alerts(client: Client, repository: str, kind: str, **params: Any) -> Iterator[Row]:
    seen: set[int] = set()
    for page in client.pages(f"repos/{repository}/{kind}/alerts", per_page=100, **params):
        for alert in page:
            if alert["number"] not in seen:
                seen.add(alert["number"])
                yield alert


def _vulnerability(repository: str, service: str, alert: Row, exploited: frozenset[str]) -> Row:
    advisory = alert["security_advisory"]
    created, published = instant(alert["created_at"]), instant(advisory["published_at"])
    detected = max(at for at in (created, published) if at is not None)
    vector = ((advisory.get("cvss_severities") or {}).get("cvss_v3") or {}).get("vector_string") or ""
    measures = set(vector.split("/"))
    ended = alert["fixed_at"] or alert["dismissed_at"] or alert.get("auto_dismissed_at")
    epss = (advisory.get("epss") or {}).get("percentage")
    return {
        "vulnerability_id": opaque(repository, "dependabot", alert["number"]),
        "service_id": service,
        "detected_at": detected,
        "effective_at": detected,
        "is_exposed": (alert["dependency"].get("scope") or "runtime") == "runtime",
        "is_exploited": advisory.get("cve_id") in exploited,
        "is_automatable": {"AV:N", "AC:L", "PR:N", "UI:N"} <= measures if measures else None,
        "is_total_impact": {"C:H", "I:H", "A:H"} <= measures if measures else None,
        "fixed_at": instant(ended),
        "epss_ratio": epss,
    }


def security_alerts(ask: Ask[GitHub]) -> Answer:
    """Return code-scanning and secret-scanning alerts: kind, severity, opened, closed, and nothing of the finding."""
    rows: list[Row] = []
    unseen: list[str] = []
    with Client(ask) as client:
        for repository in repositories(ask):
            service = service_of(ask.organisation, ask.connector, repository)
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
    notes = (f"alerts are off or not readable in {', '.join(unseen)}",) if unseen else ()
    return Answer(rows, is_complete=not unseen, source=f"{ask.connector.url} alerts", notes=notes)


def _alert(repository: str, service: str, kind: str, alert: Row) -> Row:
    rule = alert.get("rule") or {}
    closed = alert.get("fixed_at") or alert.get("dismissed_at") or alert.get("resolved_at")
    level = rule.get("security_severity_level") or {"error": "high", "warning": "medium"}.get(
        rule.get("severity") or "", "low"
    )
    return {
        "alert_id": opaque(repository, kind, alert["number"]),
        "service_id": service,
        "kind": kind.replace("-", "_"),
        "severity": "critical" if kind == "secret-scanning" else level,
        "opened_at": instant(alert["created_at"]),
        "closed_at": instant(closed),
    }


def opaque(*parts: object) -> str:
    """Return an id that tells alerts apart and says nothing about them."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:16]


def _exploited(ask: Ask[GitHub]) -> frozenset[str]:
    """Return the CVE ids of the list of known exploited vulnerabilities, where one is configured."""
    url = ask.connector.known_exploited_url
    if url is None:
        return frozenset()
    with Http(f"{ask.connector.name} known exploited list", url, ask.settings) as http:
        return frozenset(str(item["cveID"]) for item in http.get(http.url)["vulnerabilities"])

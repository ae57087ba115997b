"""Grafana: alert rules, state history from annotations, deploy annotations (contracts, C2)."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from opsmetrics.organisation.connectors import Grafana
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.azure.client import signed
from opsmetrics.sources.http import Http

Row = dict[str, Any]
LIMIT = 5000
# How long an alert may have fired before the asked days and still end in them.
LONGEST = timedelta(days=7)


def _client(ask: Ask[Grafana]) -> Http:
    settings = ask.connector
    audience = settings.audience if settings.token_env is None else None
    return signed(ask, settings.url, token_env=settings.token_env, audience=audience)


def probe(ask: Ask[Grafana]) -> str:
    """Count the alert rules."""
    with _client(ask) as http:
        return f"{len(http.get('api/v1/provisioning/alert-rules'))} alert rules"


def alert_rule_states(ask: Ask[Grafana]) -> Answer:
    """Return every rule of today; a paused rule is not monitoring. The label ``service`` says what it guards."""
    settings, rows = ask.connector, list[Row]()
    with _client(ask) as http:
        rules = http.get("api/v1/provisioning/alert-rules")
    for rule in rules:
        uid, labels = rule["uid"], rule.get("labels") or {}
        notes: Row = rule.get("annotations") or {}
        service = settings.service(labels.get(settings.service_label))
        if service is None:
            continue
        rows.append(
            {
                "rule_id": labels.get("rule") or uid,
                "service_id": service,
                "resource_id": labels.get("resource"),
                "kind": labels.get(settings.kind_label) or "other",
                "observed_on": ask.today,
                "is_enabled": not rule["isPaused"],
                "is_paging": labels.get("severity") in {"critical", "page"},
                "is_routed": bool((rule.get("notification_settings") or {}).get("receiver")),
                "threshold_ratio": _number(notes.get("threshold_ratio")),
                "forecast_hours": _number(notes.get("forecast_hours")),
                "last_changed_at": rule.get("updated"),
                "last_reviewed_at": notes.get("reviewed_at"),
                "last_proven_at": notes.get("proven_at"),
            }
        )
    return Answer(rows, source=f"{settings.url} alert rules")


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _annotations(http: Http, start: datetime, end: datetime, **params: Any) -> list[Row]:
    """Return annotations of [start, end); a full answer may be cut off, so its window is halved (contracts, C2)."""
    first, last = (int(at.timestamp() * 1000) for at in (start, end))
    params_of_window = {"from": first, "to": last - 1, "limit": LIMIT, **params}
    found: list[Row] = http.get("api/annotations", **params_of_window)
    if len(found) >= LIMIT and end - start > timedelta(seconds=2):
        middle = start + (end - start) / 2
        return _annotations(http, start, middle, **params) + _annotations(http, middle, end, **params)
    return found


def alerts(ask: Ask[Grafana]) -> Answer:
    """Return firing intervals: open at *Alerting*, closed by the next other state (its bracket is a reason)."""
    settings = ask.connector
    with _client(ask) as http:
        rules = {rule["uid"]: rule for rule in http.get("api/v1/provisioning/alert-rules")}
        found = _annotations(http, ask.starts_at - LONGEST, min(ask.ends_at + LONGEST, ask.now), type="alert")
    series: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
    for note in found:
        key = (str(note.get("alertUID") or note["alertId"]), _labels_of(note))
        series[key][note["id"]] = note
    rows: list[Row] = []
    for (uid, _), notes in series.items():
        rule: Row = rules.get(uid) or _deleted(next(iter(notes.values())))
        # A rule that nobody knows keeps its pages: they show up as a name without owner.
        service = settings.service((rule.get("labels") or {}).get(settings.service_label)) or uid
        opened: Row | None = None
        for note in sorted(notes.values(), key=lambda item: (item["time"], item["id"])):
            state = note["newState"].split(" ", 1)[0]
            if state == "Alerting" and opened is None:
                opened = note
            elif state not in {"Alerting", "Pending"} and opened is not None:
                rows.append(_interval(uid, rule, service, opened, note))
                opened = None
        if opened is not None:
            rows.append(_interval(uid, rule, service, opened, None))
    return Answer(rows, source=f"{settings.url} annotations")


def _deleted(note: Row) -> Row:
    """Return what an annotation still says of a deleted rule: the labels in the braces of its text."""
    match = re.search(r"\{([^{}]*)\}", note.get("text") or "")
    pairs = [part.split("=", 1) for part in match[1].split(",")] if match else []
    return {"labels": {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2}}


def _labels_of(note: Row) -> str:
    """Text that tells instances of one rule apart; only hashed into the id, never landed."""
    return str((note.get("data") or {}).get("fingerprint") or note.get("text", "").split("{")[-1])


def _interval(uid: str, rule: Row, service: str | None, opened: Row, closed: Row | None) -> Row:
    return {
        "alert_id": f"{uid}-{opened['id']}",
        "service_id": service,
        "rule_id": (rule.get("labels") or {}).get("rule") or uid,
        "severity": {"critical": 1, "page": 1, "warning": 3}.get((rule.get("labels") or {}).get("severity", "")),
        "fired_at": _instant(opened["time"]),
        "closed_at": _instant(closed["time"]) if closed else None,
        "is_test": False,
    }


def _instant(milliseconds: int) -> datetime:
    """Read a time; older versions mixed seconds and milliseconds (contracts, C2)."""
    seconds = milliseconds / 1000 if milliseconds > 100_000_000_000 else float(milliseconds)
    return datetime.fromtimestamp(seconds, tz=UTC)


def deployments(ask: Ask[Grafana]) -> Answer:
    """Return deploy annotations; ``team:`` is empty in practice, so the app says whose it is (contracts, 0)."""
    settings, rows = ask.connector, list[Row]()
    with _client(ask) as http:
        for note in _annotations(http, ask.starts_at, ask.ends_at, tags="deployment"):
            tags = dict(tag.split(":", 1) for tag in note["tags"] if ":" in tag)
            service = settings.service(tags.get("app"))
            if service is not None and tags.get("env"):
                rows.append(
                    {
                        "deployment_id": f"{settings.name}-{note['id']}",
                        "service_id": service,
                        "environment": tags["env"],
                        "deployed_at": _instant(note["time"]),
                        # Only a pipeline writes these.
                        "actor_kind": "pipeline",
                    }
                )
    unique = {row["deployment_id"]: row for row in rows}
    return Answer(list(unique.values()), source=f"{settings.url} deploy annotations")

"""Flux's notifications as files: what was rolled out by Kustomizations and Helm releases (contracts, H).

The files hold what Flux' notification controller sends to a generic webhook: one object, a list, or one object a line.
A Kustomization is told at each interval, changed or not: a change is another revision than the one before, and the
first that is told of an object is none, since nobody knows what was there. A Helm release is told when it is installed
or upgraded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from opsmetrics.organisation.connectors.deployers import FluxEvents
from opsmetrics.sources import json_files
from opsmetrics.sources.fetching import FetchRequest, FetchResult

Row = dict[str, Any]
Key = tuple[str, str, str]
_RECONCILED = "ReconciliationSucceeded"
_RELEASED = frozenset({"InstallSucceeded", "UpgradeSucceeded"})
# Before Flux 2.2 the reason of a Helm release repeated the severity, and only the message said what was done.
_MESSAGES = {"Helm install succeeded": "InstallSucceeded", "Helm upgrade succeeded": "UpgradeSucceeded"}


def probe(request: FetchRequest[FluxEvents]) -> str:
    """Count the notifications."""
    events, broken = _events(request)
    return f"{len(events)} notifications, {len(broken)} files unreadable"


def deployments(request: FetchRequest[FluxEvents]) -> FetchResult:
    """Return the changes that the notifications of all files tell; an unreadable file makes them a part."""
    settings = request.connector
    events, broken = _events(request)
    rows = [
        {
            "deployment_id": f"{settings.name}-{'/'.join(key)}-{_short(revision)}-{at:%Y%m%dT%H%M%SZ}",
            "service_id": settings.service(key[2]),
            "environment": settings.environment,
            "deployed_at": at,
            "actor_kind": "pipeline",
        }
        for key, at, revision in _changes(events)
    ]
    notes = (f"no notifications of Flux: {', '.join(broken[:5])}",) if broken else ()
    return FetchResult(rows, is_complete=not broken, source=f"flux {settings.folder}", notes=notes)


def _events(request: FetchRequest[FluxEvents]) -> tuple[list[tuple[datetime, Key, str, str]], list[str]]:
    """Return instant, object, reason and revision of what counts, oldest first, and the names of broken files."""
    settings = request.connector
    found: set[tuple[datetime, Key, str, str]] = set()
    broken: list[str] = []
    for path in json_files.found(request, settings.folder, settings.files):
        try:
            found |= {told for event in json_files.records(path) if (told := _told(settings, event)) is not None}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            broken.append(path.name)
    return sorted(found), broken


def _told(settings: FluxEvents, event: Any) -> tuple[datetime, Key, str, str] | None:
    about = event["involvedObject"]
    key = (about["kind"], about.get("namespace") or "", about["name"])
    counts = {"Kustomization": {_RECONCILED}, "HelmRelease": _RELEASED}.get(key[0], frozenset())
    reason, revision = event["reason"], _revision(event.get("metadata") or {})
    if key[0] == "HelmRelease":
        reason = _MESSAGES.get((event.get("message") or "").strip(), reason) if reason == "info" else reason
        # Each is a change by itself, and some versions left the revision out.
        revision = revision or ""
    if event["severity"] != "info" or reason not in counts or revision is None:
        return None
    if not any(fnmatchcase(f"{key[1]}/{key[2]}", pattern) for pattern in settings.objects):
        return None
    if not all(isinstance(text, str) for text in (*key, revision)):
        raise TypeError("a field of another type")
    at = datetime.fromisoformat(event["timestamp"])
    if at.tzinfo is None:
        raise ValueError("a time without zone")
    # One that is beyond the calendar elsewhere.
    at.astimezone(UTC)
    return at, key, reason, revision


def _revision(metadata: dict[str, str]) -> str | None:
    """Return the revision; the controllers write their group before the word, which the notification leaves out."""
    return next((text for name, text in sorted(metadata.items()) if name.rpartition("/")[2] == "revision"), None)


def _changes(events: list[tuple[datetime, Key, str, str]]) -> Iterator[tuple[Key, datetime, str]]:
    before: dict[Key, str] = {}
    for at, key, reason, revision in events:
        if reason in _RELEASED or before.get(key, revision) != revision:
            yield key, at, revision
        before[key] = revision


def _short(revision: str) -> str:
    return hashlib.sha256(revision.encode()).hexdigest()[:12]

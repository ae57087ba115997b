"""An Atlassian Statuspage: when people said what, with their local offsets (contracts, D)."""

from __future__ import annotations

from typing import Any

from opsmetrics.organisation.connectors import StatusPage
from opsmetrics.sources.ask import Answer, Ask
from opsmetrics.sources.http import Http

FILES = {
    "incident": ("api/v2/incidents.json", "incidents"),
    "maintenance": ("api/v2/scheduled-maintenances.json", "scheduled_maintenances"),
}


def probe(ask: Ask[StatusPage]) -> str:
    """Count the newest reports."""
    with Http(ask.connector.name, ask.connector.url, ask.settings) as http:
        return f"{len(http.get(FILES['incident'][0])['incidents'])} newest incidents readable"


def incident_reports(ask: Ask[StatusPage]) -> Answer:
    """Return the 50 newest reports of each kind; older ones stay as landed before. Texts and titles are not kept."""
    rows: list[dict[str, Any]] = []
    with Http(ask.connector.name, ask.connector.url, ask.settings) as http:
        for kind, (path, key) in FILES.items():
            for item in http.get(path)[key]:
                started = item.get("started_at") if kind == "incident" else item.get("scheduled_for")
                rows.append(
                    {
                        "provider": ask.connector.name,
                        "report_id": item["id"],
                        "kind": kind,
                        "severity": item.get("impact"),
                        "started_at": started or item["created_at"],
                        "resolved_at": item.get("resolved_at"),
                        "announced_at": item["created_at"],
                    }
                )
    unique = {row["report_id"]: row for row in rows}
    return Answer(list(unique.values()), source=ask.connector.url)

"""Argo CD's list of applications, with the history that each keeps."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row, text


def routes(records: Records) -> list[Route]:
    """Return the route below ``/argocd``."""
    found = [_application(service.id, records.rows["deployments"]) for service in records.organisation.services]

    def applications(request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse(
                {"error": "no session information", "code": 16, "message": "no session"}, status_code=401
            )
        return JSONResponse({"metadata": {"resourceVersion": "4711"}, "items": found})

    return [Route("/api/v1/applications", applications)]


def _application(service: str, deployments: list[Row]) -> dict[str, Any]:
    mine = sorted((row for row in deployments if row["service_id"] == service), key=lambda row: row["deployed_at"])
    source = {"repoURL": "https://git.invalid/apps", "path": service, "targetRevision": "main"}
    history = [
        {
            "id": number,
            "revision": f"{number:040x}",
            "deployStartedAt": text(row["deployed_at"]),
            "deployedAt": text(row["deployed_at"]),
            "source": source,
            # A person pressed the button; his name is nobody's business.
            "initiatedBy": {"username": PLANTED["person"]} if row["has_manual_step"] else {"automated": True},
        }
        for number, row in enumerate(mine)
    ]
    return {
        "metadata": {"name": f"{service}-app", "namespace": "argocd", "labels": {"service": service}},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "prod"},
        },
        "status": {"history": history} if history else {},
    }

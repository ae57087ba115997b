"""Azure DevOps' release deployments."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import DEVOPS_TEAM, PLANTED, Records, Row, parse, precise


def routes(records: Records) -> list[Route]:
    """Return the route below ``/devops``; the numbers are those that incidents refer to."""
    rows: list[Row] = [
        {
            "id": number,
            "releaseDefinition": {"name": row["service_id"]},
            "releaseEnvironment": {"name": row["environment"]},
            "deploymentStatus": "succeeded",
            "startedOn": precise(row["deployed_at"]),
            "completedOn": precise(row["deployed_at"]),
            "requestedFor": {"displayName": PLANTED["person"], "uniqueName": PLANTED["mail"]},
            "preDeployApprovals": [{"isAutomated": not row["has_manual_step"], "status": "approved"}],
            "postDeployApprovals": [],
        }
        for number, row in enumerate(records.rows["deployments"], start=500_000)
        if records.team_of(row["service_id"]) == DEVOPS_TEAM
    ]

    def deployments(request: Request) -> Response:
        if not request.headers.get("authorization"):
            return JSONResponse({"message": "TF400813"}, status_code=401)
        query = request.query_params
        found = rows
        if "minStartedTime" in query:
            low, high = parse(query["minStartedTime"]), parse(query["maxStartedTime"])
            found = [row for row in rows if low <= parse(row["startedOn"]) < high]
        start, size = int(query.get("continuationToken", "0")), int(query.get("$top", "50"))
        headers = {"x-ms-continuationtoken": str(start + size)} if start + size < len(found) else {}
        part = found[start : start + size]
        return JSONResponse({"count": len(part), "value": part}, headers=headers)

    return [Route("/{organization}/{project}/_apis/release/deployments", deployments)]

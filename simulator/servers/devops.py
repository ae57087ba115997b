"""Azure DevOps: deployments of classic releases, and what YAML pipelines brought to environments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import DEVOPS_TEAM, PLANTED, Records, Row, parse, precise

PERSON = {"displayName": PLANTED["person"], "uniqueName": PLANTED["mail"]}
BASE = "/{organization}/{project}/_apis"


def _page(query: Any, rows: list[Row], size: int) -> Response:
    """Return a page; a header names the next one."""
    start = int(query.get("continuationToken", "0"))
    headers = {"x-ms-continuationtoken": str(start + size)} if start + size < len(rows) else {}
    part = rows[start : start + size]
    return JSONResponse({"count": len(part), "value": part}, headers=headers)


def _refused(request: Request) -> Response | None:
    return None if request.headers.get("authorization") else JSONResponse({"message": "TF400813"}, status_code=401)


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        mine = [
            (number, row)
            for number, row in enumerate(records.rows["deployments"], start=500_000)
            if records.team_of(row["service_id"]) == DEVOPS_TEAM
        ]
        # The numbers are those that incidents refer to.
        self.releases = [_release(number, row) for number, row in mine]
        names = sorted({row["environment"] for _, row in mine})
        self.environments = [{"id": place, "name": name} for place, name in enumerate(names, start=1)]
        numbers = {item["name"]: item["id"] for item in self.environments}
        self.records: dict[int, list[Row]] = {item["id"]: [] for item in self.environments}
        self.builds: dict[int, Row] = {}
        self.approved: dict[int, bool] = {}
        for number, row in mine:
            self._add(number, row, numbers[row["environment"]])
        for rows in self.records.values():
            rows.sort(key=lambda record: record["queueTime"], reverse=True)

    def _add(self, number: int, row: Row, environment: int) -> None:
        """A run of a pipeline: two jobs in one stage, and half an hour later a test of the environment."""
        at, service = row["deployed_at"], row["service_id"]
        made = (
            (number, service, "manual", at, 2),
            (number + 100_000, service, "schedule", at + timedelta(minutes=30), 1),
        )
        for build, pipeline, reason, ended, jobs in made:
            definition = {"id": 7, "name": pipeline}
            self.builds[build] = {
                "id": build,
                "definition": definition,
                "reason": reason,
                "result": "succeeded",
                "status": "completed",
                "requestedFor": PERSON,
            }
            self.approved[build] = bool(row["has_manual_step"])
            self.records[environment] += [
                {
                    "id": build * 10 + job,
                    "environmentId": environment,
                    "definition": definition,
                    "owner": {"id": build, "name": f"{build}.1"},
                    "planType": "Build",
                    "stageName": "production",
                    "stageAttempt": 1,
                    "jobName": f"job{job}",
                    "jobAttempt": 1,
                    "result": "succeeded",
                    "queueTime": precise(ended - timedelta(minutes=20)),
                    "startTime": precise(ended - timedelta(minutes=10)),
                    "finishTime": precise(ended - timedelta(minutes=job)),
                }
                for job in range(jobs)
            ]

    def deployments(self, request: Request) -> Response:
        """Deployments of releases of one status, by the time they began."""
        query = request.query_params
        low, high, changed = (query.get(name) for name in ("minStartedTime", "maxStartedTime", "minModifiedTime"))
        found = [
            row
            for row in self.releases
            if query.get("deploymentStatus", "succeeded") == row["deploymentStatus"]
            and (low is None or parse(low) <= parse(row["startedOn"]))
            and (high is None or parse(row["startedOn"]) <= parse(high))
            and (changed is None or parse(changed) <= parse(row["lastModifiedOn"]))
        ]
        return _refused(request) or _page(query, found, int(query.get("$top", "50")))

    def all_environments(self, request: Request) -> Response:
        """The environments of the project."""
        return _refused(request) or _page(request.query_params, self.environments, 50)

    def deployed(self, request: Request) -> Response:
        """What deployed to an environment, newest first."""
        rows = self.records[int(request.path_params["number"])]
        return _refused(request) or _page(request.query_params, rows, int(request.query_params.get("top", "50")))

    def runs(self, request: Request) -> Response:
        """Runs of pipelines by number."""
        asked = request.query_params.get("buildIds")
        numbers = [int(part) for part in asked.split(",")] if asked else list(self.builds)[:1]
        found = [self.builds[number] for number in numbers if number in self.builds]
        return _refused(request) or _page(request.query_params, found, 1000)

    def timeline(self, request: Request) -> Response:
        """Stages of a run, and whether one waited for somebody."""
        number = int(request.path_params["number"])
        records: list[Row] = [
            {"id": f"s{number}", "parentId": None, "type": "Stage", "name": "production", "identifier": "production"},
            {"id": f"c{number}", "parentId": f"s{number}", "type": "Checkpoint", "name": "Checkpoint"},
        ]
        if self.approved[number]:
            records.append({"id": f"a{number}", "parentId": f"c{number}", "type": "Checkpoint.Approval", "name": "x"})
        return _refused(request) or JSONResponse({"id": f"t{number}", "records": records})


def _release(number: int, row: Row) -> Row:
    ended = precise(row["deployed_at"])
    return {
        "id": number,
        "releaseDefinition": {"id": 3, "name": row["service_id"]},
        "releaseEnvironment": {"id": 4, "name": row["environment"]},
        "deploymentStatus": "succeeded",
        "operationStatus": "Approved",
        # It began before midnight where it ended soon after.
        "startedOn": precise(row["deployed_at"] - timedelta(minutes=40)),
        "lastModifiedOn": ended,
        # Most answers lack the end.
        **({"completedOn": ended} if number % 4 == 0 else {}),
        "requestedFor": PERSON,
        "preDeployApprovals": [{"isAutomated": not row["has_manual_step"], "status": "approved"}],
        "postDeployApprovals": [],
    }


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/devops``."""
    api = _Api(records)
    return [
        Route(f"{BASE}/release/deployments", api.deployments),
        Route(f"{BASE}/distributedtask/environments", api.all_environments),
        Route(f"{BASE}/distributedtask/environments/{{number}}/environmentdeploymentrecords", api.deployed),
        Route(f"{BASE}/build/builds", api.runs),
        Route(f"{BASE}/build/builds/{{number}}/timeline", api.timeline),
    ]

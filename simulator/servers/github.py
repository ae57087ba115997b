"""GitHub's REST and GraphQL APIs: repositories, issues, pull requests, runs, deployments, alerts."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.hub import GitHub
from simulator.servers.records import (
    INCIDENTS,
    OWNER,
    PLANTED,
    Records,
    Row,
    parse,
    precise,
    text,
)

# More states than this need another page.
STATES_SHOWN = 4


def public(row: Row) -> Row:
    """Return a record without the fields that only the simulator needs."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def _page(request: Request, rows: list[Row], wrap: str | None = None, total: int | None = None) -> Response:
    """Return one page with ``Link`` to the next, as REST lists do."""
    size = min(int(request.query_params.get("per_page", "30")), 100)
    number = int(request.query_params.get("page", "1"))
    part = [public(row) for row in rows[(number - 1) * size : number * size]]
    headers = {}
    if number * size < len(rows):
        following = request.url.include_query_params(page=number + 1)
        headers["link"] = f'<{following}>; rel="next"'
    body = {"total_count": len(rows) if total is None else total, wrap: part} if wrap else part
    return JSONResponse(body, headers=headers)


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['repo']}"


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        self.records, self.hub = records, GitHub(records)

    @staticmethod
    def repository(request: Request) -> Response:
        """A repository."""
        return JSONResponse({"full_name": _name(request), "private": False})

    def runs(self, request: Request) -> Response:
        """Workflow runs of a span; the total is true, but no filter shows more than its first thousand."""
        asked = request.query_params.get("created", "2000-01-01T00:00:00Z..2100-01-01T00:00:00Z")
        start, end = (parse(part) for part in asked.split(".."))
        low, high = text(start) or "", text(end) or ""
        found = [run for run in self.hub.runs.get(_name(request), []) if low <= run["created_at"] <= high]
        return _page(request, found[:1000], "workflow_runs", total=len(found))

    def _run(self, request: Request) -> Row | None:
        number = int(request.path_params["run"])
        return next((run for run in self.hub.runs.get(_name(request), []) if run["id"] == number), None)

    def run(self, request: Request) -> Response:
        """One workflow run."""
        found = self._run(request)
        return JSONResponse(public(found)) if found else JSONResponse({"message": "Not Found"}, status_code=404)

    def jobs(self, request: Request) -> Response:
        """The one job of a run."""
        number, run = int(request.path_params["run"]), self._run(request)
        if run is None:
            return JSONResponse({"message": "Not Found"}, status_code=404)
        start = parse(run["created_at"])
        end = start + timedelta(milliseconds=run["_ms"] or 1000)
        step = {"name": "Run k6 use case", "number": 3, "started_at": precise(start), "completed_at": precise(end)}
        setup = step | {"name": "Set up job", "number": 1, "conclusion": "success", "status": "completed"}
        up = run["_up"] or (run["run_attempt"] > 1 and "attempt" not in request.path_params)
        probe = step | {"conclusion": "success" if up else "failure", "status": "completed"}
        if run["_skipped"]:
            probe |= {"conclusion": "skipped"}
        body = {
            "id": number * 10,
            "name": "use-case",
            "conclusion": run["conclusion"],
            "completed_at": precise(end),
            "steps": [setup, probe],
        }
        return JSONResponse({"total_count": 1, "jobs": [body]})

    def deployments(self, request: Request) -> Response:
        """Deployments, newest first."""
        return _page(request, [row["body"] for row in self.hub.deployments.get(_name(request), [])])

    def _deployment(self, request: Request) -> Row:
        number = int(request.path_params["number"])
        return next(row for row in self.hub.deployments[_name(request)] if row["body"]["id"] == number)

    def statuses(self, request: Request) -> Response:
        """States of a deployment, newest first."""
        return _page(
            request, sorted(self._deployment(request)["statuses"], key=lambda row: row["created_at"], reverse=True)
        )

    def releases(self, request: Request) -> Response:
        """Releases."""
        found = [
            {
                "id": row["body"]["id"],
                "name": PLANTED["text"],
                "tag_name": f"v{row['body']['id']}",
                "draft": False,
                "prerelease": row["body"]["environment"] == "stage",
                "created_at": row["body"]["created_at"],
                "published_at": row["statuses"][1]["created_at"],
                "author": row["body"]["creator"],
            }
            for row in self.hub.deployments.get(_name(request), [])
        ]
        return _page(request, found)

    def alerts(self, request: Request) -> Response:
        """Dependabot alerts."""
        return _page(request, self.hub.alerts.get(_name(request), []))

    def code_alerts(self, request: Request) -> Response:
        """Alerts of a code scanner."""
        rule = {"id": "js/x", "severity": "error", "security_severity_level": None, "description": PLANTED["finding"]}
        ends = {"fixed_at": None, "dismissed_at": None, "dismissed_reason": None, "rule": rule}
        return _page(request, [_scanner(number, self.records.now, **ends) for number in (1, 2)])

    def secret_alerts(self, request: Request) -> Response:
        """Alerts of a secret scanner."""
        # The real API, too, tells the secret unless it is asked not to.
        hidden = request.query_params.get("hide_secret") == "true"
        shown = {"secret": None if hidden else PLANTED["secret"], "secret_type": "api_key"}
        shown |= {"resolution": None, "resolved_at": None}
        return _page(request, [_scanner(1, self.records.now, **shown)])

    def contents(self, request: Request) -> Response:
        """CODEOWNERS, or the restore tests of a repository."""
        tests = [
            {
                "schema": 1,
                "id": row["test_id"],
                "system": row["datastore_id"],
                "started_at": precise(row["requested_at"]),
                "restored_at": precise(row["restored_at"]),
                "verified_at": precise(row["verified_at"]),
                "result": "ok" if row["is_successful"] else "failed",
                "data_gb": row["data_gb"],
                "evidence": PLANTED["text"],
            }
            for row in self.records.rows["restore_tests"]
            if row["datastore_id"].startswith(request.path_params["repo"])
        ]
        if request.path_params["path"] == ".github/CODEOWNERS":
            team = next(
                (s.team for s in self.records.organisation.services if s.id == request.path_params["repo"]), None
            )
            lines = f"# who looks at what\n*  @{OWNER}/{team} {PLANTED['mail']}\n/docs/ @{OWNER}/dokumentasjon\n"
            content = base64.b64encode(lines.encode()).decode()
            return JSONResponse({"type": "file", "encoding": "base64", "content": content})
        if request.path_params["path"] != "restore-test.json" or not tests:
            return JSONResponse({"message": "Not Found"}, status_code=404)
        content = base64.b64encode(json.dumps(tests).encode()).decode()
        return JSONResponse({"type": "file", "encoding": "base64", "content": content})

    @staticmethod
    def rate_limit(_request: Request) -> Response:
        """What is left of the budget."""
        return JSONResponse({"resources": {"graphql": {"limit": 5000, "remaining": 4999, "reset": 0}}})

    def known_exploited(self, _request: Request) -> Response:
        """The catalogue of exploited vulnerabilities."""
        found = [
            {"cveID": alert["security_advisory"]["cve_id"], "shortDescription": PLANTED["finding"]}
            for rows in self.hub.alerts.values()
            for alert in rows
            if alert["_exploited"]
        ]
        return JSONResponse({"title": "stand-in", "vulnerabilities": found})

    @staticmethod
    def installation_token(_request: Request) -> Response:
        """A token for an installed app."""
        return JSONResponse(
            {"token": "ghs_loopback", "expires_at": "2099-01-01T00:00:00Z", "permissions": {}}, status_code=201
        )

    async def graphql(self, request: Request) -> Response:
        """The GraphQL endpoint."""
        body = await request.json()
        return JSONResponse({"data": _graphql(self.hub, body["query"], body["variables"])})


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/github``."""
    api = _Api(records)
    base = "/repos/{owner}/{repo}"
    return [
        Route("/graphql", api.graphql, methods=["POST"]),
        Route("/app/installations/{number}/access_tokens", api.installation_token, methods=["POST"]),
        Route("/rate_limit", api.rate_limit),
        Route("/known_exploited_vulnerabilities.json", api.known_exploited),
        Route(base, api.repository),
        Route(f"{base}/actions/runs", api.runs),
        Route(f"{base}/actions/runs/{{run}}", api.run),
        Route(f"{base}/actions/runs/{{run}}/jobs", api.jobs),
        Route(f"{base}/actions/runs/{{run}}/attempts/{{attempt}}/jobs", api.jobs),
        Route(f"{base}/releases", api.releases),
        Route(f"{base}/deployments", api.deployments),
        Route(f"{base}/deployments/{{number}}/statuses", api.statuses),
        Route(f"{base}/dependabot/alerts", api.alerts),
        Route(f"{base}/code-scanning/alerts", api.code_alerts),
        Route(f"{base}/secret-scanning/alerts", api.secret_alerts),
        Route(f"{base}/contents/{{path:path}}", api.contents),
    ]


def _scanner(number: int, now: datetime, **more: Any) -> Row:
    """An alert of a scanner that was found ten days ago and is open."""
    found = precise(now - timedelta(days=10 + number))
    return {"number": number, "state": "open", "created_at": found, **more}


def _slice(rows: list[Row], after: str | None, size: int) -> tuple[list[Row], Row]:
    start = int(after or 0)
    more = start + size < len(rows)
    return rows[start : start + size], {"hasNextPage": more, "endCursor": str(start + size) if more else None}


def _graphql(hub: GitHub, query: str, variables: Row) -> Row:
    """Answer the shapes of document that exist: a search, deployments, a repository's issues, a repository's state."""
    if "nodes(ids" in query:
        return {"nodes": [_deployment_states(hub, number) for number in variables["ids"]]}
    if "search(" in query:
        return {"search": _search(hub, variables)}
    if "issues(first: 50" in query:
        labels, since = set(variables["labels"]), variables.get("since")
        names = f"{variables['owner']}/{variables['name']}"
        rows = [
            issue
            for issue in (hub.issues if names == INCIDENTS else [])
            if labels & {node["name"] for node in issue["labels"]["nodes"]}
            and (since is None or issue["_updated"] >= parse(since))
        ]
        part, info = _slice(sorted(rows, key=lambda row: row["_created"]), variables.get("after"), 50)
        return {"repository": {"issues": {"pageInfo": info, "nodes": [public(row) for row in part]}}}
    enabled = {row["repository"]: row["is_bot_enabled"] for row in hub.records.rows["repository_states"]}
    on = enabled.get(f"{variables['owner']}/{variables['name']}", False)
    return {
        "repository": {
            "pushedAt": text(hub.records.now - timedelta(days=2)),
            "isArchived": False,
            **dict.fromkeys(f"file{number}" for number in range(16)),
            "file0": {"__typename": "Blob", "text": '{"extends": ["local>kystetaten/renovate"]}'} if on else None,
            "dashboard": {
                "nodes": [{"updatedAt": text(hub.records.now - timedelta(hours=5)), "body": PLANTED["text"]}]
                if on
                else []
            },
        }
    }


def _deployment_states(hub: GitHub, node_id: str) -> Row | None:
    found = hub.deployment_of.get(node_id)
    if found is None:
        return None
    states = [
        {
            "state": row["state"].upper(),
            "createdAt": row["created_at"],
            "description": row["description"],
            "logUrl": row["log_url"],
        }
        for row in reversed(found["statuses"])
    ]
    return {
        "databaseId": found["body"]["id"],
        "commit": {"authoredDate": precise(found["committed"])} if found["committed"] else None,
        "statuses": {"pageInfo": {"hasNextPage": len(states) > STATES_SHOWN}, "nodes": states[:STATES_SHOWN]},
    }


def _search(hub: GitHub, variables: Row) -> Row:
    field, start, end = _span(variables["q"])
    rows = [
        pull
        for pull in hub.pulls
        if f"author:app/{pull['author']['login']} " in variables["q"]
        and pull["_instants"][field] is not None
        and start <= pull["_instants"][field] <= end
    ]
    part, info = _slice(rows[:1000], variables.get("after"), 100)
    return {"issueCount": len(rows), "pageInfo": info, "nodes": [public(row) for row in part]}


def _span(query: str) -> tuple[str, datetime, datetime]:
    match: Any = re.search(r"(created|merged|updated):(\S+)\.\.(\S+)", query)
    return match[1], parse(match[2]), parse(match[3]) + timedelta(seconds=1)

"""GitHub's REST and GraphQL APIs: repositories, issues, pull requests, runs, deployments, alerts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import (
    DEVOPS_TEAM,
    INCIDENTS,
    OWNER,
    PLANTED,
    PROBED_BY_GITHUB,
    Records,
    Row,
    parse,
    precise,
    text,
)

VECTOR = "CVSS:3.1/AV:{}/AC:L/PR:N/UI:N/S:U/C:{}/I:H/A:H"
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}


class GitHub:
    """Answers; everything is made once from the records."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.deployments = self._deployments()
        self.runs = self._runs()
        self.alerts = self._alerts()
        self.pulls = self._pulls()
        self.issues = self._issues()

    def _deployments(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        self.numbers: dict[str, str] = {}
        for number, row in enumerate(self.records.rows["deployments"], start=500_000):
            repository = f"{OWNER}/{row['service_id']}"
            self.numbers[row["deployment_id"]] = f"{repository}#{number}"
            if row["deployed_at"] < self.records.archive_until:
                self.numbers[row["deployment_id"]] = row["deployment_id"]
            elif self.records.team_of(row["service_id"]) == DEVOPS_TEAM:
                self.numbers[row["deployment_id"]] = f"azure-devops-{number}"
            if self.records.team_of(row["service_id"]) == DEVOPS_TEAM:
                continue
            human = row["actor_kind"] == "human"
            created = row["deployed_at"] - timedelta(minutes=4)
            statuses = [("queued", created, ""), ("success", row["deployed_at"], "")]
            for column, word in (("rolled_back_at", "rollback"), ("hotfixed_at", "hotfix")):
                if row[column]:
                    statuses.append(("failure", row[column], f"{word} {PLANTED['text']}"))
            statuses.append(("inactive", row["deployed_at"] + timedelta(days=40), ""))
            found[repository].append(
                {
                    "body": {
                        "id": number,
                        "sha": hashlib.sha1(row["deployment_id"].encode(), usedforsecurity=False).hexdigest(),
                        "ref": "main",
                        "task": "hotfix" if row["is_rework"] else "deploy",
                        "environment": row["environment"],
                        "payload": {"manual_step": row["has_manual_step"]},
                        "description": PLANTED["text"],
                        "creator": {"login": PLANTED["person"], "type": "User"} if human else BOT,
                        "performed_via_github_app": None if human else {"slug": "github-actions"},
                        "created_at": precise(created),
                    },
                    "committed": row["committed_at"],
                    "statuses": [
                        {"id": number * 10 + place, "state": state, "created_at": precise(at), "description": note}
                        for place, (state, at, note) in enumerate(statuses)
                    ],
                }
            )
        for rows in found.values():
            rows.sort(key=lambda row: row["body"]["created_at"], reverse=True)
        return found

    def _runs(self) -> dict[str, list[Row]]:
        frame = self.records.frames["availability_checks"]
        found: dict[str, list[Row]] = {}
        for service in PROBED_BY_GITHUB:
            rows = frame.filter(frame["monitor_id"] == f"probe-{service}").to_dicts()
            found[f"{OWNER}/{service}"] = [
                {
                    "id": 9_000_000 + place,
                    "run_number": place + 1,
                    # Every eighth failure was run again by hand, and the second attempt is green.
                    "run_attempt": 2 if row["status"] != "up" and place % 8 == 0 else 1,
                    "name": "Use Case PROD",
                    "path": ".github/workflows/use-case-PROD.yml",
                    "event": "schedule",
                    "status": "completed",
                    # A failed probe makes the run red; a probe that was skipped leaves it green.
                    "conclusion": "success" if row["status"] == "up" else "failure",
                    "created_at": text(row["checked_at"]),
                    "run_started_at": text(row["checked_at"]),
                    "updated_at": text(row["checked_at"] + timedelta(minutes=2)),
                    "head_branch": "main",
                    "actor": {"login": PLANTED["person"]},
                    "_up": row["status"] == "up",
                    "_skipped": False,
                    "_ms": row["response_ms"],
                }
                for place, row in enumerate(rows)
            ]
            found[f"{OWNER}/{service}"] += self._others(len(rows))
        return found

    def _others(self, count: int) -> list[Row]:
        """Runs that a reader must not take for a probe's result: switched off, by hand, and a restore test."""
        at = self.records.now.replace(hour=3) - timedelta(days=3)
        common: Row = {
            "run_attempt": 1,
            "name": "Use Case PROD",
            "path": ".github/workflows/use-case-PROD.yml",
            "event": "schedule",
            "status": "completed",
            "conclusion": "success",
            "created_at": text(at),
            "run_started_at": text(at),
            "updated_at": text(at),
            "head_branch": "main",
            "actor": {"login": PLANTED["person"]},
            "_up": True,
            "_ms": 2_520_000,
        }
        kinds: list[Row] = [
            {"_skipped": True, "created_at": text(at + timedelta(minutes=7))},
            {"_skipped": False, "event": "workflow_dispatch"},
            {"_skipped": False, "path": ".github/workflows/restore-test-sjokart-api-db.yml"},
            {"_skipped": False, "path": ".github/workflows/build.yml"},
        ]
        return [common | kind | {"id": 9_000_000 + count + place, "run_number": 1} for place, kind in enumerate(kinds)]

    def _alerts(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for number, row in enumerate(self.records.rows["vulnerabilities"], start=1):
            scope = "runtime" if row["is_exposed"] else "development"
            vector = VECTOR.format("N" if row["is_automatable"] else "L", "H" if row["is_total_impact"] else "L")
            cve = f"CVE-2026-{90000 + number}"
            found[f"{OWNER}/{row['service_id']}"].append(
                {
                    "number": number,
                    "state": "fixed" if row["fixed_at"] else "open",
                    "dependency": {
                        "package": {"ecosystem": "npm", "name": PLANTED["finding"]},
                        "manifest_path": "package.json",
                        "scope": scope,
                        "relationship": "direct",
                    },
                    "security_advisory": {
                        "ghsa_id": f"GHSA-xxxx-{number:04d}-zzzz",
                        "cve_id": cve,
                        "summary": PLANTED["finding"],
                        "description": PLANTED["finding"],
                        "severity": "high",
                        "published_at": precise(row["detected_at"] - timedelta(days=1)),
                        "cvss_severities": {"cvss_v3": {"vector_string": vector, "score": 7.5}},
                        "epss": {"percentage": row["epss_ratio"], "percentile": 0.5},
                    },
                    "created_at": precise(row["detected_at"]),
                    "fixed_at": precise(row["fixed_at"]),
                    "dismissed_at": None,
                    "auto_dismissed_at": None,
                    "_exploited": row["is_exploited"],
                }
            )
        return found

    def _pulls(self) -> list[Row]:
        found: list[Row] = []
        for number, row in enumerate(self.records.rows["update_episodes"], start=1):
            applied, package = row["applied_at"], row["package"]
            badge = f"[![age](https://badges.invalid/badges/age/npm/{package}/2.{number}.0)](https://docs.invalid/)"
            table = f"| [{package}](https://x.invalid) | [`2.0.0` -> `2.{number}.0`](https://x.invalid) | {badge} |"
            body = f"Updates.\n\n| Package | Change | Age |\n|---|---|---|\n{table}\n\n{PLANTED['text']}"
            found.append(
                {
                    "__typename": "PullRequest",
                    "number": number,
                    "title": f"chore(deps): update {package} to v2.{number}.0",
                    "state": "MERGED" if applied else "OPEN",
                    "createdAt": precise(row["available_at"]),
                    "mergedAt": precise(applied),
                    "closedAt": precise(applied),
                    "headRefName": f"renovate/{package}",
                    "body": body,
                    "repository": {"nameWithOwner": row["repository"]},
                    "author": {"__typename": "Bot", "login": "renovate"},
                    "mergedBy": {"__typename": "User"} if applied else None,
                    "mergeCommit": {"oid": hashlib.sha1(str(number).encode(), usedforsecurity=False).hexdigest()}
                    if applied
                    else None,
                    "labels": {"nodes": [{"name": "dependencies"}]},
                    "_instants": {
                        "created": row["available_at"],
                        "merged": applied,
                        "updated": applied or row["available_at"],
                    },
                }
            )
        return found

    def _issues(self) -> list[Row]:
        found: list[Row] = []
        for row in self.records.rows["incidents"]:
            fields = {
                "Hendelsesnummer": row["incident_id"],
                "Varslet av alarm": row["first_alert_at"],
                "Meldt av bruker": row["first_report_at"],
                "Hendelsesansvarlig utpekt": row["manager_assigned_at"],
                "Post mortem publisert": row["postmortem_published_at"],
                "Myndighet varslet": row["notified_at"],
                # A sentence where a code belongs stays where it is.
                "Signatur": row["signature"] or PLANTED["text"],
                "Utløst av": self.numbers.get(row["caused_by_deployment_id"] or ""),
                "Beskrivelse": f"{PLANTED['text']} {PLANTED['person']} {PLANTED['mail']}",
            }
            flags = {
                "eskalert": row["is_escalated"],
                "øvelse": row["is_exercise"],
                "datatap": row["is_data_loss"],
                "gjennomgått": row["is_postmortem_reviewed"],
                "meldepliktig": row["is_reportable"],
            }
            labels = [
                "incident",
                f"service:{row['service_id']}",
                f"sev{row['severity']}",
                *(n for n, on in flags.items() if on),
            ]
            found.append(self._issue(len(found) + 1, labels, fields, row["declared_at"], row["resolved_at"]))
        for row in self.records.rows["action_items"]:
            fields = {"Frist": row["first_due_at"], "Hendelse": row["incident_id"]}
            dropped = row["is_dropped_with_approval"]
            labels = [
                "tiltak",
                f"service:{row['service_id']}",
                f"p{row['priority']}",
                *(["godkjent"] if dropped else []),
            ]
            fields |= {"Utført": row["done_at"]} if dropped else {}
            ended = row["done_at"] or (self.records.now if dropped else None)
            issue = self._issue(len(found) + 1, labels, fields, row["created_at"], ended)
            found.append(issue | {"stateReason": "NOT_PLANNED" if dropped else issue["stateReason"]})
        for row in self.records.rows["maintenance_tasks"]:
            labels = ["vedlikehold", f"team:{row['team_id']}"]
            made = min(row["first_due_at"] - timedelta(days=30), self.records.now)
            found.append(self._issue(len(found) + 1, labels, {"Frist": row["first_due_at"]}, made, row["completed_at"]))
        return found

    def _issue(self, number: int, labels: list[str], fields: Row, created: datetime, closed: datetime | None) -> Row:
        lines = [
            f"### {name}\n\n{precise(value) if isinstance(value, datetime) else value or '_No response_'}"
            for name, value in fields.items()
        ]
        return {
            "number": number,
            "state": "CLOSED" if closed else "OPEN",
            "stateReason": "COMPLETED" if closed else None,
            "createdAt": precise(created),
            "closedAt": precise(closed),
            "body": "\n\n".join(lines),
            "labels": {"nodes": [{"name": label} for label in labels]},
            "milestone": None,
            "timelineItems": {"nodes": []},
            "_updated": closed or self.records.now,
            "_created": created,
        }


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


def routes(records: Records) -> list[Route]:  # noqa: C901 - one closure per route
    """Return the routes below ``/github``."""
    hub = GitHub(records)

    def name(request: Request) -> str:
        return f"{request.path_params['owner']}/{request.path_params['repo']}"

    def repository(request: Request) -> Response:
        return JSONResponse({"full_name": name(request), "private": False})

    def runs(request: Request) -> Response:
        asked = request.query_params.get("created", "2000-01-01T00:00:00Z..2100-01-01T00:00:00Z")
        start, end = (parse(part) for part in asked.split(".."))
        low, high = text(start) or "", text(end) or ""
        found = [run for run in hub.runs.get(name(request), []) if low <= run["created_at"] <= high]
        # The total is true, but no filter shows more than its first thousand.
        return _page(request, found[:1000], "workflow_runs", total=len(found))

    def jobs(request: Request) -> Response:
        number = int(request.path_params["run"])
        run = hub.runs[name(request)][number - 9_000_000]
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

    def deployments(request: Request) -> Response:
        return _page(request, [row["body"] for row in hub.deployments.get(name(request), [])])

    def _deployment(request: Request) -> Row:
        number = int(request.path_params["number"])
        return next(row for row in hub.deployments[name(request)] if row["body"]["id"] == number)

    def statuses(request: Request) -> Response:
        return _page(request, sorted(_deployment(request)["statuses"], key=lambda row: row["created_at"], reverse=True))

    commits = {row["body"]["sha"]: row["committed"] for rows in hub.deployments.values() for row in rows}

    def commit(request: Request) -> Response:
        person = {
            "name": PLANTED["person"],
            "email": PLANTED["mail"],
            "date": precise(commits[request.path_params["sha"]]),
        }
        return JSONResponse(
            {
                "sha": request.path_params["sha"],
                "commit": {"author": person, "committer": person, "message": PLANTED["text"]},
            }
        )

    def releases(request: Request) -> Response:
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
            for row in hub.deployments.get(name(request), [])
        ]
        return _page(request, found)

    def alerts(request: Request) -> Response:
        return _page(request, hub.alerts.get(name(request), []))

    def code_alerts(request: Request) -> Response:
        rule = {"id": "js/x", "severity": "error", "security_severity_level": None, "description": PLANTED["finding"]}
        return _page(request, [_scanner(number, records.now, rule=rule) for number in (1, 2)])

    def secret_alerts(request: Request) -> Response:
        # The real API, too, tells the secret unless it is asked not to.
        hidden = request.query_params.get("hide_secret") == "true"
        shown = {"secret": None if hidden else PLANTED["secret"], "secret_type": "api_key"}
        return _page(request, [_scanner(1, records.now, **shown)])

    def contents(request: Request) -> Response:
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
            for row in records.rows["restore_tests"]
            if row["datastore_id"].startswith(request.path_params["repo"])
        ]
        if request.path_params["path"] == ".github/CODEOWNERS":
            team = next((s.team for s in records.organisation.services if s.id == request.path_params["repo"]), None)
            lines = f"# who looks at what\n*  @{OWNER}/{team} {PLANTED['mail']}\n/docs/ @{OWNER}/dokumentasjon\n"
            return JSONResponse({"type": "file", "content": base64.b64encode(lines.encode()).decode()})
        if request.path_params["path"] != "restore-test.json" or not tests:
            return JSONResponse({"message": "Not Found"}, status_code=404)
        content = base64.b64encode(json.dumps(tests).encode()).decode()
        return JSONResponse({"type": "file", "encoding": "base64", "content": content})

    def rate_limit(_request: Request) -> Response:
        return JSONResponse({"resources": {"graphql": {"limit": 5000, "remaining": 4999, "reset": 0}}})

    def known_exploited(_request: Request) -> Response:
        found = [
            {"cveID": alert["security_advisory"]["cve_id"], "shortDescription": PLANTED["finding"]}
            for rows in hub.alerts.values()
            for alert in rows
            if alert["_exploited"]
        ]
        return JSONResponse({"title": "stand-in", "vulnerabilities": found})

    def installation_token(_request: Request) -> Response:
        return JSONResponse(
            {"token": "ghs_loopback", "expires_at": "2099-01-01T00:00:00Z", "permissions": {}}, status_code=201
        )

    async def graphql(request: Request) -> Response:
        body = await request.json()
        return JSONResponse({"data": _graphql(hub, body["query"], body["variables"])})

    base = "/repos/{owner}/{repo}"
    return [
        Route("/graphql", graphql, methods=["POST"]),
        Route("/app/installations/{number}/access_tokens", installation_token, methods=["POST"]),
        Route("/rate_limit", rate_limit),
        Route("/known_exploited.json", known_exploited),
        Route(base, repository),
        Route(f"{base}/actions/runs", runs),
        Route(f"{base}/actions/runs/{{run}}/jobs", jobs),
        Route(f"{base}/actions/runs/{{run}}/attempts/{{attempt}}/jobs", jobs),
        Route(f"{base}/releases", releases),
        Route(f"{base}/deployments", deployments),
        Route(f"{base}/deployments/{{number}}/statuses", statuses),
        Route(f"{base}/commits/{{sha}}", commit),
        Route(f"{base}/dependabot/alerts", alerts),
        Route(f"{base}/code-scanning/alerts", code_alerts),
        Route(f"{base}/secret-scanning/alerts", secret_alerts),
        Route(f"{base}/contents/{{path:path}}", contents),
    ]


def _scanner(number: int, now: datetime, **more: Any) -> Row:
    """An alert of a scanner that was found ten days ago and is open."""
    found = precise(now - timedelta(days=10 + number))
    return {"number": number, "state": "open", "created_at": found, "fixed_at": None, "dismissed_at": None, **more}


def _slice(rows: list[Row], after: str | None, size: int) -> tuple[list[Row], Row]:
    start = int(after or 0)
    more = start + size < len(rows)
    return rows[start : start + size], {"hasNextPage": more, "endCursor": str(start + size) if more else None}


def _graphql(hub: GitHub, query: str, variables: Row) -> Row:
    """Answer the three shapes of document that exist: a search, a repository's issues, a repository's state."""
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
            "renovate": {"__typename": "Blob", "text": '{"extends": ["local>kystetaten/renovate"]}'} if on else None,
            "renovateFive": None,
            "renovateHidden": None,
            "renovateRc": None,
            "dependabot": None,
            "dashboard": {
                "nodes": [{"updatedAt": text(hub.records.now - timedelta(hours=5)), "body": PLANTED["text"]}]
                if on
                else []
            },
        }
    }


def _search(hub: GitHub, variables: Row) -> Row:
    field, start, end = _span(variables["q"])
    rows = [
        pull
        for pull in (hub.pulls if "author:app/renovate" in variables["q"] else [])
        if pull["_instants"][field] is not None and start <= pull["_instants"][field] <= end
    ]
    part, info = _slice(rows[:1000], variables.get("after"), 100)
    return {"issueCount": len(rows), "pageInfo": info, "nodes": [public(row) for row in part]}


def _span(query: str) -> tuple[str, datetime, datetime]:
    match: Any = re.search(r"(created|merged|updated):(\S+)\.\.(\S+)", query)
    return match[1], parse(match[2]), parse(match[3]) + timedelta(seconds=1)

"""GitLab's REST API: one group with a project per service, deployments, and merge requests of an update bot."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import OWNER, PLANTED, Records, Row, parse, precise

BOT = "renovate-bot"
_PERSON = {"id": 1, "username": "zxq", "name": PLANTED["person"], "state": "active"}


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _paged(request: Request, rows: list[Row]) -> Response:
    """Return one page; the next one stands in the ``Link`` header."""
    size = min(int(request.query_params.get("per_page", "20")), 100)
    number = int(request.query_params.get("page", "1"))
    shown = [{k: v for k, v in row.items() if not k.startswith("_")} for row in rows[(number - 1) * size :][:size]]
    headers = {}
    if number * size < len(rows):
        headers["link"] = f'<{request.url.include_query_params(page=number + 1)}>; rel="next"'
    return JSONResponse(shown, headers=headers)


def _within(request: Request, name: str, at: datetime | None) -> bool:
    after, before = (request.query_params.get(f"{name}_{side}") for side in ("after", "before"))
    if after is None and before is None:
        return True
    return at is not None and (after is None or at >= parse(after)) and (before is None or at <= parse(before))


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        self.now = records.now
        self.projects: dict[str, Row] = {
            service.id: {
                "id": 100 + place,
                "name": PLANTED["text"],
                "path": service.id,
                "path_with_namespace": f"{OWNER}/{service.id}",
            }
            for place, service in enumerate(records.organisation.services)
        }
        self.deployments = [
            self._deployment(number, row) for number, row in enumerate(records.rows["deployments"], start=700_000)
        ]
        self.requests = [
            self._request(number, row) for number, row in enumerate(records.rows["update_episodes"], start=1)
        ]

    def _deployment(self, number: int, row: Row) -> Row:
        at = row["deployed_at"]
        # One in five was made by another system through the API, and has no job.
        job = {
            "id": number * 10,
            "name": "deploy",
            "status": "success",
            "finished_at": precise(at),
            "user": _PERSON,
            "pipeline": {"id": number * 100, "source": "push", "ref": "main", "status": "success"},
        }
        return {
            "id": number,
            "iid": number,
            "ref": "main",
            "sha": _sha(str(number)),
            "created_at": precise(row["committed_at"] or at),
            "updated_at": precise(at),
            "status": "success",
            "user": _PERSON,
            "environment": {"id": 9, "name": row["environment"]},
            "deployable": job if number % 5 else None,
            "_service": row["service_id"],
            "_at": at,
        }

    def _request(self, number: int, row: Row) -> Row:
        applied, package = row["applied_at"], row["package"]
        badge = f"[![age](https://badges.invalid/badges/age/npm/{package}/2.{number}.0)](https://docs.invalid/)"
        table = f"| [{package}](https://x.invalid) | [`2.0.0` -> `2.{number}.0`](https://x.invalid) | {badge} |"
        project = self.projects.get(row["repository"].split("/", 1)[1], {"id": 0})
        return {
            "id": 50_000 + number,
            "iid": number,
            "project_id": project["id"],
            "title": f"chore(deps): update {package} to v2.{number}.0",
            "description": f"Updates.\n\n| Package | Change | Age |\n|---|---|---|\n{table}\n\n{PLANTED['text']}",
            "state": "merged" if applied else "opened",
            "created_at": precise(row["available_at"]),
            "updated_at": precise(applied or row["available_at"]),
            "merged_at": precise(applied),
            "closed_at": None,
            "source_branch": f"renovate/{package}",
            "target_branch": "main",
            "author": {"id": 2, "username": BOT, "name": PLANTED["text"], "state": "active"},
            "labels": ["dependencies"],
            "sha": _sha(f"head {number}"),
            "merge_commit_sha": _sha(str(number)) if applied else None,
            "squash_commit_sha": None,
            "references": {"full": f"{row['repository']}!{number}"},
            "_created": row["available_at"],
            "_updated": applied or row["available_at"],
        }

    def list_projects(self, request: Request) -> Response:
        """The projects of the group."""
        return _paged(request, list(self.projects.values()))

    def list_deployments(self, request: Request) -> Response:
        """The deployments of a project."""
        number = int(request.path_params["project"])
        name = next(name for name, project in self.projects.items() if project["id"] == number)
        rows = [row for row in self.deployments if row["_service"] == name and _within(request, "finished", row["_at"])]
        return _paged(request, sorted(rows, key=lambda row: row["_at"]))

    def list_requests(self, request: Request) -> Response:
        """The merge requests of the group."""
        asked = request.query_params
        rows = [
            row
            for row in self.requests
            if asked.get("author_username") == BOT
            and asked.get("state", "all") in {"all", row["state"]}
            and _within(request, "created", row["_created"])
            and _within(request, "updated", row["_updated"])
        ]
        return _paged(request, sorted(rows, key=lambda row: (row["_created"], row["iid"])))


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/gitlab``."""
    api = _Api(records)

    def known(answer: Any) -> Any:
        def checked(request: Request) -> Response:
            if not request.headers.get("private-token"):
                return JSONResponse({"message": "401 Unauthorized"}, status_code=401)
            found: Response = answer(request)
            return found

        return checked

    return [
        Route("/api/v4/groups/{group}/projects", known(api.list_projects)),
        Route("/api/v4/groups/{group}/merge_requests", known(api.list_requests)),
        Route("/api/v4/projects/{project}/deployments", known(api.list_deployments)),
    ]

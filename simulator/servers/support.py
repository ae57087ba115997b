"""A status page, end-of-life data and release dates: what the public internet would say."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row

OSLO = ZoneInfo("Europe/Oslo")


def routes(records: Records) -> list[Route]:  # noqa: C901 - one closure per route
    """Return the routes below ``/support``."""
    large = [row for row in records.rows["incidents"] if row["severity"] <= 2]
    newest = sorted(large, key=lambda row: row["declared_at"], reverse=True)[:50]

    def _report(row: Row) -> Row:
        # Status pages write their local offset.
        local = {
            name: row[name].astimezone(OSLO).isoformat() if row[name] else None
            for name in ("declared_at", "resolved_at")
        }
        return {
            "id": row["incident_id"].lower(),
            "name": PLANTED["text"],
            "status": "resolved" if row["resolved_at"] else "investigating",
            "impact": "critical" if row["severity"] == 1 else "major",
            "created_at": local["declared_at"],
            "started_at": local["declared_at"],
            "resolved_at": local["resolved_at"],
            "incident_updates": [
                {"status": "investigating", "body": PLANTED["text"], "display_at": local["declared_at"]}
            ],
        }

    def incidents(_request: Request) -> Response:
        return JSONResponse({"page": {"id": "p"}, "incidents": [_report(row) for row in newest]})

    def maintenances(_request: Request) -> Response:
        return JSONResponse({"page": {"id": "p"}, "scheduled_maintenances": []})

    def product(request: Request) -> Response:
        name = request.path_params["product"]
        releases = [
            {
                "name": row["cycle"],
                "releaseDate": row["released_on"].isoformat(),
                "eolFrom": row["eol_on"].isoformat() if row["eol_on"] else None,
            }
            for row in records.rows["eol_dates"]
            if row["product"] == name
        ]
        if not releases:
            return JSONResponse({"message": "Product not found"}, status_code=404)
        return JSONResponse({"schema_version": "1.2.0", "result": {"name": name, "releases": releases}})

    def published(request: Request) -> Response:
        """deps.dev: knows npm packages whose name begins with pakke."""
        if request.path_params["system"] != "npm" or not request.path_params["package"].startswith("pakke"):
            return JSONResponse({"message": "not found"}, status_code=404)
        return JSONResponse({"publishedAt": "2026-10-20T08:00:00Z"})

    def npm_package(request: Request) -> Response:
        return JSONResponse({"name": request.path_params["package"], "time": {"1.2.3": "2026-09-01T10:00:00.000Z"}})

    def pypi_version(_request: Request) -> Response:
        times = ("2026-09-02T10:00:00.500000Z", "2026-09-02T09:00:00.000000Z")
        return JSONResponse({"urls": [{"upload_time_iso_8601": time} for time in times]})

    def nuget_index(request: Request) -> Response:
        base = f"{str(request.base_url).rstrip('/')}/support/nuget/registration"
        return JSONResponse({"version": "3.0.0", "resources": [{"@id": base, "@type": "RegistrationsBaseUrl/3.6.0"}]})

    def nuget_leaf(request: Request) -> Response:
        # A version that was taken off the list is from 1900.
        listed = request.path_params["version"] == "8.0.1"
        return JSONResponse(
            {"catalogEntry": {"published": "2026-09-03T10:00:00+00:00" if listed else "1900-01-01T00:00:00+00:00"}}
        )

    return [
        Route("/v3/systems/{system}/packages/{package}/versions/{version}", published),
        Route("/npm/{package}", npm_package),
        Route("/pypi/{package}/{version}/json", pypi_version),
        Route("/nuget/index.json", nuget_index),
        Route("/nuget/registration/{package}/{version}.json", nuget_leaf),
        Route("/api/v2/incidents.json", incidents),
        Route("/api/v2/scheduled-maintenances.json", maintenances),
        Route("/products/{product}", product),
    ]

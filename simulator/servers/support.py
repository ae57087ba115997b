"""A status page, end-of-life data and release dates: what the public internet would say."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row

OSLO = ZoneInfo("Europe/Oslo")


def _report(row: Row) -> Row:
    # Status pages write their local offset.
    local = {
        name: row[name].astimezone(OSLO).isoformat() if row[name] else None for name in ("declared_at", "resolved_at")
    }
    return {
        "id": row["incident_id"].lower(),
        "name": PLANTED["text"],
        "status": "resolved" if row["resolved_at"] else "investigating",
        "impact": "critical" if row["severity"] == 1 else "major",
        "created_at": local["declared_at"],
        "started_at": local["declared_at"],
        "resolved_at": local["resolved_at"],
        "incident_updates": [{"status": "investigating", "body": PLANTED["text"], "display_at": local["declared_at"]}],
    }


class _Api:
    """One method per route."""

    def __init__(self, records: Records) -> None:
        large = [row for row in records.rows["incidents"] if row["severity"] <= 2]
        self.newest = sorted(large, key=lambda row: row["declared_at"], reverse=True)[:50]
        self.eol_dates = records.rows["eol_dates"]
        self.today = records.now.date()

    def incidents(self, _request: Request) -> Response:
        """The status page's newest fifty incidents."""
        return JSONResponse({"page": {"id": "p"}, "incidents": [_report(row) for row in self.newest]})

    @staticmethod
    def maintenances(_request: Request) -> Response:
        """Its planned work: none."""
        return JSONResponse({"page": {"id": "p"}, "scheduled_maintenances": []})

    def product(self, request: Request) -> Response:
        """End-of-life data of one product."""
        name = request.path_params["product"]
        releases = [
            {
                "name": row["cycle"],
                "label": row["cycle"],
                "codename": None,
                "releaseDate": row["released_on"].isoformat(),
                "isLts": False,
                "ltsFrom": None,
                "isEol": row["eol_on"] is not None and row["eol_on"] <= self.today,
                "eolFrom": row["eol_on"].isoformat() if row["eol_on"] else None,
                "isMaintained": row["eol_on"] is None or row["eol_on"] > self.today,
                "latest": None,
            }
            for row in self.eol_dates
            if row["product"] == name
        ]
        if not releases:
            return JSONResponse({"message": "Product not found"}, status_code=404)
        found = {"name": name, "label": name, "releases": releases}
        return JSONResponse({"schema_version": "1.2.1", "result": found})

    @staticmethod
    def published(request: Request) -> Response:
        """deps.dev: knows npm packages whose name begins with pakke."""
        if request.path_params["system"] != "npm" or not request.path_params["package"].startswith("pakke"):
            return JSONResponse({"message": "not found"}, status_code=404)
        return JSONResponse({"publishedAt": "2026-10-20T08:00:00Z"})

    @staticmethod
    def npm_package(request: Request) -> Response:
        """An npm package's release dates."""
        return JSONResponse({"name": request.path_params["package"], "time": {"1.2.3": "2026-09-01T10:00:00.000Z"}})

    @staticmethod
    def pypi_version(_request: Request) -> Response:
        """A Python package's release dates."""
        times = ("2026-09-02T10:00:00.500000Z", "2026-09-02T09:00:00.000000Z")
        return JSONResponse({"urls": [{"upload_time_iso_8601": time} for time in times]})

    @staticmethod
    def nuget_index(request: Request) -> Response:
        """Where NuGet keeps registrations."""
        base = f"{str(request.base_url).rstrip('/')}/support/nuget/registration"
        return JSONResponse({"version": "3.0.0", "resources": [{"@id": base, "@type": "RegistrationsBaseUrl/3.6.0"}]})

    @staticmethod
    def nuget_leaf(request: Request) -> Response:
        """One NuGet version; one that was taken off the list is from 1900."""
        listed = request.path_params["version"] == "8.0.1"
        return JSONResponse(
            {"catalogEntry": {"published": "2026-09-03T10:00:00+00:00" if listed else "1900-01-01T00:00:00+00:00"}}
        )


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/support``."""
    api = _Api(records)
    return [
        Route("/v3/systems/{system}/packages/{package}/versions/{version}", api.published),
        Route("/npm/{package}", api.npm_package),
        Route("/pypi/{package}/{version}/json", api.pypi_version),
        Route("/nuget/index.json", api.nuget_index),
        Route("/nuget/registration/{package}/{version}.json", api.nuget_leaf),
        Route("/api/v2/incidents.json", api.incidents),
        Route("/api/v2/scheduled-maintenances.json", api.maintenances),
        Route("/products/{product}", api.product),
    ]

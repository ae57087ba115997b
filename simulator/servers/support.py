"""A status page, end-of-life data and release dates: what the public internet would say."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.records import PLANTED, Records, Row

OSLO = ZoneInfo("Europe/Oslo")
# What every registry released of packages whose name holds "kjent"; of all others they know nothing.
RELEASES = (
    ("1.0.0", "2026-08-01T10:00:00Z"),
    ("1.1.0", "2026-10-06T10:00:00Z"),
    ("1.2.0", "2026-10-07T10:00:00Z"),
    ("1.3.0-rc.1", "2026-10-08T10:00:00Z"),
    ("2.0.0", "2026-10-09T10:00:00Z"),
    ("1.2.1", "2026-10-20T10:00:00Z"),
)
# Its maker took it back.
WITHDRAWN = "1.2.0"


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
        """An npm package's versions and release dates."""
        name = request.path_params["package"]
        if "ukjent" in name:
            return JSONResponse({"error": "Not found"}, status_code=404)
        if "kjent" not in name:
            return JSONResponse({"name": name, "time": {"1.2.3": "2026-09-01T10:00:00.000Z"}})
        versions = {
            version: {"name": name, "version": version}
            | ({"deprecated": PLANTED["text"]} if version == WITHDRAWN else {})
            for version, _ in RELEASES
        }
        times = {"created": RELEASES[0][1], "modified": RELEASES[-1][1], "0.9.0": "2026-07-01T10:00:00.000Z"}
        tags = {"latest": "2.0.0"}
        found = {"_id": name, "name": name, "dist-tags": tags, "versions": versions, "time": times | dict(RELEASES)}
        return JSONResponse(found)

    @staticmethod
    def known_package(request: Request) -> Response:
        """deps.dev: all versions of a package."""
        system, name = request.path_params["system"], request.path_params["package"]
        if "kjent" not in name or "ukjent" in name:
            return JSONResponse({"message": "not found"}, status_code=404)
        key = {"system": system.upper(), "name": name}
        sign = "v" if system == "go" else ""
        versions = [
            {
                "versionKey": key | {"version": sign + version},
                "publishedAt": at,
                "isDefault": version == "2.0.0",
                "isDeprecated": version == WITHDRAWN,
                "deprecatedReason": "",
            }
            for version, at in RELEASES
        ]
        return JSONResponse({"packageKey": key, "versions": versions})

    @staticmethod
    def pypi_project(_request: Request) -> Response:
        """A Python project's releases, with a file each; one that was never uploaded has none."""
        releases = {
            version.replace("-rc.", "rc"): [{"upload_time_iso_8601": at, "yanked": version == WITHDRAWN}]
            for version, at in RELEASES
        }
        return JSONResponse({"info": {"name": "kjent"}, "last_serial": 1, "releases": {"0.1": []} | releases})

    @staticmethod
    def nuget_pages(request: Request) -> Response:
        """A registration: the first page lies in the index, the second is a document of its own."""
        place = f"{str(request.base_url).rstrip('/')}/support/nuget/registration/kjent"
        first, second = _leaves(RELEASES[:3]), f"{place}/page/2.json"
        pages = [
            {"@id": f"{place}/index.json#1", "count": 3, "lower": "1.0.0", "upper": "1.2.0", "items": first},
            {"@id": second, "count": 3, "lower": "1.2.1", "upper": "2.0.0"},
        ]
        return JSONResponse({"count": 2, "items": pages})

    @staticmethod
    def nuget_page(request: Request) -> Response:
        """The second page of a registration."""
        found = {"@id": str(request.url), "count": 3, "lower": "1.2.1", "upper": "2.0.0", "parent": "index"}
        return JSONResponse(found | {"items": _leaves(RELEASES[3:])})

    @staticmethod
    def crate(_request: Request) -> Response:
        """A crate with its versions."""
        versions = [
            {"crate": "kjent", "num": version, "created_at": at, "yanked": version == WITHDRAWN}
            for version, at in RELEASES
        ]
        return JSONResponse({"crate": {"id": "kjent"}, "versions": versions, "keywords": [], "categories": []})

    @staticmethod
    def gem(_request: Request) -> Response:
        """A gem's versions, without those that were taken back; one for another platform came a day later."""
        versions = [
            {"number": version, "created_at": at, "platform": "ruby", "prerelease": "-" in version}
            for version, at in RELEASES
            if version != WITHDRAWN
        ]
        late = {"number": "1.1.0", "created_at": "2026-10-07T10:00:00Z", "platform": "java", "prerelease": False}
        return JSONResponse([late, *versions])

    @staticmethod
    def composer_package(request: Request) -> Response:
        """Composer's metadata, newest first; a version says what differs from the one above it."""
        name = f"{request.path_params['vendor']}/{request.path_params['package']}"
        versions = [{"version": f"v{version}", "time": at} for version, at in RELEASES if version != WITHDRAWN]
        versions[-1]["name"] = name
        return JSONResponse({"minified": "composer/2.0", "packages": {name: versions[::-1]}})

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


def _leaves(releases: tuple[tuple[str, str], ...]) -> list[Row]:
    return [
        {
            "@id": f"leaf/{version}",
            "catalogEntry": {
                "@id": f"entry/{version}",
                "id": "Kjent",
                "version": version,
                "listed": version != WITHDRAWN,
                "published": "1900-01-01T00:00:00+00:00" if version == WITHDRAWN else at,
            },
            "packageContent": f"content/{version}",
        }
        for version, at in releases
    ]


def routes(records: Records) -> list[Route]:
    """Return the routes below ``/support``."""
    api = _Api(records)
    return [
        Route("/v3/systems/{system}/packages/{package}/versions/{version}", api.published),
        Route("/v3/systems/{system}/packages/{package:path}", api.known_package),
        Route("/npm/{package}", api.npm_package),
        Route("/pypi/{package}/json", api.pypi_project),
        Route("/nuget/registration/{package}/index.json", api.nuget_pages),
        Route("/nuget/registration/{package}/page/2.json", api.nuget_page),
        Route("/crates/crates/{package}", api.crate),
        Route("/gems/versions/{package}.json", api.gem),
        Route("/composer/p2/{vendor}/{package}.json", api.composer_package),
        Route("/pypi/{package}/{version}/json", api.pypi_version),
        Route("/nuget/index.json", api.nuget_index),
        Route("/nuget/registration/{package}/{version}.json", api.nuget_leaf),
        Route("/api/v2/incidents.json", api.incidents),
        Route("/api/v2/scheduled-maintenances.json", api.maintenances),
        Route("/products/{product}", api.product),
    ]

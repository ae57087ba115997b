"""Files that programs leave behind, as the tests lay them into a folder: reports of scanners, summaries of k6."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from simulator.servers.records import PLANTED, Records, Row, precise
from simulator.world import local

REGISTRY = "registry.example/kyst"
# Scans run at night.
SCAN_HOUR = 2


def write_reports(records: Records, folder: Path, first: date, end: date) -> None:
    """Write everything that programs left in the folders of half-open local days."""
    write_scans(records, folder / "scans", first, end)
    write_load_tests(records, folder / "k6")
    write_notifications(records, folder / "flux")


def scans(first: date, end: date) -> list[datetime]:
    """Return the instants of the nightly scans of half-open local days."""
    return [local(first + timedelta(days=number), SCAN_HOUR) for number in range((end - first).days)]


def cve(row: Row) -> str:
    """Return the id under which a scanner tells a vulnerability."""
    return f"CVE-{row['detected_at'].year}-{crc32(row['vulnerability_id'].encode()):010d}"


def write_scans(records: Records, folder: Path, first: date, end: date) -> None:
    """Write a report of each tool for each service and night, and the list of known exploited vulnerabilities."""
    for tool, report in (("trivy", _trivy), ("grype", _grype)):
        (folder / tool).mkdir(parents=True, exist_ok=True)
        for service in records.organisation.services:
            mine = [row for row in records.rows["vulnerabilities"] if row["service_id"] == service.id]
            for at in scans(first, end):
                shown = [row for row in mine if row["detected_at"] <= at and not (row["fixed_at"] or at) < at]
                text = json.dumps(report(f"{REGISTRY}/{service.id}:{at:%Y%m%d}", at, shown))
                (folder / tool / f"{service.id}-{at:%Y%m%d}.{tool}.json").write_text(text, encoding="utf-8")
    exploited = {cve(row) for row in records.rows["vulnerabilities"] if row["is_exploited"]}
    found = {"vulnerabilities": [{"cveID": name, "shortDescription": PLANTED["finding"]} for name in sorted(exploited)]}
    (folder / "known-exploited.json").write_text(json.dumps(found), encoding="utf-8")


def _vector(row: Row) -> str:
    reach = "AV:N/AC:L/PR:N/UI:N" if row["is_automatable"] else "AV:N/AC:L/PR:L/UI:N"
    return f"CVSS:3.1/{reach}/S:U/{'C:H/I:H/A:H' if row['is_total_impact'] else 'C:L/I:L/A:L'}"


def _trivy(image: str, at: datetime, rows: list[Row]) -> dict[str, Any]:
    """A report of Trivy, by package as Trivy sorts it: each vulnerability in two, and a target without any."""
    found = [
        {
            "VulnerabilityID": cve(row),
            "PkgID": f"{package}@1.0",
            "PkgName": package,
            "PkgIdentifier": {"PURL": f"pkg:deb/debian/{package}@1.0", "UID": "1f"},
            "InstalledVersion": "1.0",
            "FixedVersion": "1.1",
            "Status": "fixed",
            "Layer": {"Digest": "sha256:aa", "DiffID": "sha256:bb"},
            "SeveritySource": "debian",
            "PrimaryURL": "https://avd.invalid/x",
            "DataSource": {"ID": "debian", "Name": "Debian Security Tracker", "URL": "https://tracker.invalid"},
            "Title": PLANTED["finding"],
            "Description": PLANTED["finding"],
            "Severity": "UNKNOWN",
            "CweIDs": ["CWE-787"],
            "VendorSeverity": {"nvd": 4},
            "CVSS": {
                "ghsa": {
                    "V40Vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                    "V40Score": 9.3,
                },
                "nvd": {
                    "V2Vector": "AV:L/AC:H/Au:N/C:P/I:P/A:P",
                    "V3Vector": _vector(row),
                    "V2Score": 3.7,
                    "V3Score": 7.5,
                },
            },
            "References": ["https://avd.invalid/x"],
            "PublishedDate": precise(row["detected_at"]),
            "LastModifiedDate": precise(row["detected_at"]),
        }
        for package in ("libzxq-dev", "libzxq1")
        for row in sorted(rows, key=cve)
    ]
    system: dict[str, Any] = {"Target": f"{image} (debian 12.5)", "Class": "os-pkgs", "Type": "debian"}
    return {
        "SchemaVersion": 2,
        "Trivy": {"Version": "0.76.0"},
        "CreatedAt": precise(at),
        "ArtifactName": image,
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "12.5"}, "RepoTags": [image]},
        "Results": [
            {**system, "Vulnerabilities": found} if found else system,
            {"Target": "app/package-lock.json", "Class": "lang-pkgs", "Type": "npm"},
        ],
    }


def _grype(image: str, at: datetime, rows: list[Row]) -> dict[str, Any]:
    """A report of Grype: the distribution's record, and the CVE that it is about with its measures."""
    matches = [
        {
            "vulnerability": {
                "id": cve(row),
                "dataSource": "https://tracker.invalid",
                "namespace": "debian:distro:debian:12",
                "severity": "Negligible",
                "urls": [],
                "cvss": [],
                "fix": {"versions": [], "state": "not-fixed"},
                "advisories": [],
                "risk": 0.1,
            },
            "relatedVulnerabilities": [
                {
                    "id": cve(row),
                    "dataSource": "https://nvd.invalid",
                    "namespace": "nvd:cpe",
                    "severity": "High",
                    "urls": [],
                    "description": PLANTED["finding"],
                    "cvss": [
                        _cvss("4.0", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N"),
                        _cvss("2.0", "AV:L"),
                        _cvss("3.1", _vector(row)),
                    ],
                    "epss": [{"cve": cve(row), "epss": row["epss_ratio"], "percentile": 0.5, "date": f"{at:%Y-%m-%d}"}],
                }
            ],
            "matchDetails": [{"type": "exact-direct-match", "matcher": "dpkg-matcher", "searchedBy": {}, "found": {}}],
            "artifact": {
                "id": "1f",
                "name": "libzxq1",
                "version": "1.0",
                "type": "deb",
                "locations": [],
                "language": "",
                "licenses": [],
                "cpes": [],
                "purl": "pkg:deb/debian/libzxq1@1.0",
                "upstreams": [],
            },
        }
        for row in rows
    ]
    return {
        "matches": matches,
        "source": {
            "type": "image",
            "target": {"userInput": image, "imageID": "sha256:aa", "tags": [], "repoDigests": []},
        },
        "distro": {"name": "debian", "version": "12", "idLike": []},
        "descriptor": {"name": "grype", "version": "0.99.1", "timestamp": at.isoformat()},
    }


def _cvss(version: str, vector: str) -> dict[str, Any]:
    metrics = {"baseScore": 7.5, "exploitabilityScore": 3.9, "impactScore": 3.6}
    return {
        "source": "nvd",
        "type": "Primary",
        "version": version,
        "vector": vector,
        "metrics": metrics,
        "vendorMetadata": {},
    }


# Requests in the busiest hour, of every service.
PEAK = 36_000
TEST_SECONDS = 600


def write_load_tests(records: Records, folder: Path) -> None:
    """Write a summary for each load test, in turn in each of k6's forms; limits are on ``http_req_duration``."""
    folder.mkdir(parents=True, exist_ok=True)
    forms = (("export", _exported), ("handled", _handled), ("machine", _machine_readable))
    for number, row in enumerate(records.rows["load_tests"]):
        kind, summary = forms[number % len(forms)]
        count = row["reached_ratio"] * PEAK * TEST_SECONDS / 3600
        text = json.dumps(summary(count, 400.0 if row["is_slo_met"] else 600.0, row["tested_at"]))
        name = f"{row['service_id']}-{row['tested_at']:%Y%m%dT%H%M%SZ}.{kind}.json"
        (folder / name).write_text(text, encoding="utf-8")


def _exported(count: float, slowest: float, _at: datetime) -> dict[str, Any]:
    """Flat; of a threshold whether it was crossed."""
    duration = {"avg": 120.0, "min": 3.0, "med": 100.0, "max": 900.0, "p(90)": slowest - 50, "p(95)": slowest}
    return {
        "root_group": {"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": {}, "checks": {}},
        "metrics": {
            "http_reqs": {"count": count, "rate": count / TEST_SECONDS},
            "http_req_duration": {**duration, "thresholds": {"p(95)<500": slowest >= 500}},
            "checks": {"passes": 45, "fails": 0, "value": 1},
        },
    }


def _handled(count: float, slowest: float, _at: datetime) -> dict[str, Any]:
    """What a script's handleSummary is given."""
    duration = {"avg": 120.0, "min": 3.0, "med": 100.0, "max": 900.0, "p(90)": slowest - 50, "p(95)": slowest}
    return {
        "root_group": {"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": [], "checks": []},
        "options": {"summaryTrendStats": ["avg", "p(95)"], "summaryTimeUnit": "", "noColor": False},
        "state": {"isStdOutTTY": False, "isStdErrTTY": False, "testRunDurationMs": TEST_SECONDS * 1000},
        "metrics": {
            "http_reqs": {
                "type": "counter",
                "contains": "default",
                "values": {"count": count, "rate": count / TEST_SECONDS},
            },
            "http_req_duration": {
                "type": "trend",
                "contains": "time",
                "values": duration,
                "thresholds": {"p(95)<500": {"ok": slowest < 500}},
            },
        },
    }


def _machine_readable(count: float, slowest: float, at: datetime) -> dict[str, Any]:
    """The form of k6 1.5 and later: it has a time and no thresholds."""
    duration = {"avg": 120.0, "min": 3.0, "med": 100.0, "max": 900.0, "p(90)": slowest - 50, "p(95)": slowest}
    return {
        "version": "1.0.0",
        "config": {"duration": TEST_SECONDS, "execution": "local", "script": "test.js"},
        "metadata": {"generatedAt": precise(at), "k6Version": "1.5.0"},
        "results": {
            "checks": {"metrics": [], "results": [{"name": "status is 200", "passes": 45, "fails": 0}]},
            "metrics": [
                {"name": "http_reqs", "type": "counter", "contains": "default", "values": {"count": count}},
                {"name": "http_req_duration", "type": "trend", "contains": "time", "values": duration},
            ],
        },
    }


def write_notifications(records: Records, folder: Path) -> None:
    """Write Flux' notifications of all services: one a line for Kustomizations, a file each for Helm releases.

    A Kustomization is told again at each interval; the first time something else was there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, service in enumerate(records.organisation.services):
        mine = [row for row in records.rows["deployments"] if row["service_id"] == service.id]
        mine.sort(key=lambda row: row["deployed_at"])
        if place % 2:
            for number, row in enumerate(mine):
                reason = "UpgradeSucceeded" if number else "InstallSucceeded"
                event = _notification("HelmRelease", service.id, row["deployed_at"], f"1.0.{number}", reason)
                (folder / f"{service.id}-{number:05d}.json").write_text(json.dumps(event), encoding="utf-8")
        elif mine:
            events = [_reconciled(service.id, mine[0]["deployed_at"] - timedelta(hours=1), "before")]
            for row in mine:
                found = [
                    _reconciled(service.id, row["deployed_at"] + timedelta(seconds=n), row["deployment_id"])
                    for n in (0, 1)
                ]
                events += found
            text = "\n".join(json.dumps(event) for event in events)
            (folder / f"{service.id}.json").write_text(text, encoding="utf-8")


def _reconciled(name: str, at: datetime, what: str) -> dict[str, Any]:
    revision = f"main@sha1:{crc32(what.encode()):040x}"
    return _notification("Kustomization", name, at, revision, "ReconciliationSucceeded")


def _notification(kind: str, name: str, at: datetime, revision: str, reason: str) -> dict[str, Any]:
    controller = "helm-controller" if kind == "HelmRelease" else "kustomize-controller"
    return {
        "involvedObject": {
            "kind": kind,
            "namespace": "apps",
            "name": name,
            "uid": "7d0c",
            "apiVersion": f"{controller.split('-', maxsplit=1)[0]}.toolkit.fluxcd.io/v1",
            "resourceVersion": "4711",
        },
        "severity": "info",
        "timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "message": PLANTED["text"],
        "reason": reason,
        "metadata": {"revision": revision, "summary": PLANTED["text"]},
        "reportingController": controller,
        "reportingInstance": f"{controller}-5d9c",
    }

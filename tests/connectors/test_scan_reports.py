"""Reports of Trivy and Grype: one observation a day, and what a missing or empty report does not prove."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from opsmetrics.landing import load_paths
from opsmetrics.sources.pull import pull_stream
from simulator.servers.reports import scans, write_scans
from simulator.world import END_DAY
from tests.connectors.sections import SCANS
from tests.patience import LIMIT_SECONDS

FIRST = date(2026, 11, 1)
SMALL = """
[[connector]]
name = "scans"
kind = "scan_reports"
streams = ["vulnerabilities"]
from = 2026-07-01
tool = "{tool}"
folder = "scans"
artifacts = [{{ match = "ghcr.io/x/web", exposed = true }}, {{ match = "/src", service = "db", exposed = false }}]
known_exploited_file = "exploited.json"
"""
DAYS = (date(2026, 8, 1), date(2026, 9, 1))
V3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
TRIVY = Path(sys.prefix) / "oracles" / "trivy" / "bin" / "trivy"


@pytest.mark.parametrize("tool", ["trivy", "grype"])
def test_scans_of_each_night_tell_what_the_organisation_had(connected, records, tool):
    settings, organisation = connected(SCANS)
    write_scans(records, settings.org / "scans", FIRST, END_DAY)
    (result,) = pull_stream(settings, organisation, "vulnerabilities", (FIRST, END_DAY), origins=(tool,))
    assert (result.error, result.quarantined) == (None, 0)
    found = pl.concat([pl.read_parquet(path) for path in load_paths(settings.landing, "vulnerabilities")])

    nights, expected = scans(FIRST, END_DAY), set()
    for row in records.rows["vulnerabilities"]:
        seen = [at for at in nights if row["detected_at"] <= at and (row["fixed_at"] is None or at <= row["fixed_at"])]
        if seen:
            gone = next((at for at in nights if at > seen[-1]), None)
            facts = (row["is_exploited"], row["is_automatable"], row["is_total_impact"])
            epss = row["epss_ratio"] if tool == "grype" else None
            expected.add((row["service_id"], seen[0], gone, True, *facts, epss))
    names = ("service_id", "detected_at", "fixed_at", "is_exposed")
    facts = ("is_exploited", "is_automatable", "is_total_impact", "epss_ratio")
    assert set(found.select(*names, *facts).rows()) == expected
    assert found.height == len(expected)
    assert any(row[2] is None for row in expected)
    assert any(row[2] is not None for row in expected)


def trivy(day: int, *vulnerabilities: dict, name: str = "ghcr.io/x/web:1", hour: int = 2, **more) -> dict:
    kind = "container_image" if ":" in name else "filesystem"
    target = {"Target": name, "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": list(vulnerabilities)}
    report = {"SchemaVersion": 2, "CreatedAt": f"2026-08-{day:02d}T{hour:02d}:00:00Z", "ArtifactName": name}
    return {**report, "ArtifactType": kind, "Results": [target], **more}


def vulnerability(name: str = "CVE-2026-1", **more) -> dict:
    return {"VulnerabilityID": name, "PkgName": "a", "InstalledVersion": "1", "Severity": "UNKNOWN", **more}


@pytest.fixture
def pulled(small, pull_small):
    """Lay reports into the folder, by file name, and pull."""

    def pull(reports: list, tool: str = "trivy", names: tuple[str, ...] = ("CVE-2026-1",), **more: str):
        (small / "scans").mkdir(exist_ok=True)
        listed = more | {"vulnerabilities": [{"cveID": name} for name in names]}
        (small / "exploited.json").write_text(json.dumps(listed))
        for number, report in enumerate(reports):
            text = report if isinstance(report, str) else json.dumps(report)
            (small / "scans" / f"{number:03d}.json").write_text(text)
        return pull_small(SMALL.format(tool=tool), "vulnerabilities", *DAYS)

    return pull


def spans(rows: list[dict]) -> list[tuple[int, int | None]]:
    """Days of August on which vulnerabilities were first seen and seen to be gone."""
    return sorted((row["detected_at"].day, row["fixed_at"] and row["fixed_at"].day) for row in rows)


def test_a_day_without_a_report_mends_nothing_and_comes_back_as_another_row(pulled):
    result, rows = pulled([trivy(3, vulnerability()), trivy(7, vulnerability()), trivy(9), trivy(20, vulnerability())])
    assert result.error is None
    assert spans(rows) == [(3, 9), (20, None)]
    assert len({row["vulnerability_id"] for row in rows}) == 1


def test_versions_of_an_image_are_one_artifact_and_a_day_is_seen_as_a_whole(pulled):
    digest = f"ghcr.io/x/web@sha256:{'a' * 64}"
    two = [trivy(3, vulnerability(), name="ghcr.io/x/web:1"), trivy(3, name="ghcr.io/x/web:2", hour=5)]
    _, rows = pulled([*two, trivy(4, vulnerability(), name=digest), trivy(4, name="ghcr.io/x/web:2", hour=5)])
    assert spans(rows) == [(3, None)]
    assert rows[0]["service_id"] == "web"


def test_one_vulnerability_in_many_packages_is_one(pulled):
    _, rows = pulled([trivy(3, vulnerability(PkgName="a"), vulnerability(PkgName="b"))])
    assert spans(rows) == [(3, None)]


@pytest.mark.parametrize(
    "silent",
    [
        {"Results": None},
        {"Results": [{"Target": "x", "Class": "config", "Type": "dockerfile"}]},
        {"Results": [{"Target": "x", "Class": "lang-pkgs", "Type": "npm"}]},
    ],
    ids=["nothing was recognised", "only settings were looked at", "another kind of packages"],
)
def test_a_report_that_did_not_look_proves_no_fix(pulled, silent):
    result, rows = pulled([trivy(3, vulnerability()), trivy(4, **silent)])
    assert result.error is None
    assert spans(rows) == [(3, None)]


@pytest.mark.parametrize(
    "failed",
    [
        *("", '{"SchemaVersion": 2, "Art', "[]"),
        *(trivy(4, SchemaVersion=1), trivy(4, CreatedAt=""), trivy(4, CreatedAt="0001-01-01T00:00:00+14:00")),
        *(trivy(4, ArtifactName=["x"]), trivy(4, vulnerability(["x"])), trivy(4, vulnerability({"x": 1}))),
        trivy(4, vulnerability(CVSS={"nvd": {"V3Vector": 5}})),
        trivy(4, ArtifactName="x", ArtifactType={}) | {"ArtifactName": 5},
    ],
    ids=[
        *("empty", "cut", "no report", "another schema", "no time", "before all time"),
        *(
            "a list for a name",
            "a list for an id",
            "an object for an id",
            "a number for a vector",
            "a number for a name",
        ),
    ],
)
def test_a_scan_that_failed_makes_the_answer_a_part_and_mends_nothing(pulled, failed):
    result, rows = pulled([trivy(3, vulnerability()), failed])
    assert "no whole reports: 001.json" in (result.error or "")
    assert spans(rows) == [(3, None)]


def test_a_report_of_a_clock_that_is_ahead_mends_nothing(pulled):
    """It would say last what is gone, and nothing that is found after it would be open."""
    result, rows = pulled([trivy(3, vulnerability()), trivy(4, CreatedAt="2031-08-04T02:00:00Z")])
    assert "001.json (made at no time that has been)" in (result.error or "")
    assert spans(rows) == [(3, None)]


def test_what_a_vendor_says_is_not_affected_is_none(pulled):
    _, rows = pulled(
        [trivy(3, vulnerability(Status="not_affected"), vulnerability("CVE-2026-2", Status="will_not_fix"))]
    )
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("cvss", "expected"),
    [
        ({"nvd": {"V3Vector": V3}}, (True, True)),
        ({"nvd": {"V3Vector": V3.replace("AV:N", "AV:L").replace("A:H", "A:N")}}, (False, False)),
        ({"redhat": {"V3Vector": V3}, "nvd": {"V3Vector": V3.replace("PR:N", "PR:L")}}, (True, True)),
        ({"nvd": {"V2Vector": "AV:N/AC:L/Au:N/C:C/I:C/A:C"}}, (None, None)),
        ({"ghsa": {"V40Vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"}}, (None, None)),
        (None, (None, None)),
    ],
    ids=["worst", "mild", "the severity's own source first", "CVSS 2 only", "CVSS 4 only", "none"],
)
def test_what_cvss_3_does_not_say_is_unknown(pulled, cvss, expected):
    more = {} if cvss is None else {"CVSS": cvss}
    _, (row,) = pulled([trivy(3, vulnerability(SeveritySource="redhat", **more))])
    assert (row["is_automatable"], row["is_total_impact"]) == expected


def test_of_an_artifact_that_nobody_named_the_exposure_is_unknown_and_told(pulled):
    result, (row,) = pulled([trivy(3, vulnerability(), name="ghcr.io/y/other:1")])
    assert (row["_reason"], row["is_exposed"]) == (None, None)
    assert any("artifacts that nothing in artifacts names: 1" in line for line in result.told)


@pytest.mark.parametrize(
    ("names", "released", "is_exploited"),
    [
        (("CVE-2026-9",), None, False),
        (("CVE-2026-9",), "now", False),
        (("CVE-2026-9",), "not a day", False),
        # A copy that nobody fetched anew for years, or an empty one, says of nothing that it is not exploited.
        (("CVE-2026-9",), "2024-05-01T15:00:12.5432Z", None),
        ((), None, None),
        (("CVE-2026-1",), "2024-05-01T15:00:12.5432Z", True),
    ],
)
def test_a_list_of_exploited_ones_that_is_old_or_empty_says_of_none_that_it_is_not(
    pulled, names, released, is_exploited
):
    told = datetime.now(tz=UTC).isoformat() if released == "now" else released
    result, (row,) = pulled([trivy(3, vulnerability())], names=names, **({"dateReleased": told} if told else {}))
    assert (row["_reason"], row["is_exploited"]) == (None, is_exploited)
    lines = [line for line in result.told if "list of known exploited" in line]
    assert len(lines) == ((released is not None and released.startswith("2024")) or not names)


def test_grype_knows_a_cve_by_the_names_it_is_related_to(pulled):
    related = {"id": "CVE-2026-1", "cvss": [{"version": "4.0", "vector": "x"}, {"version": "3.0", "vector": V3}]}
    match = {"vulnerability": {"id": "GHSA-1", "cvss": []}, "relatedVulnerabilities": [related]}
    report = {
        "matches": [match, match],
        "source": {"type": "directory", "target": "/src"},
        "descriptor": {"timestamp": "2026-08-03T23:30:00+02:00"},
    }
    _, (row,) = pulled([report], "grype")
    assert (row["service_id"], row["is_exposed"], row["is_exploited"], row["is_automatable"]) == (
        "db",
        False,
        True,
        True,
    )
    assert row["detected_at"] == datetime(2026, 8, 3, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"vulnerability": "CVE-2026-1", "reason": "we live with it"}, [(3, None)]),
        ({"fix-state": "not-fixed"}, [(3, None)]),
        ({"namespace": "vex", "vex-status": "not_affected"}, [(3, 4)]),
        ({"vulnerability": "CVE-2026-1", "reason": "DistroPackageFixed"}, [(3, 4)]),
    ],
    ids=["a rule of theirs", "what has no fix", "a VEX document", "the scanner itself"],
)
def test_what_a_rule_of_grype_ignores_is_not_fixed(pulled, rule, expected):
    def report(day: int, **found: object) -> dict:
        said = {"matches": [], "source": {"type": "image", "target": {"userInput": "ghcr.io/x/db:1"}}}
        return said | {"descriptor": {"timestamp": f"2026-08-0{day}T10:00:00Z"}} | found

    match = {"vulnerability": {"id": "CVE-2026-1", "cvss": []}, "relatedVulnerabilities": []}
    other = {"vulnerability": {"id": "CVE-2026-2", "cvss": []}, "appliedIgnoreRules": [rule]}
    ignored = [match | {"appliedIgnoreRules": [rule]}, other]
    _, rows = pulled([report(3, matches=[match]), report(4, ignoredMatches=ignored)], "grype")
    assert spans(rows) == expected


def ran(*arguments: str, cwd: Path) -> dict:
    """What Trivy itself writes."""
    command = [str(TRIVY), *arguments, "--quiet", "--format", "json", "--cache-dir", str(cwd / "cache")]
    found = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS)
    assert found.returncode == 0, found.stderr[-2000:]
    return json.loads(found.stdout)


def test_trivy_itself_keeps_every_field_of_the_stand_in(records, tmp_path):
    """What Trivy reads and writes again it knows; a field that it does not know it drops."""
    night = END_DAY - timedelta(days=1)
    write_scans(records, tmp_path, night, END_DAY)
    reports = [path for path in sorted((tmp_path / "trivy").iterdir()) if "CVE" in path.read_text()]
    said = json.loads(reports[0].read_text())
    again = ran("convert", str(reports[0]), cwd=tmp_path)
    # Trivy drops empty digits of a second.
    assert json.loads(json.dumps(said).replace(".000000Z", "Z")) == again


def test_a_report_of_trivy_itself_is_read(tmp_path, pulled):
    """A real scan without findings, before which one was seen: it recognised packages, so it proves the fix."""
    source = tmp_path / "src"
    source.mkdir()
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/zxq": {"version": "1.0.0"}}}
    (source / "package-lock.json").write_text(json.dumps(lock))
    # Only the list of packages: vulnerabilities need a database from the internet.
    clean = ran("filesystem", "--scanners", "license", str(source), cwd=tmp_path)
    assert clean["ArtifactName"] == str(source)
    clean |= {"ArtifactName": "/src", "CreatedAt": "2026-08-09T02:00:00.123456789Z"}
    found = {"Target": "x", "Class": "lang-pkgs", "Type": "npm", "Vulnerabilities": [vulnerability()]}
    _, rows = pulled([trivy(3, name="/src", Results=[found]), clean])
    assert spans(rows) == [(3, 9)]

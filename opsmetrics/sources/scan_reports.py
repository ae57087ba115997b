"""Reports of Trivy and Grype: what each scan found, as vulnerabilities with a begin and an end (contracts, G).

A report shows one instant. What one day's reports of an artifact show together is one observation of it: a
vulnerability began with the first report that shows it and was gone by the first later day whose reports looked at its
kind of packages and do not show it; a rule of somebody's own that ignores it fixes nothing. A day without a report says
nothing, nor does a report that recognised nothing.
Names of packages, titles and texts are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from opsmetrics.organisation.connectors.result_files import ScannedArtifact, ScanReports
from opsmetrics.sources import json_files
from opsmetrics.sources.fetching import FetchRequest, FetchResult
from opsmetrics.sources.vulnerability_facts import automatable_and_total, known_exploited, opaque

Row = dict[str, Any]
# Kinds of packages that a target can hold; the others are settings, secrets and licences.
_PACKAGES = frozenset({"os-pkgs", "lang-pkgs"})
# Grype does not say which kinds of packages it looked at.
_ALL = "packages"
# Whose CVSS is read, after that of the source that the scanner took the severity from.
_VENDORS = ("nvd", "ghsa")
# A vendor's word that the package does not have the fault.
_NOT_AFFECTED = "not_affected"
# What Grype rules out itself, or by a VEX document.
_VEX_NONE = frozenset({_NOT_AFFECTED, "fixed"})
# No scanner is older, and clocks of two machines differ by so much.
_FIRST, _SKEW = datetime(1990, 1, 1, tzinfo=UTC), timedelta(minutes=15)
_GRYPE_NONE = frozenset({"DistroPackageFixed", "CPE not vulnerable", "Explicit APK NAK"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One vulnerability in one report.

    Attributes:
        packages: Kind of packages that it is in.
        names: Its ids, the scanner's own first.
        vector: CVSS 3 vector, or None.
        epss: Predicted probability of exploitation (0 to 1), or None.
    """

    packages: str
    names: tuple[str, ...]
    vector: str | None
    epss: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Attributes:
        artifact: What was scanned, without tag and digest of an image.
        made_at: When.
        packages: Kinds of packages that were looked at.
        findings: What was found.
        ignored: Ids of what was found and a rule of somebody's own leaves out.
    """

    artifact: str
    made_at: datetime
    packages: frozenset[str]
    findings: tuple[Finding, ...]
    ignored: frozenset[str] = frozenset()


def probe(request: FetchRequest[ScanReports]) -> str:
    """Count the reports, and the artifacts that no pattern names."""
    settings = request.connector
    reports, broken = _reports(request)
    unnamed = {report.artifact for report in reports if _named(settings, report.artifact) is None}
    return f"{len(reports)} reports, {len(broken)} unreadable; {len(unnamed)} artifacts are not in artifacts"


def vulnerabilities(request: FetchRequest[ScanReports]) -> FetchResult:
    """Return what the scans of all days found; the pull keeps what began in the asked days.

    A file that is no whole report (a scan that failed leaves one) makes the answer a part.
    """
    settings = request.connector
    exploited = known_exploited(request, settings.known_exploited_url, settings.known_exploited_file)
    reports, broken = _reports(request)
    rows: list[Row] = []
    for artifact, of_artifact in groupby(sorted(reports, key=lambda each: each.artifact), lambda each: each.artifact):
        named = _named(settings, artifact)
        service = (named.service if named else None) or settings.service(artifact.rpartition("/")[2])
        for found, first, last in _spans(of_artifact, lambda at: at.astimezone(request.organisation.zone).date()):
            is_automatable, is_total = automatable_and_total(found.vector)
            rows.append(
                {
                    "vulnerability_id": opaque(settings.name, artifact, found.names[0]),
                    "service_id": service,
                    "detected_at": first,
                    "effective_at": first,
                    "is_exposed": named.exposed if named else None,
                    "is_exploited": None if exploited is None else exploited.holds(found.names),
                    "is_automatable": is_automatable,
                    "is_total_impact": is_total,
                    "fixed_at": last,
                    **({"epss_ratio": found.epss} if settings.tool == "grype" else {}),
                }
            )
    notes = (
        *((f"no whole reports: {', '.join(broken[:5])}",) if broken else ()),
        *(exploited.notes if exploited else ()),
    )
    nameless = sum(row["is_exposed"] is None and request.covers(row["effective_at"]) for row in rows)
    counted = (
        {"findings of unknown exposure, of artifacts that nothing in artifacts names": nameless} if nameless else {}
    )
    source = f"{settings.tool} {settings.folder}"
    return FetchResult(rows, is_complete=not broken, source=source, notes=notes, counted=counted)


def _named(settings: ScanReports, artifact: str) -> ScannedArtifact | None:
    return next((item for item in settings.artifacts if item.fits(artifact)), None)


def _reports(request: FetchRequest[ScanReports]) -> tuple[list[Report], list[str]]:
    """Return the readable reports, and the names of the files that are none."""
    settings = request.connector
    read = {"trivy": _trivy, "grype": _grype}[settings.tool]
    reports: list[Report] = []
    broken: list[str] = []
    for path in json_files.found(request, settings.folder, settings.files):
        try:
            reports.append(_checked(read(json_files.content(path)), request.now))
        except _UntimelyError as error:
            broken.append(f"{path.name} ({error})")
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            broken.append(path.name)
    return reports, broken


class _UntimelyError(ValueError):
    """A report that was made at no time that has been."""


def _checked(report: Report, now: datetime) -> Report:
    """Return a report as it is.

    Raises:
        ValueError: A field is of another type, or it was made at no time that has been: of a clock that is ahead it
            would say last what is gone.
    """
    texts = [report.artifact, *report.packages, *report.ignored]
    for found in report.findings:
        texts += [found.packages, *found.names, *([] if found.vector is None else [found.vector])]
    numbers = [found.epss for found in report.findings if found.epss is not None]
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(each, int | float) for each in numbers):
        raise ValueError("a field of another type")
    if not _FIRST <= report.made_at <= now + _SKEW:
        raise _UntimelyError("made at no time that has been")
    return report


def _spans(
    reports: Iterable[Report], day_of: Callable[[datetime], date]
) -> Iterator[tuple[Finding, datetime, datetime | None]]:
    """Yield what was found in one artifact, when it was first seen and when it was seen to be gone, or None."""
    seen: dict[str, tuple[Finding, datetime]] = {}
    in_order = sorted(reports, key=lambda each: each.made_at)
    for _, of_day in groupby(in_order, lambda each: day_of(each.made_at)):
        together = list(of_day)
        looked_at = frozenset[str]().union(*(report.packages for report in together))
        ignored = frozenset[str]().union(*(report.ignored for report in together))
        shown: dict[str, tuple[Finding, datetime]] = {}
        for report in together:
            for finding in report.findings:
                shown.setdefault(finding.names[0], (finding, report.made_at))
        for name in [
            name
            for name, (finding, _) in seen.items()
            if name not in shown and name not in ignored and finding.packages in looked_at
        ]:
            finding, first = seen.pop(name)
            yield finding, first, together[-1].made_at
        seen = shown | seen
    yield from ((finding, first, None) for finding, first in seen.values())


def _trivy(report: Any) -> Report:
    """Read a report of schema 2; one without ``Results`` recognised no packages, so that it proves no fix."""
    if report["SchemaVersion"] != 2:
        raise ValueError("another schema")
    targets = [target for target in report.get("Results") or [] if target.get("Class") in _PACKAGES]
    findings = tuple(
        Finding(target["Class"], (found["VulnerabilityID"], *(found.get("VendorIDs") or [])), _vector(found))
        for target in targets
        for found in target.get("Vulnerabilities") or []
        if found.get("Status") != _NOT_AFFECTED
    )
    is_image = report["ArtifactType"] == "container_image"
    packages = frozenset(target["Class"] for target in targets)
    return Report(_artifact(report["ArtifactName"], is_image=is_image), _at(report["CreatedAt"]), packages, findings)


def _vector(found: Mapping[str, Any]) -> str | None:
    """Return the CVSS 3 vector of the source that the severity is from, else of the best known ones."""
    cvss: Mapping[str, Mapping[str, Any]] = found.get("CVSS") or {}
    order = (found.get("SeveritySource"), *_VENDORS)
    return next((cvss[name]["V3Vector"] for name in order if name in cvss and cvss[name].get("V3Vector")), None)


def _grype(report: Any) -> Report:
    source = report["source"]
    target = source["target"]
    name = target["userInput"] if source["type"] == "image" else target
    findings = tuple(
        Finding(_ALL, (names[0]["id"], *(each["id"] for each in names[1:])), _best_vector(names), _epss(names))
        for match in report["matches"]
        for names in [(match["vulnerability"], *(match.get("relatedVulnerabilities") or []))]
    )
    ignored = frozenset(
        match["vulnerability"]["id"]
        for match in report.get("ignoredMatches") or []
        if not any(_is_none(rule) for rule in match.get("appliedIgnoreRules") or ())
    )
    made_at = _at(report["descriptor"]["timestamp"])
    return Report(_artifact(name, is_image=source["type"] == "image"), made_at, frozenset({_ALL}), findings, ignored)


def _is_none(rule: Mapping[str, Any]) -> bool:
    """Whether a rule says that there is no fault, or no longer; else somebody chose not to see it."""
    return rule.get("vex-status") in _VEX_NONE or rule.get("reason") in _GRYPE_NONE


def _best_vector(names: Iterable[Mapping[str, Any]]) -> str | None:
    """Return a CVSS 3 vector: of the matched record before those it is related to, of a first source before others."""
    found = [each for record in names for each in record.get("cvss") or [] if each["version"].startswith("3")]
    return next((each["vector"] for each in sorted(found, key=lambda each: each.get("type") != "Primary")), None)


def _epss(names: Iterable[Mapping[str, Any]]) -> float | None:
    return max((each["epss"] for record in names for each in record.get("epss") or []), default=None)


def _artifact(name: str, *, is_image: bool) -> str:
    """Return an image's name without tag and digest, so that its versions are one artifact; other names as they are."""
    if not is_image:
        return name
    path, slash, last = name.split("@", 1)[0].rpartition("/")
    return f"{path}{slash}{last.split(':', 1)[0]}"


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without zone")
    return at

"""Settings of files that tools leave behind, and of the public calendar of support ends.

Belongs here: which file says what of which service.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from opsmetrics.core.model import Model, Slug
from opsmetrics.organisation.connectors.base import Connector, Expression, Feed, Url


class SupportEnds(Connector):
    """End-of-life data (endoflife's v1 API shape)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"eol_dates": Feed()}
    kind: Literal["support_ends"]
    url: Url = "https://endoflife.date/api/v1"
    products: list[str] = Field(min_length=1)


class RestoreFiles(Connector):
    """``restore-test.json`` files in a folder (source contracts, F4)."""

    feeds: ClassVar[Mapping[str, Feed]] = {"restore_tests": Feed()}
    kind: Literal["restore_files"]
    folder: str
    datastores: dict[str, str] = {}


class ScannedArtifact(Model):
    """Whose an artifact of a scan is, and what no scanner knows of it.

    Attributes:
        match: The artifact as the report names it, without tag and digest of an image; ``*`` stands for anything.
        service: Its service; default: the last part of its name, as an id or alias of services.toml.
        exposed: Whether its service can be reached from outside.
    """

    match: str = Field(min_length=1)
    service: Slug | None = None
    exposed: bool

    def fits(self, artifact: str) -> bool:
        """Whether an artifact is meant."""
        return fnmatchcase(artifact, self.match)


class ScanReports(Connector):
    """Reports of Trivy or Grype as JSON files (source contracts, G): scans of vulnerabilities only."""

    feeds: ClassVar[Mapping[str, Feed]] = {"vulnerabilities": Feed(chunk_days=400)}
    kind: Literal["scan_reports"]
    tool: Literal["trivy", "grype"]
    folder: str
    files: str = "**/*.json"
    artifacts: list[ScannedArtifact] = Field(min_length=1)
    known_exploited_url: Url | None = None
    known_exploited_file: str | None = None

    @model_validator(mode="after")
    def _catalogue(self) -> ScanReports:
        if (self.known_exploited_url is None) == (self.known_exploited_file is None):
            raise ValueError("no scan tells what is exploited: name known_exploited_url or known_exploited_file")
        return self

    def untold(self, stream: str) -> tuple[str, ...]:
        """Only Grype carries EPSS."""
        return ("epss_ratio",) if self.tool == "trivy" else super().untold(stream)


class LoadLimit(Model):
    """A value of a load test that must not be exceeded, such as ``http_req_duration``, ``p(95)``, 500 (ms)."""

    metric: str = Field(min_length=1)
    value: str = Field(min_length=1)
    at_most: float


class K6Summaries(Connector):
    """Summaries of k6 as JSON files (source contracts, I).

    ``peaks`` is the highest hourly load of the last twelve months, requests, by service; ``names`` reads the service
    and the time from a file's name, for forms that do not tell them; ``limits`` come before the test's own thresholds.
    """

    feeds: ClassVar[Mapping[str, Feed]] = {"load_tests": Feed()}
    kind: Literal["k6_summaries"]
    folder: str
    files: str = "**/*.json"
    names: Expression = r"(?P<service>.+?)[-_](?P<at>\d{8}T\d{6}Z)\.json"
    of_service: Slug | None = None
    peaks: dict[Slug, Annotated[float, Field(gt=0)]] = {}
    limits: list[LoadLimit] = []

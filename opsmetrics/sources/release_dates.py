"""When a version was published: deps.dev first, the package registry's own API second; optional and cached permanently.

Every address is configured (``[connector.release_dates]``); without one nothing is asked. A version's date never
changes, so that an answer is kept; that nobody knew is kept for a week.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from opsmetrics.core.instants import instant
from opsmetrics.core.settings import Settings
from opsmetrics.organisation.connectors.code_hosts import ReleaseDateSources
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.http import Http, RefusedError

# Ecosystem of ours, or datasource of Renovate -> system of deps.dev (its API v3 knows these seven).
SYSTEMS = {
    "npm": "npm",
    "nuget": "nuget",
    "pypi": "pypi",
    "go": "go",
    "maven": "maven",
    "cargo": "cargo",
    "crate": "cargo",
    "rubygems": "rubygems",
}
# Systems whose versions are never written with a v before them; those of Go always are.
_PLAIN = frozenset({"npm", "nuget", "pypi", "cargo", "rubygems"})
# NuGet writes 1900 for versions that were taken off the list (contracts, E1).
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
UNKNOWN_FOR = timedelta(days=7)
# Forms of NuGet's registrations, the newest first: nuget.org has them all, other feeds only some.
_REGISTRATIONS = tuple(
    f"RegistrationsBaseUrl{version}" for version in ("/3.6.0", "/Versioned", "/3.4.0", "/3.0.0-rc", "/3.0.0-beta", "")
)


class ReleaseDates:
    """Looks dates up; without sources every date is unknown."""

    def __init__(self, sources: ReleaseDateSources | None, settings: Settings, now: datetime) -> None:
        self._sources, self._settings, self._now = sources, settings, now
        self._cache: sqlite3.Connection | None = None
        self._strange: Counter[str] = Counter()
        if sources is not None:
            self._cache = open_cache(settings.home / "cache" / "release_dates.sqlite")

    @classmethod
    def of(cls, request: FetchRequest[Any]) -> Self:
        """Return the dates that a connector may ask for."""
        return cls(request.connector.release_dates, request.settings, request.now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._cache is not None:
            self._cache.close()

    def find(self, ecosystem: str | None, package: str | None, version: str | None) -> datetime | None:
        """Return when a version was published, or None where no source knows."""
        system = SYSTEMS.get(ecosystem or "")
        if self._cache is None or not package or not version:
            return None
        if system is None:
            self._strange[ecosystem or "not told"] += 1
            return None
        key = (system, package, _written(system, version))
        row = self._cache.execute("select released_at, asked_at from dates where (s, p, v) = (?, ?, ?)", key).fetchone()
        if row is not None and (row[0] or timedelta(0) <= self._now - datetime.fromisoformat(row[1]) < UNKNOWN_FOR):
            return datetime.fromisoformat(row[0]) if row[0] else None
        found = self._ask(*key)
        values = (*key, found.isoformat() if found else None, self._now.isoformat())
        with self._cache:
            self._cache.execute("insert or replace into dates values (?, ?, ?, ?, ?)", values)
        return found

    def notes(self) -> tuple[str, ...]:
        """Return of which ecosystems nobody could be asked, with the updates that have no release date for it."""
        if not self._strange:
            return ()
        named = ", ".join(f"{name} ({count})" for name, count in self._strange.most_common())
        return (f"no source of release dates knows these ecosystems, so that lags stay unknown: {named}",)

    def _ask(self, system: str, package: str, version: str) -> datetime | None:
        sources = self._sources
        if sources is None:
            return None
        steps: list[tuple[str | None, Callable[[Http, str, str, str], str | None]]] = [
            (sources.deps_dev, _deps_dev),
            (getattr(sources, system, None), _REGISTRIES.get(system, _nothing)),
        ]
        for url, read in steps:
            if url is None:
                continue
            with Http(f"release dates of {system}", url, self._settings) as http:
                try:
                    text = read(http, system, package, version)
                except RefusedError as error:
                    if error.status != 404:
                        raise
                    text = None
            at = published_at(text)
            if at is not None:
                return at
        return None


def _written(system: str, version: str) -> str:
    """Return a version as its system writes it: titles of Dependabot leave Go's v out, those of Renovate add one."""
    plain = version.removeprefix("v")
    if not plain[:1].isdigit():
        return version
    return f"v{plain}" if system == "go" else plain if system in _PLAIN else version


def published_at(text: str | None) -> datetime | None:
    """Read when something was published, UTC where no zone is told; before there were registries is no date."""
    at = instant(text)
    at = at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
    return at.astimezone(UTC) if at is not None and at.astimezone(UTC) >= EARLIEST else None


def uploaded_at(file: Mapping[str, Any]) -> datetime | None:
    """Read when a file of PyPI's JSON was uploaded; mirrors leave the newer of the two times out, or both."""
    return published_at(file.get("upload_time_iso_8601") or file.get("upload_time"))


def open_cache(path: Path) -> sqlite3.Connection:
    """Open the cache; deleting the file only means asking again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_damaged(path):
        path.unlink(missing_ok=True)
    cache = sqlite3.connect(path, timeout=30)
    cache.execute(
        "create table if not exists dates"
        " (s text, p text, v text, released_at text, asked_at text, primary key (s, p, v))"
    )
    return cache


def _is_damaged(path: Path) -> bool:
    """Whether a cache is none any more, after a disk that was full or a machine that lost its power."""
    with closing(sqlite3.connect(path, timeout=30)) as cache:
        try:
            return cache.execute("pragma quick_check(1)").fetchone() != ("ok",)
        except sqlite3.OperationalError:
            # It is locked, or may not be read.
            return False
        except sqlite3.DatabaseError:
            return True


def _deps_dev(http: Http, system: str, package: str, version: str) -> str | None:
    found = http.get(f"systems/{system}/packages/{quote(package, safe='')}/versions/{quote(version, safe='')}")
    return found.get("publishedAt")


def _npm(http: Http, _system: str, package: str, version: str) -> str | None:
    # Registries of one's own may leave the times out.
    return (http.get(quote(package, safe="@")).get("time") or {}).get(version)


def _pypi(http: Http, _system: str, package: str, version: str) -> str | None:
    files = http.get(f"{quote(package)}/{quote(version)}/json")["urls"]
    first = min((at for file in files if (at := uploaded_at(file)) is not None), default=None)
    return first.isoformat() if first else None


def _nuget(http: Http, _system: str, package: str, version: str) -> str | None:
    """Resolve the registration resource from the service index, as the protocol asks."""
    base = nuget_registrations(http)
    if base is None:
        return None
    leaf = http.get(f"{base}/{package.lower()}/{version.lower()}.json")
    entry = leaf.get("catalogEntry")
    return (entry.get("published") if isinstance(entry, dict) else None) or leaf.get("published")


def nuget_registrations(http: Http) -> str | None:
    """Return the address of a feed's registrations, of the newest form that it offers; None where it has none."""
    found = {item["@type"]: str(item["@id"]) for item in http.get("index.json")["resources"]}
    address = next((found[form] for form in _REGISTRATIONS if form in found), None)
    return address.rstrip("/") if address else None


def _nothing(_http: Http, _system: str, _package: str, _version: str) -> str | None:
    return None


_REGISTRIES: dict[str, Callable[[Http, str, str, str], str | None]] = {"npm": _npm, "pypi": _pypi, "nuget": _nuget}

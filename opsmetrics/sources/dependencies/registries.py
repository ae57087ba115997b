"""Which versions of a package were released when: package registries, and deps.dev (contracts, E1).

Every address is configured (``[connector.release_dates]``); without one nothing is asked. A registry that has one is
asked itself, for the others deps.dev. A list of releases grows: it is asked for once a day. A package that
nobody has (404: a private one) is asked for again after a week, one of which a registry refuses to tell (401, 403)
after a day. Any other failure is an error, and so is a refusal of what it told before: a registry that is away must not
look like makers who released nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import quote

from opsmetrics.core.errors import SourceError
from opsmetrics.core.instants import instant
from opsmetrics.organisation.connectors.code_hosts import ReleaseDateSources
from opsmetrics.sources.dependencies.episodes import Release
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.dependencies.undated import NO_REGISTRY, NOT_PUBLIC, REFUSED
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.http import Http, RefusedError
from opsmetrics.sources.release_dates import (
    SYSTEMS,
    UNKNOWN_FOR,
    nuget_registrations,
    open_cache,
    published_at,
    uploaded_at,
)

FRESH_FOR = timedelta(hours=20)
# Requests at once: what public registries bear without asking us to stop.
AT_ONCE = 4
# No such package, or it is gone for good.
_NOT_THERE = {404, 410}
# It is nobody's business, or not ours.
_NOT_TOLD = {401, 402, 403, 451}
# What is kept of a package without a list.
_NONE, _REFUSAL = "[]", "null"
Read = Callable[[Http, str], Iterator[Release]]


class Registries:
    """Looks lists of releases up, and keeps them for a day."""

    def __init__(self, request: FetchRequest[Any]) -> None:
        self._sources: ReleaseDateSources = request.connector.release_dates or ReleaseDateSources()
        self._settings, self._now = request.settings, request.now
        self._cache = open_cache(request.settings.home / "cache" / "release_dates.sqlite")
        self._cache.execute(
            "create table if not exists lists (e text, p text, asked_at text, releases text, primary key (e, p))"
        )
        self._clients: dict[str, Http] = {}
        self._away: dict[str, SourceError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()
        for client in self._clients.values():
            client.__exit__()

    def learn(self, packages: Iterable[Package]) -> None:
        """Ask for the lists of packages that are not known, some at once; what was learnt is kept whatever comes after.

        Raises:
            SourceError: A registry does not answer.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting: dict[Future[str], Package] = {}
            for package in dict.fromkeys(packages):
                url, read = self._source(package.ecosystem)
                if url is not None and read is not None and self._kept(package) is None:
                    self._open(package.ecosystem, url)
                    may_refuse = self._last(package)[1] in (None, _NONE, _REFUSAL)
                    asked = pool.submit(copy_context().run, self._ask, package, url, read, may_refuse=may_refuse)
                    waiting[asked] = package
            for done in as_completed(waiting):
                if done.exception() is None:
                    self._keep(waiting[done], done.result())
        for error in (error for done in waiting if (error := done.exception()) is not None):
            raise error

    def releases(self, package: Package) -> tuple[Release, ...] | str:
        """Return the releases of a package that was learnt, or why nobody can tell them, as the contract writes it."""
        kept = self._kept(package)
        if kept is None:
            return NO_REGISTRY
        if kept in (_NONE, _REFUSAL):
            return NOT_PUBLIC if kept == _NONE else REFUSED
        rows = json.loads(kept)
        return tuple(Release(version, instant(at), gone) for version, at, gone in rows)

    def _keep(self, package: Package, releases: str) -> None:
        with self._cache:
            row = (package.ecosystem, package.name, self._now.isoformat(), releases)
            self._cache.execute("insert or replace into lists values (?, ?, ?, ?)", row)

    def _open(self, ecosystem: str, url: str) -> None:
        if url not in self._clients:
            name = f"releases of {ecosystem}"
            self._clients[url] = Http(name, url, self._settings, headers={"User-Agent": "opsmetrics"})

    def _source(self, ecosystem: str) -> tuple[str | None, Read | None]:
        own = getattr(self._sources, ecosystem, None)
        if own is not None and ecosystem in _READERS:
            return own, _READERS[ecosystem]
        system = SYSTEMS.get(ecosystem)
        return (self._sources.deps_dev, _deps_dev(system)) if system else (None, None)

    def _kept(self, package: Package) -> str | None:
        asked_at, releases = self._last(package)
        if releases is None:
            return None
        age = self._now - datetime.fromisoformat(asked_at)
        return releases if timedelta(0) <= age < (UNKNOWN_FOR if releases == _NONE else FRESH_FOR) else None

    def _last(self, package: Package) -> tuple[str, str | None]:
        """Return when a package was last asked for, and what was told of it; None where it never was."""
        query = "select asked_at, releases from lists where (e, p) = (?, ?)"
        row = self._cache.execute(query, (package.ecosystem, package.name)).fetchone()
        return ("", None) if row is None else (row[0], row[1])

    def _ask(self, package: Package, url: str, read: Read, *, may_refuse: bool) -> str:
        if url in self._away:
            # It did not answer before, after several tries: asking for a thousand packages would take hours.
            raise self._away[url]
        try:
            found = list(read(self._clients[url], package.name))
        except RefusedError as error:
            if may_refuse and error.status in _NOT_TOLD:
                return _REFUSAL
            if error.status not in _NOT_THERE:
                self._away[url] = error
                raise
            found = []
        except SourceError as error:
            self._away[url] = error
            raise
        return json.dumps([[one.version, one.at.isoformat() if one.at else None, one.is_withdrawn] for one in found])


def _deps_dev(system: str) -> Read:
    def read(http: Http, package: str) -> Iterator[Release]:
        for one in http.get(f"systems/{system}/packages/{quote(package, safe='')}").get("versions", ()):
            yield Release(
                one["versionKey"]["version"], published_at(one.get("publishedAt")), bool(one.get("isDeprecated"))
            )

    return read


def _npm(http: Http, package: str) -> Iterator[Release]:
    """Read npm's document; what was unpublished stands in ``time`` only."""
    found = http.get(quote(package, safe="@"))
    times = found.get("time") or {}
    for version, one in (found.get("versions") or {}).items():
        yield Release(version, published_at(times.get(version)), bool(one.get("deprecated")))


def _pypi(http: Http, package: str) -> Iterator[Release]:
    for version, files in http.get(f"{quote(package)}/json")["releases"].items():
        at = min((when for file in files if (when := uploaded_at(file))), default=None)
        yield Release(version, at, all(file.get("yanked") for file in files))


def _nuget(http: Http, package: str) -> Iterator[Release]:
    """Read the registration, whose pages may be documents of their own; 1900 and ``listed`` say what was taken off."""
    base = nuget_registrations(http)
    if base is None:
        return
    for page in http.get(f"{base}/{quote(package.lower())}/index.json")["items"]:
        items = page["items"] if "items" in page else http.get(page["@id"])["items"]
        for leaf in items:
            entry = leaf["catalogEntry"]
            yield Release(entry["version"], published_at(entry.get("published")), entry.get("listed") is False)


def _cargo(http: Http, package: str) -> Iterator[Release]:
    for one in http.get(f"crates/{quote(package)}")["versions"]:
        yield Release(one["num"], published_at(one["created_at"]), one["yanked"])


def _rubygems(http: Http, package: str) -> Iterator[Release]:
    """Read the versions; the same one for another platform comes with a time of its own."""
    first: dict[str, datetime | None] = {}
    for one in http.get(f"versions/{quote(package)}.json"):
        at = published_at(one["created_at"])
        known = first.get(one["number"])
        first[one["number"]] = min(at, known) if at and known else at or known
    yield from (Release(version, at) for version, at in first.items())


def _packagist(http: Http, package: str) -> Iterator[Release]:
    """Read the metadata of Composer 2, in which a version says only what differs from the one before it."""
    time: str | None = None
    for one in http.get(f"p2/{quote(package)}.json")["packages"][package]:
        time = one.get("time", time)
        yield Release(one["version"].removeprefix("v"), published_at(None if time == "__unset" else time))


_READERS: dict[str, Read] = {
    "npm": _npm,
    "pypi": _pypi,
    "nuget": _nuget,
    "cargo": _cargo,
    "rubygems": _rubygems,
    "packagist": _packagist,
}


def counted(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return what is told of unknown updates, as a pull says it."""
    return {f"update episodes unknown, {why}": count for why, count in found}

"""Registries of one's own: feeds of NuGet that offer other forms, documents of npm without times."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.organisation.connectors.code_hosts import ReleaseDateSources
from opsmetrics.sources.dependencies.model import Package
from opsmetrics.sources.dependencies.registries import Registries
from opsmetrics.sources.release_dates import ReleaseDates
from tests.connectors.told import NOW, telling

PUBLISHED = "2026-03-02T06:00:00+00:00"


def settings(folder) -> Settings:
    return Settings(home=folder, org=folder, data=None, now=None, sql=default_sql_root(), retry_seconds=0.001)


def asking(sources: ReleaseDateSources, folder) -> Any:
    """Return as much of a question as a registry looks at."""
    return SimpleNamespace(connector=SimpleNamespace(release_dates=sources), settings=settings(folder), now=NOW)


def feed() -> dict[str, Any]:
    entry = {"@id": "x", "version": "1.2.0", "published": PUBLISHED, "listed": True}
    return {
        "/r/a.b/1.2.0.json": {"catalogEntry": entry["@id"], "published": PUBLISHED},
        "/r/a.b/index.json": {"items": [{"@id": "x", "items": [{"catalogEntry": entry}]}]},
    }


@pytest.mark.parametrize(
    ("forms", "is_known"),
    [
        (["RegistrationsBaseUrl", "RegistrationsBaseUrl/3.0.0-beta"], True),
        (["RegistrationsBaseUrl/3.4.0", "SearchQueryService"], True),
        (["RegistrationsBaseUrl/Versioned"], True),
        (["RegistrationsBaseUrl/3.6.0"], True),
        # A feed that only serves files.
        (["PackageBaseAddress/3.0.0"], False),
        ([], False),
    ],
)
def test_a_feed_of_nuget_offers_the_forms_that_it_knows(tmp_path, forms, is_known):
    routes = feed()
    with telling(routes) as server:
        resources = [{"@id": f"{server.url}/r/", "@type": form} for form in forms]
        server.routes["/index.json"] = {"version": "3.0.0", "resources": resources}
        sources = ReleaseDateSources.model_validate({"nuget": server.url})
        with ReleaseDates(sources, settings(tmp_path), NOW) as dates:
            found = dates.find("nuget", "A.B", "1.2.0")
        with Registries(asking(sources, tmp_path)) as registries:
            package = Package("nuget", "a.b")
            registries.learn([package])
            releases = registries.releases(package)
    expected = datetime(2026, 3, 2, 6, tzinfo=UTC) if is_known else None
    assert found == expected
    assert ([release.at for release in releases] if is_known else releases) == (
        [expected] if is_known else "not_public"
    )


@pytest.mark.parametrize(
    ("document", "released"),
    [
        (
            {"versions": {"1.2.0": {}}, "time": {"1.2.0": "2026-03-02T06:00:00.000Z"}},
            datetime(2026, 3, 2, 6, tzinfo=UTC),
        ),
        ({"versions": {"1.2.0": {}}}, None),
        ({"versions": {"1.2.0": {}}, "time": None}, None),
        ({"versions": {}, "time": {"unpublished": {"name": "x"}}}, None),
    ],
)
def test_a_document_of_npm_may_lack_its_times(tmp_path, document, released):
    with telling({"/pakke": document}) as server:
        sources = ReleaseDateSources.model_validate({"npm": server.url})
        with ReleaseDates(sources, settings(tmp_path), NOW) as dates:
            assert dates.find("npm", "pakke", "1.2.0") == released
        with Registries(asking(sources, tmp_path)) as registries:
            registries.learn([Package("npm", "pakke")])
            found = registries.releases(Package("npm", "pakke"))
    lists = [release.at for release in found] if document["versions"] else found
    assert lists == ([released] if document["versions"] else "not_public")


@pytest.mark.parametrize(
    ("ecosystem", "told", "asked"),
    [
        # Dependabot: "Bump golang.org/x/net from 0.17.0 to 0.23.0"; deps.dev knows v0.23.0 only.
        ("go", "0.23.0", "v0.23.0"),
        ("go", "v0.23.0", "v0.23.0"),
        ("go", "24.0.7+incompatible", "v24.0.7%2Bincompatible"),
        ("go", "0.0.0-20240713022257-fab23760efa5", "v0.0.0-20240713022257-fab23760efa5"),
        # Renovate: "Update dependency lodash to v4.17.21".
        ("npm", "v4.17.21", "4.17.21"),
        ("crate", "v1.2.0", "1.2.0"),
        # A letter before the digits may be a part of the version.
        ("maven", "v1-rev20240311-2.0.0", "v1-rev20240311-2.0.0"),
        ("npm", "vnext", "vnext"),
    ],
)
def test_a_version_is_asked_for_as_its_system_writes_it(tmp_path, ecosystem, told, asked):
    with telling({}) as server:
        sources = ReleaseDateSources.model_validate({"deps_dev": server.url})
        with ReleaseDates(sources, settings(tmp_path), NOW) as dates:
            dates.find(ecosystem, "pakke", told)
        assert [path.rpartition("/versions/")[2] for path in server.paths()] == [asked]


@pytest.mark.parametrize(
    ("files", "is_known"),
    [
        ([{}, {"upload_time": "2026-03-02T07:00:00", "upload_time_iso_8601": "2026-03-02T06:00:00.000000Z"}], True),
        # UTC without saying so, whatever the machine's own zone is.
        ([{"upload_time": "2026-03-02T06:00:00"}], True),
        ([{}], False),
        ([], False),
    ],
    ids=["one of two", "older form", "none", "no files"],
)
def test_a_mirror_of_pypi_may_leave_times_out(tmp_path, monkeypatch, files, is_known):
    """aboutcode-org/purldb#863, stevearc/pypicloud#144."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    routes = {"/x/1.2.0/json": {"urls": files}, "/x/json": {"releases": {"1.2.0": files}}}
    try:
        with telling(routes) as server:
            sources = ReleaseDateSources.model_validate({"pypi": server.url})
            with ReleaseDates(sources, settings(tmp_path), NOW) as dates:
                found = dates.find("pypi", "x", "1.2.0")
            with Registries(asking(sources, tmp_path)) as registries:
                package = Package("pypi", "x")
                registries.learn([package])
                (release,) = registries.releases(package)
    finally:
        monkeypatch.undo()
        time.tzset()
    expected = datetime.fromisoformat(PUBLISHED) if is_known else None
    assert (found, release.at) == (expected, expected)

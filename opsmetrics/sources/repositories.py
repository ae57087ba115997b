"""Repositories and the services that they belong to, whichever connector reads them (ADR 53)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from opsmetrics.organisation import Organisation
from opsmetrics.organisation.connectors.base import Connector
from opsmetrics.organisation.names import fits
from opsmetrics.sources.fetching import FetchResult
from opsmetrics.sources.notes import Window


def is_owned(organisation: Organisation, repository: str, days: Window) -> bool:
    """Whether somebody answers for a repository in half-open days; one of which only the old name is known counts."""
    first, end = days
    owners = [
        owner
        for service in organisation.services
        if any(fits(name, repository) for name in service.repositories)
        for owner in service.owners
    ]
    return not owners or any(
        owner.valid_from < end and (owner.valid_to is None or owner.valid_to > first) for owner in owners
    )


def without(
    organisation: Organisation, result: FetchResult, missed: Collection[str], *, is_complete: bool = True
) -> FetchResult:
    """Return an answer that lacks services: whole for all others, and a part for all where nobody knows whose they are.

    Args:
        organisation: Whose services.
        result: The answer.
        missed: Names of services, as rows have them.
        is_complete: Whether it lacks nothing else.
    """
    known = {service.id for service in organisation.services}
    is_whole = is_complete and known.issuperset(missed)
    return replace(result, is_complete=is_whole, hidden=frozenset(missed) if is_whole else frozenset())


def without_on(
    organisation: Organisation, result: FetchResult, missed: Mapping[date, Collection[str]], everything: int
) -> FetchResult:
    """Return an answer that cannot tell of some services on some days.

    Args:
        organisation: Whose services.
        result: The answer.
        missed: Day -> names of services, as rows have them, once for each repository.
        everything: How many repositories there are: a day that none of them tells is told of nobody.
    """
    known = {service.id for service in organisation.services}
    unseen = {day for day, names in missed.items() if len(names) >= everything or not known.issuperset(names)}
    hidden = {day: frozenset(names) for day, names in missed.items() if day not in unseen}
    return replace(result, unseen=result.unseen | unseen, hidden_on=hidden)


def service_of(organisation: Organisation, settings: Connector, repository: str, before: str | None = None) -> str:
    """Return the service of a repository: configured, else the only one of services.toml, else its own name.

    Args:
        organisation: Whose services.
        settings: The connector, which may name services itself.
        repository: As it is called now.
        before: What it was called before: the configuration may know the old name only.
    """
    for name in (repository, repository.partition("/")[2] or repository):
        if name in settings.services:
            return settings.services[name]
    owners = [
        service.id
        for service in organisation.services
        if any(fits(text, repository) for text in (*service.repositories, *service.renamed_repositories))
    ]
    if len(owners) == 1:
        return owners[0]
    return repository if before is None else service_of(organisation, settings, before)

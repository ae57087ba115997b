"""Packages of which nobody can tell whether an update waits, and the looks at them that say so (ADR 51).

Nothing known of a package is neither an update nor its absence: each look is a row that says why nobody knows. What was
taken is known all the same: the repository shows when it went to a newer version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from opsmetrics.sources.dependencies.episodes import NO_DATES, NOT_RELEASED, WRONG_DATES, Episode
from opsmetrics.sources.dependencies.inventory import UNTOLD, Used
from opsmetrics.sources.versions import place_of

NO_REGISTRY, NOT_PUBLIC, REFUSED, NO_VERSION = "no_registry", "not_public", "refused", "no_version"
# As the contract of ``update_episodes`` writes it -> as a pull says it.
WORDS = {
    NO_REGISTRY: "packages of ecosystems for which no registry is configured",
    NOT_PUBLIC: "packages that no registry knows (private ones?)",
    REFUSED: "packages of which a registry refuses to tell (does it ask who you are?)",
    NO_VERSION: "packages whose version in use no file tells (a range, and no lock file)",
    NOT_RELEASED: "packages of which the version in use is not among the registry's",
    NO_DATES: "packages of which a registry does not say when they were released",
    WRONG_DATES: "packages whose releases are dated later than their use (a mirror's dates?)",
}
# Of these it is known until the version came that is in use now.
SINCE_NEWEST = frozenset({NO_VERSION, NOT_RELEASED})
# One in each period of four weeks that a metric judges, wherever the period begins.
EVERY_DAYS = 28
_A_MONDAY = date(2020, 1, 6)


def look_days(first: date, end: date) -> Iterator[date]:
    """Yield the days of a half-open window on which packages are looked at: the same ones, whoever asks."""
    day = first + timedelta(days=(_A_MONDAY - first).days % EVERY_DAYS)
    while day < end:
        yield day
        day += timedelta(days=EVERY_DAYS)


def looks_at(spans: Sequence[tuple[datetime, Used]], why: str, at: Sequence[datetime]) -> Iterator[Episode]:
    """Yield a look for each instant at which a package was in use, and one for when it came.

    Args:
        spans: The versions in use from an instant on, oldest first; none: not in use.
        why: Why nobody knows more, as the contract writes it.
        at: Instants of looks, oldest first.
    """
    known = spans[-1:] if why in SINCE_NEWEST else spans
    came = [
        since
        for (since, used), before in zip(known, [(), *(used for _, used in known)], strict=False)
        if used and not before
    ]
    instants = sorted({*came, *at})
    for place, instant in enumerate(instants):
        used = next((used for since, used in reversed(known) if since <= instant), ())
        if used:
            most = instant + timedelta(days=EVERY_DAYS)
            end = min(instants[place + 1], most) if place + 1 < len(instants) else most
            yield Episode(_said(used), instant, _taken(known, used, instant, end), why)


def _said(used: Used) -> str:
    return min((version for version in used if version != UNTOLD), key=_numbers, default="*")


def _numbers(version: str) -> tuple[int, ...]:
    place = place_of(version)
    return place.numbers if place is not None else ()


def _taken(spans: Sequence[tuple[datetime, Used]], used: Used, start: datetime, end: datetime) -> datetime | None:
    """Return when a newer version came in between: the lowest in use is what a repository has (ADR 39)."""
    before = _numbers(_said(used))
    for since, others in spans:
        if not start < since < end:
            continue
        if not others:
            return None
        now = _numbers(_said(others))
        if before and now > before:
            return since
        before = now
    return None

"""Lag episodes of one package in one repository: from a newer version being there until the repository has it (ADR 39).

An episode opens when a release appears that supersedes the version in use: of the same line (first number), a release
and no forerunner, not taken back by its maker. It closes when every place of the repository that used that line has
that release or a newer one. While one is open, later releases of the line are no episodes of their own; the next one
begins with the first release that is newer than what was taken. Pure: what is used and what was released goes in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from opsmetrics.sources.dependencies.inventory import UNTOLD, Used
from opsmetrics.sources.versions import Place, place_of

# A version that was in use before its maker released it has a wrong date: a mirror tells when it copied.
_TOLERANCE = timedelta(days=1)
# Why there is no episode where there might be one.
UNSEEN = "updates that were waiting before the clone, or a lock file, shows what was in use"
REMOVED = "updates of packages that were taken out before they were applied"
# Why the package as a whole is unknown, as the contract of ``update_episodes`` writes it.
NOT_RELEASED, NO_DATES, WRONG_DATES = "not_released", "no_dates", "wrong_dates"


@dataclass(frozen=True, slots=True)
class Release:
    """One version in a registry.

    Attributes:
        version: As the registry writes it.
        at: When it was published; None where nobody tells.
        is_withdrawn: Whether its maker took it back, or warns of it.
    """

    version: str
    at: datetime | None
    is_withdrawn: bool = False


@dataclass(slots=True)
class Episode:
    """One update that was there to be taken.

    Attributes:
        version: The release that opened it.
        available_at: When it was there for this repository.
        applied_at: When the repository had it, None while it has not.
        unknown_because: Why nobody can tell whether an update waits; None of an update that does.
    """

    version: str
    available_at: datetime
    applied_at: datetime | None = None
    unknown_because: str | None = None


@dataclass(slots=True)
class _Open:
    version: str
    place: Place
    at: datetime
    is_hidden: bool


@dataclass(slots=True)
class Told:
    """The episodes of a package, and what is unknown.

    Attributes:
        episodes: What is known.
        unknown: Why one is unknown, and since when it was there.
        undated: Why the package as a whole is, as the contract writes it; None where it is not.
    """

    episodes: list[Episode] = field(default_factory=list[Episode])
    unknown: list[tuple[str, datetime]] = field(default_factory=list[tuple[str, datetime]])
    undated: str | None = None


def episodes_of(
    spans: Sequence[tuple[datetime, Used]],
    releases: Sequence[Release],
    *,
    begins_at: datetime | None = None,
    minimum_age: timedelta = timedelta(0),
) -> Told:
    """Return the episodes of one package.

    Args:
        spans: The versions in use from an instant on, oldest first; none: not in use.
        releases: Of the package.
        begins_at: When a shallow clone begins: what was in use then is known, but not since when.
        minimum_age: How old a release must be before the repository takes it.
    """
    told = Told()
    known = {place: one for one in releases if (place := place_of(one.version)) is not None}
    places = {version: place for _, used in spans for version in used if (place := place_of(version)) is not None}
    if not places:
        return told
    if any(places[version] not in known for version in spans[-1][1] if version in places):
        told.undated = NOT_RELEASED
    if _has_wrong_dates(spans, places, known, begins_at):
        told.undated = WRONG_DATES
        return told
    if _lacks_dates([places[version] for version in spans[-1][1] if version in places], known):
        told.undated = NO_DATES
    offers = sorted(
        ((one.at, place, one.version) for place, one in known.items() if one.at is not None and not one.is_withdrawn),
        key=lambda offer: (offer[0], offer[1].numbers),
    )
    for line in sorted({place.line for place in places.values()}):
        walk = _Line(line, offers, known, told, begins_at, minimum_age)
        walk.run([(at, [places[one] for one in used if one in places], UNTOLD in used) for at, used in spans])
    return told


def _has_wrong_dates(
    spans: Sequence[tuple[datetime, Used]],
    places: Mapping[str, Place],
    known: Mapping[Place, Release],
    begins_at: datetime | None,
) -> bool:
    for at, used in spans:
        for version in used:
            release = known.get(places[version]) if version in places else None
            if release is not None and release.at is not None and release.at > at + _TOLERANCE and at != begins_at:
                return True
    return False


def _lacks_dates(used: Sequence[Place], known: Mapping[Place, Release]) -> bool:
    """Whether nothing has a date, or something newer than what is in use is there of which nobody tells since when."""
    if not any(one.at is not None for one in known.values()):
        return bool(known)
    newer = [one for place, one in known.items() if not one.is_withdrawn and any(place.supersedes(u) for u in used)]
    return bool(newer) and not any(one.at is not None for one in newer)


class _Line:
    """Walks through what was in use of one line of versions."""

    def __init__(
        self,
        line: int,
        offers: Sequence[tuple[datetime, Place, str]],
        known: Mapping[Place, Release],
        told: Told,
        begins_at: datetime | None,
        minimum_age: timedelta,
    ) -> None:
        self.line, self.known, self.told = line, known, told
        self.offers = [offer for offer in offers if offer[1].line == line]
        self.begins_at, self.minimum_age = begins_at, minimum_age
        self.open: _Open | None = None
        # Since when the repository is where it is without a step back: earlier releases were no updates for it.
        self.since = datetime.min.replace(tzinfo=UTC)
        # What was in use before this was not seen: since when it is where it was then, nobody knows.
        self.unseen_until: datetime | None = None
        self.lowest: Place | None = None

    def run(self, states: Sequence[tuple[datetime, list[Place], bool]]) -> None:
        """Tell the episodes of the line; of each state: since when, what is used, and whether a version is untold."""
        ends = [at for at, _, _ in states[1:]] + [datetime.max.replace(tzinfo=UTC)]
        was_untold = False
        for (at, used, is_untold), end in zip(states, ends, strict=True):
            mine = [place for place in used if place.line == self.line]
            if mine:
                if self.lowest is None and (was_untold or at == self.begins_at):
                    self.unseen_until = at
                self._use(at, end, min(mine, key=lambda place: (place.numbers, not place.is_early)))
            else:
                self._leave(at, used)
            was_untold = is_untold
        if self.open is not None:
            self._close(None)

    def _use(self, at: datetime, end: datetime, lowest: Place) -> None:
        if self.lowest is None or lowest.numbers < self.lowest.numbers:
            self.since = at
        self.lowest = lowest
        if self.open is not None and lowest.reaches(self.open.place):
            self._close(at)
        if self.open is None and lowest in self.known:
            self._offer(lowest, end)

    def _offer(self, lowest: Place, end: datetime) -> None:
        """Open the episode of the first release that supersedes what is in use, if there is one by then."""
        first = next((offer for offer in self.offers if offer[1].supersedes(lowest)), None)
        if first is None or first[0] >= end:
            return
        released, place, version = first
        is_hidden = self.unseen_until is not None and self.since == self.unseen_until and released < self.since
        self.open = _Open(version, place, max(released + self.minimum_age, self.since), is_hidden)

    def _leave(self, at: datetime, used: Sequence[Place]) -> None:
        """The last place of the line went: to a newer line, or the package was taken out."""
        if self.open is not None:
            if used and all(place.reaches(self.open.place) for place in used):
                self._close(at)
            else:
                self.told.unknown.append((REMOVED, self.open.at))
                self.open = None
        self.lowest = None

    def _close(self, at: datetime | None) -> None:
        if self.open is None:
            return
        if self.open.is_hidden:
            self.told.unknown.append((UNSEEN, self.open.at))
        else:
            # Who takes a release before it is old enough has it when it is there.
            available = self.open.at if at is None else min(self.open.at, at)
            self.told.episodes.append(Episode(self.open.version, available, at))
        self.open = None

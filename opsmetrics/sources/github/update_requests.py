"""What became of update requests: lag episodes of each package, line of versions and place in a repository.

An episode lasts from the first request that offered a newer version until the repository is on it. Bots close a request
when they open a better one, or when it is no longer needed: such a request is neither open nor applied. The one that
took its place carries its beginning on. What somebody closed without a word is open until a version as new is merged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsmetrics.core.instants import instant
from opsmetrics.sources.actors import is_machine
from opsmetrics.sources.github.update_bodies import Change, UpdateRequest, read_request
from opsmetrics.sources.versions import at_least, is_same_line

Row = dict[str, Any]
# What Dependabot writes below a request that it closes by itself.
_NO_LONGER = re.compile(r"\bsuperseded by\b|\bno longer needed\b", re.IGNORECASE)
# A newer request is opened a little before or after the older one is closed.
_ABOUT = timedelta(days=1)
# A request that took the place of an older one carries its beginning on, so that older ones are looked at too.
BEFORE = timedelta(days=190)
_DISMISSED = {"wont-update", "wontfix", "avvist"}


@dataclass(slots=True)
class Offer:
    """One package in one request.

    Attributes:
        pull: The pull request.
        request: What it says.
        change: The package.
        available_at: When a version of this line was first offered.
        created: When the request was opened.
        merged: When it was merged.
        closed: When it was closed, merged or not.
    """

    pull: Row
    request: UpdateRequest
    change: Change
    available_at: datetime
    created: datetime
    merged: datetime | None
    closed: datetime | None

    @property
    def is_dismissed(self) -> bool:
        """A label says that somebody decided; closing alone may only mean that a newer version came."""
        return self.closed is not None and self.merged is None and bool(labels_of(self.pull) & _DISMISSED)

    @property
    def was_withdrawn(self) -> bool:
        """Whether the bot says that it closed the request because it had become needless."""
        if self.closed is None or self.merged is not None or self.is_dismissed:
            return False
        return self.request.is_closed_by_bot or any(_NO_LONGER.search(text) for text in _words_of_bots(self.pull))

    def was_replaced_by(self, other: Offer) -> bool:
        """Whether another offer of the same package took the place of this closed one."""
        if self.closed is None or self.merged is not None or self.is_dismissed or other.created <= self.created:
            return False
        is_at_once = abs(other.created - self.closed) <= _ABOUT
        is_newer = at_least(other.change.new, self.change.new) is not False
        is_later = self.was_withdrawn and is_same_line(other.change.new, self.change.new)
        return is_newer and (is_at_once or is_later)

    def is_applied_by(self, other: Offer) -> bool:
        """Whether the merge of another offer brought at least this version."""
        if other.merged is None or other.merged < self.created:
            return False
        reached = at_least(other.change.new, self.change.new)
        return other is self or bool(reached)


def labels_of(pull: Row) -> set[str]:
    """Return the labels of a pull request, in lower case."""
    return {label["name"].lower() for label in pull["labels"]["nodes"]}


def _words_of_bots(pull: Row) -> Iterator[str]:
    for comment in (pull.get("comments") or {}).get("nodes") or ():
        author = comment["author"] or {}
        if is_machine(author.get("login"), account_type=author.get("__typename")):
            yield comment["body"]


def episodes_of(pulls: Iterable[Row]) -> tuple[list[Row], int]:
    """Return the episodes of update requests, and how many offers the bots took back without another in their place."""
    groups: dict[tuple[str, str, str], list[Offer]] = defaultdict(list)
    for pull in {(pull["repository"]["nameWithOwner"], pull["number"]): pull for pull in pulls}.values():
        for key, offer in _offers(pull):
            groups[key].append(offer)
    rows, withdrawn = list[Row](), 0
    for (repository, package, scope), offers in groups.items():
        offers.sort(key=lambda offer: (offer.created, offer.pull["number"]))
        left: list[Offer] = []
        for place, offer in enumerate(offers):
            newer = next((other for other in offers[place + 1 :] if offer.was_replaced_by(other)), None)
            if newer is not None:
                newer.available_at = min(newer.available_at, offer.available_at)
            elif offer.was_withdrawn:
                withdrawn += 1
            else:
                left.append(offer)
        rows += [_episode(repository, package, scope, offer, offers) for offer in left]
    return rows, withdrawn


def _offers(pull: Row) -> Iterator[tuple[tuple[str, str, str], Offer]]:
    request = read_request(pull["title"], pull["body"] or "", pull["headRefName"])
    created = instant(pull["createdAt"])
    if created is None or not request.is_update:
        return
    repository = pull["repository"]["nameWithOwner"]
    for change in {change.package: change for change in request.changes}.values():
        merged, closed = instant(pull["mergedAt"]), instant(pull["closedAt"])
        offer = Offer(pull, request, change, created, created, merged, closed)
        yield (repository, change.package or pull["headRefName"], request.scope), offer


def _episode(repository: str, package: str, scope: str, offer: Offer, offers: list[Offer]) -> Row:
    merges = (other.merged for other in offers if other.merged is not None and offer.is_applied_by(other))
    place = f" {scope}" if scope else ""
    return {
        "episode_id": f"{repository}#{offer.pull['number']}/{package}{place}",
        "repository": repository,
        "package": package,
        "available_at": offer.available_at,
        "applied_at": None if offer.is_dismissed else min(merges, default=None),
        "dismissed_at": offer.closed if offer.is_dismissed else None,
    }

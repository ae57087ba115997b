"""A draft of an organisation: teams, services and their owners, joined from several places that tell of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from opsmetrics.core.model import slug
from opsmetrics.organisation.names import folded

# How alike two names must be that are taken for the same thing; both are said to the user.
ALIKE = 0.8
_PLATFORM = re.compile(r"platt?form|infra|drift|\bops\b|devops|sre", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guess:
    """Something that nobody said, and what to look at.

    Attributes:
        file: File of the configuration in which it stands.
        what: What was taken.
        verify: What to look at.
        is_loss: Whether rows of a source are not used.
    """

    file: str
    what: str
    verify: str
    is_loss: bool = False


@dataclass(slots=True)
class OwnerDraft:
    """A team that answers for a service.

    Attributes:
        team: Id.
        since: First day; the last day of all where nobody says it.
        why: What proves the day.
        is_said: Somebody wrote the day down, so that it stands although older records are known.
    """

    team: str
    since: date
    why: str
    is_said: bool = False


@dataclass(slots=True)
class ServiceDraft:
    """One service.

    Attributes:
        id: Made of its name.
        name: As the source writes it.
        owners: Dated, oldest first; none where nobody says who answers for it.
        first_seen: Oldest day on which anything tells of it.
        why: What proves that day.
        aliases: Other names of it.
        repositories: ``owner/name``.
        monitors: TOML of each monitor.
        criticality: Where a table says it.
        seen_in: What told of it.
    """

    id: str
    name: str
    owners: list[OwnerDraft] = field(default_factory=list[OwnerDraft])
    first_seen: date | None = None
    why: str = ""
    aliases: list[str] = field(default_factory=list[str])
    repositories: list[str] = field(default_factory=list[str])
    monitors: list[str] = field(default_factory=list[str])
    criticality: str | None = None
    seen_in: list[str] = field(default_factory=list[str])

    @property
    def is_only_named(self) -> bool:
        """Whether rows name it and nothing else tells of it."""
        return not (self.owners or self.repositories or self.monitors or self.criticality)

    def seen(self, day: date | None, why: str) -> None:
        """Note the oldest day on which something tells of it."""
        if why not in self.seen_in:
            self.seen_in.append(why)
        if day is not None and (self.first_seen is None or day < self.first_seen):
            self.first_seen, self.why = day, why


@dataclass(slots=True)
class TeamDraft:
    """One team; ``type`` is a guess of its name."""

    id: str
    name: str
    seen_in: list[str] = field(default_factory=list[str])

    @property
    def type(self) -> str:
        """Product or platform."""
        return "platform" if _PLATFORM.search(self.name) else "product"


@dataclass(slots=True)
class SourceDraft:
    """A source of rows: TOML for ``sources.toml``, or a query with a file of its own.

    Attributes:
        stream: Stream that it delivers; empty where it delivers several.
        toml: What to write into ``sources.toml``; empty for a query.
        what: In words.
    """

    stream: str
    toml: str
    what: str


@dataclass(slots=True)
class Draft:
    """Everything that is proposed."""

    teams: dict[str, TeamDraft] = field(default_factory=dict[str, TeamDraft])
    services: dict[str, ServiceDraft] = field(default_factory=dict[str, ServiceDraft])
    datastores: dict[str, str] = field(default_factory=dict[str, str])
    environments: list[str] = field(default_factory=list[str])
    sources: list[SourceDraft] = field(default_factory=list[SourceDraft])
    guesses: list[Guess] = field(default_factory=list[Guess])
    days: list[date] = field(default_factory=list[date])

    def guess(self, file: str, what: str, verify: str, *, is_loss: bool = False) -> None:
        """Note a guess, once."""
        found = Guess(file, what, verify, is_loss)
        if found not in self.guesses:
            self.guesses.append(found)

    def team(self, name: str, where: str) -> str:
        """Return the id of a team, which is added where it is new."""
        key = slug(name)
        team = self.teams.setdefault(key, TeamDraft(key, name.strip()))
        if where not in team.seen_in:
            team.seen_in.append(where)
        return key

    def service(self, name: str) -> ServiceDraft:
        """Return the service of a name, which is added where it is new; names that differ in signs only are one."""
        key = slug(name)
        known = self.services.get(key) or self._by_alias(name)
        if known is None:
            known = self.services[key] = ServiceDraft(key, name.strip())
        if folded(name) not in {folded(other) for other in (known.id, *known.aliases)}:
            known.aliases.append(name.strip())
        return known

    def service_of(self, repository: str, name: str) -> ServiceDraft:
        """Return the service that a repository belongs to, else the one of a name, to which it then belongs."""
        known = self._with(repository)
        service = known or self.service(name)
        if known is None:
            service.repositories.append(repository)
        return service

    def belongs(self, repository: str, service: ServiceDraft, where: str) -> None:
        """Take a repository as a service's; one in which several services lie has the events of the first."""
        known = self._with(repository)
        if known is None:
            service.repositories.append(repository)
        elif known is not service:
            what = f"{repository} is {known.id}'s, although {where} names it for {service.id} too"
            self.guess("services.toml", what, "let the service have it whose deployments and updates it shows")

    def _with(self, repository: str) -> ServiceDraft | None:
        wanted = repository.casefold()
        return next((s for s in self.services.values() if wanted in map(str.casefold, s.repositories)), None)

    def owned(self, service: ServiceDraft, owners: list[OwnerDraft], where: str) -> None:
        """Take owners from the first place that names them; a later one that names others is said."""
        if not owners:
            return
        if not service.owners:
            service.owners = owners
            return
        now, then = service.owners[-1].team, owners[-1].team
        if now != then:
            what = f"{service.id}: {now} owns it, although {where} names {then}"
            self.guess("services.toml", what, "write who answers for it, and since when")

    def _by_alias(self, name: str) -> ServiceDraft | None:
        wanted = folded(name)
        return next((s for s in self.services.values() if wanted in map(folded, s.aliases)), None)

    def join_rules(self) -> None:
        """Take names as aliases that are those of services and one more word, where several services have it alike.

        ``Innsyn saturation`` and ``Journal saturation`` are what an alert is called, not services.
        """
        words: dict[str, list[tuple[ServiceDraft, ServiceDraft]]] = {}
        for service in self.services.values():
            inner = [known for known in self.services.values() if service.id.startswith(f"{known.id}-")]
            if inner and service.is_only_named:
                known = max(inner, key=lambda item: len(item.id))
                words.setdefault(service.id.removeprefix(known.id), []).append((service, known))
        for pairs in words.values():
            for service, known in pairs if len(pairs) > 1 else ():
                del self.services[service.id]
                known.aliases.append(service.name)
                known.seen(service.first_seen, service.why)
                what = f"{service.name!r} is taken for {known.id}, as names of several services end alike"
                self.guess("services.toml", what, "take the alias out, and give it a service, where it is one")

    def nearest(self, name: str) -> ServiceDraft | None:
        """Return the service that a name of a probe or a datastore probably belongs to: contained, else most alike."""
        wanted = slug(name)
        names = {
            key: service
            for service in self.services.values()
            for key in (service.id, *(repository.rpartition("/")[2].lower() for repository in service.repositories))
        }
        inside = [key for key in names if f"-{key}-" in f"-{wanted}-"]
        if inside:
            return names[max(inside, key=len)]
        near = difflib.get_close_matches(wanted, list(names), n=1, cutoff=ALIKE)
        return names[near[0]] if near else None


def names_of(items: Iterable[str], most: int = 6) -> str:
    """Return names as a short list."""
    found = list(items)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more

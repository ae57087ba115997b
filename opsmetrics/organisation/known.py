"""What the configuration knows by name: whether a name of a source leads to something, and which ones lead nowhere."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from opsmetrics.organisation.names import fits, folded, is_pattern, pattern_of
from opsmetrics.organisation.organisation import Organisation


class KnownNames:
    """Names of services, teams, datastores, environments, repositories and monitors of one organisation.

    Args:
        organisation: Whose.
    """

    def __init__(self, organisation: Organisation) -> None:
        services, environments = organisation.services, organisation.settings.environments
        # Names that lead to a service, and texts of services.toml that may be patterns.
        self._services: dict[str, dict[str, str]] = {
            "service": {folded(name): service.id for service in services for name in (service.id, *service.aliases)},
            "datastore": {folded(store.id): store.service for store in organisation.datastores},
        }
        self._texts: dict[str, list[tuple[str, str]]] = {
            "repository": [
                (text, service.id)
                for service in services
                for text in (*service.repositories, *service.renamed_repositories)
            ],
            "monitor": [(monitor.id, service.id) for service in services for monitor in service.monitors],
        }
        self._plain: dict[str, set[str]] = {
            **{kind: set(names) for kind, names in self._services.items()},
            "team": {
                folded(name) for team in organisation.teams for name in (team.id, *(a.name for a in team.aliases))
            },
            "environment": {folded(name) for key, names in environments.items() for name in (key, *names)},
        }

    def service_of(self, kind: str, name: str) -> str | None:
        """Return the service that a name leads to, or None."""
        if kind in self._services:
            return self._services[kind].get(folded(name))
        return next((service for text, service in self._texts.get(kind, []) if _fits(text, name, kind)), None)

    def knows(self, kind: str, name: str) -> bool:
        """Whether a name leads to something; of a monitor also as ``provider/id``."""
        if kind in self._plain:
            return folded(name) in self._plain[kind]
        return any(_fits(text, name, kind) for text, _ in self._texts[kind])

    def near(self, kind: str, name: str) -> str | None:
        """Return the configured name that is most like one that leads nowhere, or None."""
        names = self._plain.get(kind) or {pattern_of(text) for text, _ in self._texts.get(kind, [])}
        found = difflib.get_close_matches(folded(name), sorted(names), n=1)
        return found[0] if found else None

    def unseen(self, kind: str, names: Iterable[str]) -> list[str]:
        """Return the repositories or monitors of services.toml that fit none of a source's names."""
        seen, keeps_case = list(names), kind == "monitor"
        bare = [name.partition("/")[2] for name in seen] if keeps_case else []
        lookup = set(seen) | set(bare) if keeps_case else {folded(name) for name in seen}

        def is_seen(text: str) -> bool:
            if is_pattern(text):
                return any(fits(text, name, keeps_case=keeps_case) for name in (*seen, *bare))
            return (text if keeps_case else folded(text)) in lookup

        return [text for text, _ in self._texts[kind] if not is_seen(text)]


def _fits(text: str, name: str, kind: str) -> bool:
    """Whether a text of services.toml means a name; a monitor's comes as ``provider/id`` and may be meant without."""
    if kind != "monitor":
        return fits(text, name)
    return any(fits(text, said, keeps_case=True) for said in (name, name.partition("/")[2]))

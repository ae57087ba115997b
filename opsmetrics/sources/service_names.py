"""Which of several names that an alert carries means a service of ours.

A field that people fill in freely may hold a host, a sentence or an address: of such a field only a name that the
configuration knows is used, and nothing else of it is landed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from opsmetrics.organisation.known import KnownNames
from opsmetrics.sources.fetching import FetchRequest


class ServiceNames:
    """Names that mean a service: those that a connector maps, and ids and aliases of services.toml.

    Args:
        request: The question, for the connector and the organisation.
    """

    def __init__(self, request: FetchRequest[Any]) -> None:
        self._mapped: dict[str, str] = request.connector.services
        self._known = KnownNames(request.organisation)

    def first(self, names: Iterable[Any]) -> str | None:
        """Return the service that the first known of some names means; what is no text means none."""
        for name in names:
            if isinstance(name, str) and name:
                found = self._mapped.get(name) or self._known.service_of("service", name)
                if found is not None:
                    return found
        return None

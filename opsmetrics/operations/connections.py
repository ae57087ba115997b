"""``opsmetrics check --connect``: ask every source its smallest question and say in one line what it answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.connectors.base import Connector
from opsmetrics.sources.allowance import allowed
from opsmetrics.sources.fetching import FetchRequest
from opsmetrics.sources.pull import explained_shape
from opsmetrics.sources.registry import probe_function

PARALLEL = 8
# Somebody waits for it.
LONGEST_MINUTES = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """What one source answered.

    Attributes:
        source: Name in sources.toml.
        kind: Kind of connector.
        streams: Streams it is to deliver.
        is_connected: Whether it answered.
        said: What it answered, or what is wrong and how to fix it.
    """

    source: str
    kind: str
    streams: tuple[str, ...]
    is_connected: bool
    said: str


def connections(settings: Settings, organisation: Organisation) -> list[Connection]:
    """Ask every configured connector, several at a time."""

    def one(connector: Connector) -> Connection:
        now = settings.clock(organisation.settings.now)
        today = now.astimezone(organisation.zone).date()
        ask = FetchRequest.make(
            settings, organisation, connector, connector.streams[0], (today, today + timedelta(days=1)), now
        )
        minutes = min(connector.bounds.minutes, LONGEST_MINUTES)
        try:
            with allowed(connector.bounds.model_copy(update={"minutes": minutes})):
                said, works = explained_shape(ask, probe_function(connector.kind)), True
        except OpsMetricsError as error:
            said, works = str(error), False
        return Connection(connector.name, connector.kind, tuple(connector.streams), works, said)

    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(one, organisation.sources.connector))

"""Everything that ``opsmetrics check`` finds in a configuration that can be read, offline and within seconds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from opsmetrics.core.settings import Settings
from opsmetrics.landing import load_paths
from opsmetrics.operations.inspection import Head, heads
from opsmetrics.operations.names_seen import findings, names_seen
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.advice import Finding, advice
from opsmetrics.organisation.models import StreamSource
from opsmetrics.streams import STREAMS
from opsmetrics.streams.names import named_columns


def inspect(settings: Settings, organisation: Organisation, today: date) -> list[Finding]:
    """Return what the configuration says and cannot or may not mean, the errors first.

    Args:
        settings: Where files and landing are.
        organisation: The configuration.
        today: Local day.
    """
    looked = list(heads(settings, organisation, today))
    seen = names_seen(settings.landing, looked)
    found = [*advice(organisation, today), *(item for head in looked for item in head.findings)]
    found += findings(organisation, seen, partly=_partly_seen(settings.landing, organisation, looked))
    return sorted(found, key=lambda item: not item.is_error)


def _partly_seen(landing: Path, organisation: Organisation, looked: list[Head]) -> set[str]:
    """Kinds of names of which there may be more than was looked at."""

    def kinds(stream: str) -> set[str]:
        return {kind for _, kind in named_columns(STREAMS[stream])}

    def is_landed(stream: str) -> bool:
        return next(iter(load_paths(landing, stream)), None) is not None

    # One day of checks names every monitor that is alive; of what happens now and then one day says little.
    cut = [head for head in looked if not head.is_whole and not is_landed(head.source.name)]
    partly = {
        kind for head in cut for kind in kinds(head.source.name) if not (head.source.is_daily and kind == "monitor")
    }
    asked = [item for item in organisation.deliveries if not isinstance(item.source, StreamSource)]
    return partly | {kind for item in asked if not is_landed(item.stream) for kind in kinds(item.stream)}

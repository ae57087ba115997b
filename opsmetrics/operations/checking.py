"""Everything that ``opsmetrics check`` finds in a configuration that can be read, offline and within seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from opsmetrics.core.errors import Problem
from opsmetrics.core.settings import Settings, mistyped
from opsmetrics.landing import load_paths
from opsmetrics.operations.inspection import Head, heads
from opsmetrics.operations.names_seen import findings, names_seen
from opsmetrics.operations.notify import webhook_problem
from opsmetrics.organisation import Organisation
from opsmetrics.organisation.advice import Finding, advice
from opsmetrics.organisation.file_sources import StreamSource
from opsmetrics.sources.http import ssl_context
from opsmetrics.streams import STREAMS
from opsmetrics.streams.names import named_columns
from opsmetrics.warehouse.engine_choice import engine_problem


def inspect(settings: Settings, organisation: Organisation, today: date) -> list[Finding]:
    """Return what the configuration says and cannot or may not mean, the errors first.

    Args:
        settings: Where files and landing are.
        organisation: The configuration.
        today: Local day.
    """
    looked = list(heads(settings, organisation, today))
    seen = names_seen(settings.landing, looked)
    found = [*_surroundings(settings), *advice(organisation, today)]
    found += (item for head in looked for item in head.findings)
    found += findings(organisation, seen, partly=_partly_seen(settings.landing, organisation, looked))
    return sorted(found, key=lambda item: not item.is_error)


def _surroundings(settings: Settings) -> Iterator[Finding]:
    """Settings of the environment that a later command would stumble over, or nobody reads."""
    problems: list[Problem | None] = [webhook_problem(settings), engine_problem(settings)]
    if settings.ca_file is not None:
        try:
            ssl_context(settings.ca_file)
        except OSError as error:
            message = f"OPSMETRICS_CA_FILE: {settings.ca_file} cannot be read as certificates ({type(error).__name__})"
            problems.append(Problem("environment", None, message, "name a file with certificates (PEM)"))
    yield from (Finding(problem, is_error=True) for problem in problems if problem is not None)
    for name, meant in mistyped().items():
        problem = Problem("environment", None, f"{name} is not a setting: nothing reads it", f"did you mean {meant}?")
        yield Finding(problem, is_error=False)


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

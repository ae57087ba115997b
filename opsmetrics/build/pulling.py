"""Pull several streams side by side: each writes only its own files of landing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation
from opsmetrics.sources import PullResult, pull_stream

PARALLEL_PULLS = 4


def _silent(*_: object) -> None:
    """Show nothing."""


def pull_streams(
    settings: Settings,
    organisation: Organisation,
    names: list[str],
    window: tuple[date, date] | None = None,
    *,
    origins: tuple[str, ...] = (),
    progress: Callable[[str, int, int], None] = _silent,
    ended: Callable[[str], None] = _silent,
) -> list[PullResult]:
    """Pull streams from all their sources, or from ``origins``.

    Args:
        settings: Where landing is.
        organisation: Whose sources.
        names: Streams.
        window: Half-open local days; default: every day that is not settled.
        origins: Only these sources.
        progress: Called with the stream, its windows done and its windows in all; from several threads.
        ended: Called with each stream that is done; from several threads.

    Returns:
        One result per source, in the order of ``names``.
    """

    def one(name: str) -> list[PullResult]:
        results = pull_stream(
            settings,
            organisation,
            name,
            window,
            origins=origins,
            progress=lambda done, total: progress(name, done, total),
        )
        ended(name)
        return results

    with ThreadPoolExecutor(PARALLEL_PULLS) as threads:
        return [result for results in threads.map(one, names) for result in results]

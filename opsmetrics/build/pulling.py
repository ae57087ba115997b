"""Pull several streams side by side: each writes only its own files of landing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date

from opsmetrics.core.settings import Settings
from opsmetrics.organisation import Organisation
from opsmetrics.sources import PullResult, pull_stream
from opsmetrics.sources.isolation import stop_reading

PARALLEL_PULLS = 4
LOOK_SECONDS = 0.5


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

    Raises:
        KeyboardInterrupt: Ctrl-C; nothing reads any longer.
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
        under_way = [threads.submit(one, name) for name in names]
        try:
            # In short waits: a signal that another thread was given is seen between them.
            while wait(under_way, LOOK_SECONDS).not_done:
                pass
            return [result for pulled in under_way for result in pulled.result()]
        except KeyboardInterrupt:
            threads.shutdown(wait=False, cancel_futures=True)
            stop_reading()
            raise

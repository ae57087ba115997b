"""How long anything in the tests may take before it counts as hung: one figure for processes, pages and polls.

A limit here ends a hang; it never judges speed, which ``make bench`` measures. It is generous enough for a machine that
is many times slower than a desktop. ``OPSMETRICS_TEST_PATIENCE`` scales it: 0.1 while looking for a hang, 3 under an
emulator.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

FACTOR = float(os.environ.get("OPSMETRICS_TEST_PATIENCE", "1"))
# A process, a page or a poll on its own.
LIMIT_SECONDS = 1800 * FACTOR
LIMIT_MS = LIMIT_SECONDS * 1000
# A whole test, its fixtures aside: the limits within it speak first, and say what it was that hung.
TEST_SECONDS = 4 * LIMIT_SECONDS


def wait_until(condition: Callable[[], object], said: Callable[[], str] = lambda: "", every: float = 0.05) -> None:
    """Ask again until the condition holds.

    Args:
        condition: What is waited for; it may raise to end the wait at once.
        said: What to report when it never holds, such as a process's log.
        every: Pause between two questions, seconds.

    Raises:
        TimeoutError: The condition did not hold within ``LIMIT_SECONDS``.
    """
    until = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"still waiting after {LIMIT_SECONDS:.0f} s\n{said()}")
        time.sleep(every)

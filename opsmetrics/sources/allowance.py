"""What is left of the bounds of a pull: shared by every client that it makes, in the thread that pulls.

Does not belong here: what the bounds are (``organisation.bounds``), and ending a process that does not look at them
(``sources.isolation``).
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from opsmetrics.organisation.bounds import Bounds

# A slow start is no slow answer.
GRACE_SECONDS = 30.0


class ExhaustedError(Exception):
    """A bound is reached; says which, and what to do."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


class Allowance:
    """Time and requests that a pull has left.

    Attributes:
        bounds: What it had at its start.
        said: What is to be told of the sources as such, whatever they were asked, in order.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.said: dict[str, None] = {}
        self._until = time.monotonic() + bounds.minutes * 60
        self._requests = bounds.requests

    @property
    def seconds(self) -> float:
        """Seconds left."""
        return self._until - time.monotonic()

    def spend(self) -> None:
        """Count one request.

        Raises:
            ExhaustedError: It would be one too many, or too late.
        """
        self.check_time()
        if self._requests <= 0:
            message = f"it answered {self.bounds.requests} requests of one pull and has more"
            raise ExhaustedError(
                message, "its pages may never end: look at it, or raise bounds.requests in sources.toml"
            )
        self._requests -= 1

    def check_time(self) -> None:
        """Look at the clock.

        Raises:
            ExhaustedError: The time is over.
        """
        if self.seconds <= 0:
            raise ExhaustedError(*too_long(self.bounds))

    def check_rate(self, size: int, since: float) -> None:
        """Look at how fast an answer comes.

        Args:
            size: Bytes that came, as they travelled.
            since: When it began to come, on the monotonic clock.

        Raises:
            ExhaustedError: It is too slow, or the time is over.
        """
        self.check_time()
        passed = time.monotonic() - since
        if passed > GRACE_SECONDS and size < passed * self.bounds.bytes_per_second:
            message = f"it sends less than {self.bounds.bytes_per_second} bytes a second"
            raise ExhaustedError(
                message, "pull again when it is well, or lower bounds.bytes_per_second in sources.toml"
            )


def too_long(bounds: Bounds) -> tuple[str, str]:
    """Return what is wrong where a pull takes too long, and what to do."""
    message = f"one pull took longer than {bounds.minutes:g} minutes and was ended"
    return message, "what it landed stays and the next pull goes on; or raise bounds.minutes in sources.toml"


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


def allowance() -> Allowance:
    """Return what the pull of this thread has left; outside of one, what a pull has at its start."""
    return _current.get() or Allowance(Bounds())


@contextmanager
def allowed(bounds: Bounds) -> Generator[Allowance]:
    """Let the clients that are made in the block share one allowance."""
    found = Allowance(bounds)
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)

"""What one pull of one stream of a source may take: time, requests, memory.

A pull that takes more is ended with an error of that source; what it had landed stays, and the next one goes on.
"""

from __future__ import annotations

from pydantic import Field

from opsmetrics.core.model import Model


class Bounds(Model):
    """Bounds of one pull of one stream.

    Attributes:
        minutes: How long it may take, all waiting included.
        requests: How many answers it may ask for, pages and further tries included.
        bytes_per_second: What an answer that takes longer than half a minute must bring at least, on average.
        memory_mb: Memory that reading may take beside what the program takes itself; on Linux, and where each source is
            read in a process of its own (OPSMETRICS_READ_APART).
    """

    minutes: float = Field(default=120, gt=0)
    requests: int = Field(default=50_000, ge=1)
    bytes_per_second: int = Field(default=100, ge=0)
    memory_mb: int = Field(default=4_096, ge=64)

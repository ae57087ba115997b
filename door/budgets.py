"""Budgets: how much somebody may ask for at once, and how fast it comes back."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable

# Whoever has not been seen for longest is forgotten first; a forgotten one begins with a full budget.
REMEMBERED = 10_000


class Budgets:
    """A budget for each name: full at first, refilled steadily, never above full."""

    def __init__(self, burst: float, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst, self.rate, self._clock = float(burst), float(rate), clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, amount: float = 1.0) -> float:
        """Take from a budget; returns the seconds to wait until that much was there, 0 where it is.

        What has to wait is taken all the same: whoever waits pays once.
        """
        left = self._filled(name) - amount
        self._left[name] = (left, self._clock())
        self._left.move_to_end(name)
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return max(0.0, -left / self.rate)

    def has(self, name: str, amount: float = 1.0) -> bool:
        """Take from a budget if that much is there."""
        is_there = self._filled(name) >= amount
        if is_there:
            self.take(name, amount)
        return is_there

    def _filled(self, name: str) -> float:
        left, at = self._left.get(name, (self.burst, 0.0))
        return min(self.burst, left + (self._clock() - at) * self.rate)


class Places:
    """So many places in all, and so many for each."""

    def __init__(self, most: int, each: int) -> None:
        self.most, self.each = most, each
        self._taken: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        """Whether there is none left for anybody."""
        return self._taken.total() >= self.most

    def enter(self, name: str, *, is_counted: bool = True) -> bool:
        """Take a place if there is one; ``is_counted`` is off for whoever stands for many."""
        if self.is_full or (is_counted and self._taken[name] >= self.each):
            return False
        self._taken[name] += 1
        return True

    def leave(self, name: str) -> None:
        """Give a place back."""
        self._taken[name] -= 1
        if self._taken[name] <= 0:
            del self._taken[name]

"""Names of charts, signals and reasons, for the code that computes them and for what only reads them (method 3.11)."""

from __future__ import annotations

SIGNALS = (
    *("", "outside", "seven_on_one_side", "seven_rising_or_falling", "two_of_three_near_limit"),
    *("long_without_miss", "changed"),
)
KINDS = ("none", "xmr", "p", "g", "t", "steps", "run")
REASONS = ("", "too_few_points", "too_few_misses", "has_not_moved")
FEWEST_POINTS = 8

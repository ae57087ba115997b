"""What a change of a score is made of, as people read it: rounded so that the parts add up to the change that is shown.

The change is the difference of the two scores as they are shown (``fmt.moved``), so that it is the same wherever it is
told and whoever subtracts finds it.

Does not belong here: how the parts are computed (``opsmetrics.scoring.change``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from opsmetrics.language import fmt
from opsmetrics.scoring.change import PARTS
from opsmetrics.snapshots.queries.movement import Change

_TENTHS = 10


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change in tenths of points.

    Attributes:
        before: Score before.
        after: Score after.
        total: The change.
        parts: Name of each part that is not nothing, and its points; they add up to ``total``.
    """

    before: float
    after: float
    total: float
    parts: tuple[tuple[str, float], ...]


def shown_change(rows: Sequence[Change]) -> ShownChange:
    """Return the mean of some changes (one is itself), rounded by the largest remainder.

    Raises:
        ValueError: There are no rows.
    """
    if not rows:
        raise ValueError("no change to show")
    count = len(rows)
    before, after = (
        sum(values) / count for values in zip(*((r.score_before, r.score_after) for r in rows), strict=True)
    )
    total = round((fmt.moved(before, after) or 0.0) * _TENTHS)
    points = [sum(row.part(part) for row in rows) / count for part in PARTS]
    shares = largest_remainder([value * _TENTHS for value in points], total)
    parts = tuple((part, share / _TENTHS) for part, share in zip(PARTS, shares, strict=True) if share)
    return ShownChange(fmt.tenths(before), fmt.tenths(after), total / _TENTHS, parts)


def largest_remainder(values: Sequence[float], total: int) -> list[int]:
    """Return whole numbers near the values that add up to a total: those with the largest remainder are rounded up.

    Where the total is further from the values' own sum than there are values, the rest goes to the largest of them.
    """
    whole = [math.floor(value) for value in values]
    missing = total - sum(whole)
    order = sorted(range(len(values)), key=lambda place: (whole[place] - values[place], place))
    for place in order[: max(0, min(missing, len(values)))]:
        whole[place] += 1
    rest = total - sum(whole)
    if rest:
        whole[max(range(len(values)), key=lambda place: abs(values[place]))] += rest
    return whole

"""Parts of a change are rounded so that they add up to what is shown."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.reports.parts_of_change import largest_remainder, shown_change
from opsmetrics.snapshots.queries.movement import Change

POINTS = st.floats(-500, 500, allow_nan=False)


@given(st.lists(POINTS, min_size=1, max_size=6))
def test_rounded_parts_add_up_and_none_is_off_by_one_or_more(values):
    total = round(sum(values))
    found = largest_remainder(values, total)
    assert sum(found) == total
    assert all(abs(whole - value) < 1 + 1e-6 for whole, value in zip(found, values, strict=True))


def test_the_largest_remainders_are_rounded_up():
    assert largest_remainder([0.4, 0.4, 0.2], 1) == [1, 0, 0]
    assert largest_remainder([-2.5, 0.6, 0.0], -2) == [-3, 1, 0]
    assert largest_remainder([0.0, 0.0], 1) == [1, 0]  # the ends are rounded apart: the difference is shown


def test_no_change_is_an_error():
    with pytest.raises(ValueError, match="no change"):
        shown_change([])


def test_a_change_is_rounded_once_and_is_the_same_wherever_it_is_told():
    """55.44 to 58.76 is 3.32: the scores as they are written differ by 3.4, and every other place says 3.3."""
    row = Change("alfa", date(2026, 11, 22), date(2026, 10, 31), 55.44, 58.76, 3.06, 0.26, 0.0, 0.0, 0.0, 0.0)
    shown = shown_change([row])
    assert (shown.before, shown.after, shown.total) == (55.44, 58.76, 3.3)
    assert sum(points for _, points in shown.parts) == pytest.approx(3.3)

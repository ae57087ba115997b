"""Our own distributions against scipy's, over wide grids: what differs are the last digits of a float."""

from __future__ import annotations

import math

import numpy as np
import pytest

# Parts of it are loaded where they are asked for: two seconds for whoever only lists tests.
import scipy
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.scoring.distributions import (
    beta_quantiles,
    mid_ranks,
    normal_quantile,
    normal_quantiles,
    normal_tails,
    t_quantile,
)

SHARES = np.concatenate([10.0 ** -np.arange(1, 13), np.linspace(0.02, 0.98, 25), 1 - 10.0 ** -np.arange(1, 13)])
SIZES = (1.0, 2.0, 3.7, 10.0, 44.0, 365.0, 2_000.0, 50_000.0, 1_000_000.0)
KEPT = (0.0, 1e-6, 0.01, 0.2, 0.5, 0.93, 0.999, 1.0)


def beta_shapes() -> tuple[np.ndarray, np.ndarray]:
    """Shapes of the posteriors of samples of every size and share, half a success and half a failure added."""
    size, share = (part.ravel() for part in np.meshgrid(SIZES, KEPT))
    return (size * share + 0.5)[:, None], (size * (1 - share) + 0.5)[:, None]


def test_beta_quantiles_are_those_of_scipy_for_every_sample():
    a, b = beta_shapes()
    np.testing.assert_allclose(beta_quantiles(a, b, SHARES), scipy.special.betaincinv(a, b, SHARES), rtol=2e-12)


def test_beta_quantiles_keep_to_what_lies_below_them():
    """Against the definition itself, by the way that loses no digits: the smaller tail of the smaller part."""
    a, b = beta_shapes()
    upper = SHARES > 0.5
    found = beta_quantiles(np.where(upper, b, a), np.where(upper, a, b), np.where(upper, 1 - SHARES, SHARES))
    below = scipy.special.betainc(np.where(upper, b, a), np.where(upper, a, b), found)
    # A quantile near one is a float with few digits left behind the ones.
    is_fine = found < 0.9
    np.testing.assert_allclose(below[is_fine], np.where(upper, 1 - SHARES, SHARES)[np.nonzero(is_fine)[1]], rtol=2e-9)


@given(
    a=st.floats(0.5, 1e5),
    b=st.floats(0.5, 1e5),
    share=st.one_of(st.floats(1e-12, 1 - 1e-12), st.floats(1e-12, 1e-3)),
)
def test_any_beta_quantile_is_that_of_scipy(a, b, share):
    found = float(beta_quantiles(np.array(a), np.array(b), np.array(share)))
    # The median of equal shapes is a half, of which scipy misses 2e-12.
    assert math.isclose(found, scipy.special.betaincinv(a, b, share), rel_tol=1e-10)
    assert math.isclose(float(beta_quantiles(np.array(a), np.array(a), np.array(0.5))), 0.5, rel_tol=1e-13)


def test_beta_quantiles_at_the_ends_and_of_nothing():
    one, share = np.array(1.5), np.array([0.0, 1.0, np.nan])
    found = beta_quantiles(one, one, share)
    assert found[:2].tolist() == [0.0, 1.0]
    assert np.isnan(found[2])
    assert np.isnan(beta_quantiles(np.array(np.nan), one, np.array([0.5]))).all()
    assert beta_quantiles(np.ones((0, 1)), np.ones((0, 1)), SHARES).shape == (0, len(SHARES))


def test_normal_quantiles_and_tails_are_those_of_scipy():
    np.testing.assert_allclose(normal_quantiles(SHARES), scipy.special.ndtri(SHARES), rtol=1e-14, atol=1e-15)
    assert normal_quantiles(SHARES.reshape(7, 7)).shape == (7, 7)
    assert normal_quantile(0.975) == pytest.approx(scipy.stats.norm.ppf(0.975), rel=1e-15)
    deviations = np.linspace(-30, 30, 2001)
    np.testing.assert_allclose(normal_tails(deviations), scipy.special.ndtr(-np.abs(deviations)), rtol=1e-12)
    assert np.isnan(normal_tails(np.array([np.nan]))).all()


@pytest.mark.parametrize("share", [0.51, 0.6, 0.9, 0.95, 0.995, 0.999999])
def test_t_quantiles_are_those_of_scipy(share):
    freedom = [*range(1, 60), 100, 500, 5_000]
    found = [t_quantile(share, each) for each in freedom]
    np.testing.assert_allclose(found, scipy.stats.t.ppf(share, freedom), rtol=1e-11)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.25, 1.0, 7.5, -3.0, math.nan]), min_size=3, max_size=3), min_size=1))
def test_ranks_are_those_of_scipy_with_ties_and_gaps(rows):
    values = np.array(rows)
    np.testing.assert_array_equal(mid_ranks(values), scipy.stats.rankdata(values, axis=0, nan_policy="omit"))

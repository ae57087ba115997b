"""Statistics of the method: its numbered examples, and independent libraries on random input (method, section 5)."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

# Parts of it are loaded where they are asked for: two seconds for whoever only lists tests.
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmetrics.scoring import intervals
from opsmetrics.scoring.draws import points_of, uniforms
from opsmetrics.scoring.median_ranks import median_ranks
from opsmetrics.scoring.robustness import robustness
from opsmetrics.scoring.shrinkage import empirical_bayes, shrunk
from opsmetrics.scoring.trend import false_discovery, trends, verdict

GOLDEN = json.loads((Path(__file__).parent / "scoring-golden.json").read_text())
CLOSE = 5e-5
SHARES = [tuple(map(int, name.split("/"))) for name in GOLDEN["G01_wilson"]["rows"]]


def test_every_numbered_example_is_somebodys_test():
    """Named in a test's text, or in the name of a SQL case."""
    tests = Path(__file__).resolve().parents[2]
    text = " ".join(path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py")).lower()
    text += " ".join(f"{path.name} " for path in (tests / "sql").glob("*/*"))
    missing = [name for name in GOLDEN if not re.search(rf"(?<![a-z]){name.split('_')[0].lower()}(?![0-9])", text)]
    assert missing == []


def near(expected, tolerance=CLOSE):
    return pytest.approx(expected, abs=tolerance)


def ends(pair):
    frame = pl.select(low=pair[0], high=pair[1])
    return [frame["low"].item(), frame["high"].item()]


def wilson(x, n):
    return ends(intervals.wilson(pl.lit(float(x)), pl.lit(float(n))))


@pytest.mark.parametrize(("x", "n"), SHARES)
def test_g01_intervals_for_a_share(x, n):
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415 - slow to load, as all of scipy

    golden = GOLDEN["G01_wilson"]["rows"][f"{x}/{n}"]
    assert wilson(x, n) == near(golden["wilson"])
    # Clopper-Pearson is the method's comparison only; nothing of ours computes it.
    assert proportion_confint(x, n, method="beta") == near(tuple(golden["clopper_pearson"]))
    assert intervals.jeffreys(x, n) == near(tuple(golden["jeffreys"]))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_agree_with_statsmodels(pair):
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415 - slow to load, as all of scipy

    x, n = pair
    assert wilson(x, n) == near(list(proportion_confint(x, n, method="wilson")), 1e-9)
    # statsmodels' Jeffreys keeps the open ends of the posterior; ours closes them at 0 and n successes.
    low, high = proportion_confint(x, n, method="jeffreys")
    assert intervals.jeffreys(x, n) == near((0.0 if x == 0 else low, 1.0 if x == n else high), 1e-9)


def test_g05_order_statistic_interval_of_a_median():
    golden = GOLDEN["G05_tta"]
    row = median_ranks().filter(pl.col("sample_size") == golden["n"]).row(0, named=True)
    assert [row["low_rank"], row["high_rank"]] == golden["median_ci_ranks"]
    assert row["coverage"] == near(golden["median_ci_cover"])
    assert wilson(7, 12) == near(golden["wilson"])


def test_median_ranks_cover_and_could_not_be_narrower():
    for size, low, high, coverage in median_ranks(120).iter_rows():
        assert high == size - low + 1
        assert coverage == near(1 - 2 * scipy.stats.binom.cdf(low - 1, size, 0.5), 1e-12)
        assert coverage >= 0.95
        assert 1 - 2 * scipy.stats.binom.cdf(low, size, 0.5) < 0.95
    assert median_ranks(120)["sample_size"].min() == 6


def test_g05_bootstrap_with_reproducible_draws():
    """The bit-exact stream behind every drawn number: PCG64 raw bits, 53 of them."""
    golden = GOLDEN["G05_tta"]
    minutes = np.array([1, 2, 2, 3, 4, 4, 5, 6, 9, 14, 22, 95])
    chosen = np.floor(uniforms(20260301, 2000, 12) * 12).astype(int)
    medians = np.median(minutes[chosen], axis=1)
    assert list(medians[:5]) == golden["boot_first5"]
    assert list(np.quantile(medians, [0.025, 0.975])) == golden["boot_ci95"]


def test_g09_log_log_interval_and_effective_size():
    golden = GOLDEN["G09_km"]
    error = 0.3125 * math.sqrt(
        sum(d / (n * (n - d)) for d, n in [(1, 12), (1, 11), (2, 10), (1, 8), (1, 7), (1, 6), (1, 4)])
    )
    assert error == near(golden["greenwood_se"])
    assert ends(intervals.log_log(pl.lit(0.6875), pl.lit(error))) == near(golden["F30_ci95_loglog"])
    found = pl.select(intervals.effective_size(pl.lit(0.6875), pl.lit(error), pl.lit(12.0))).item()
    assert found == near(golden["n_eff"])


@pytest.mark.parametrize("name", ["G13_alert_quality", "G29_cfr"])
def test_jeffreys_intervals_of_other_examples(name):
    x, n, expected = {"G13_alert_quality": (42, 60, "precision_jeffreys"), "G29_cfr": (4, 50, "jeffreys")}[name]
    assert intervals.jeffreys(x, n) == near(tuple(GOLDEN[name][expected]))


def test_g32_half_widths():
    for n, expected in GOLDEN["G32_jeffreys_halfwidth90"]["p08"].items():
        low, high = intervals.jeffreys(0.8 * int(n), int(n), level=0.90)
        assert (high - low) / 2 == near(expected)


G19 = [52, 55, 55, 58, 57, 61, 60, 63, 66, 65, 69, 70]
G19B = [61, 58, 63, 60, 66, 64, 62, 67]


def one(values, **options):
    found = trends(np.array([values], dtype=float), **options)
    return {name: getattr(found, name)[0] for name in ("n", "s", "variance", "p", "slope", "slope_low", "slope_high")}


def test_g19_trend_with_ties():
    golden, found = GOLDEN["G19_trend_ties"], one(G19)
    assert (found["s"], found["variance"], found["p"]) == near((golden["S"], golden["var_s"], golden["p"]), 5e-5)
    assert found["p"] == near(golden["p"], 1e-8)
    assert found["slope"] == near(golden["slope"])
    assert [found["slope_low"], found["slope_high"]] == near(golden["slope_ci90"])
    assert found["slope"] * 11 == near(golden["change_over_window"])
    z = (found["s"] - 1) / math.sqrt(found["variance"])
    assert z == near(golden["z"])
    assert found["s"] / 66 == near(golden["tau_a"])


def test_g19b_exact_and_g19c_constant():
    golden, found = GOLDEN["G19b_exact_n8"], one(G19B)
    assert (found["s"], found["p"], found["slope"]) == near((golden["S"], golden["p_exact"], golden["slope"]))
    assert verdict(8, found["p"], found["slope"] * 7) == "no_certain_change_preliminary"
    flat = one([60.0] * 8)
    assert (flat["s"], flat["p"], flat["slope"]) == (0, 1, 0)


def test_g20_seasonal():
    golden = GOLDEN["G20_seasonal"]
    pattern = [0, 1, -1, 2, -2, 1, 0, -1, 1, 0, 2, -1]
    series = [60 + 0.2 * t - 8 * (t % 12 == 6) + pattern[t % 12] for t in range(36)]
    assert series[:12] == near(golden["first12"])
    found = one(np.round(series, 10), seasonal=True)
    assert (found["s"], found["variance"]) == near((golden["seasonal_S"], golden["seasonal_var"]), 1e-9)
    assert (found["s"] - 1) / math.sqrt(found["variance"]) == near(golden["seasonal_z"])
    assert found["slope"] * 12 == near(golden["seasonal_slope_per_year"])
    assert one(series)["s"] == golden["plain_S"]


NILE = """1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100 1210 1150 1250
1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456 824 702 1120 1100 832 764 821 768 845
864 862 698 845 744 796 1040 759 781 865 845 944 984 897 822 1010 771 676 649 846 812 742 801 1040 860 874 848 890 744
749 838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740"""


def test_g20b_nile():
    golden, found = GOLDEN["G20b_nile"], one([float(x) for x in NILE.split()])
    assert (found["s"], found["slope"]) == near((golden["S"], golden["slope"]))
    assert found["variance"] == near(golden["var_s"], 5e-4)
    assert found["p"] == near(golden["p"], 5e-9)


@given(st.lists(st.integers(0, 12), min_size=4, max_size=30))
def test_trend_agrees_with_pymannkendall_and_scipy(values):
    found = one(values)
    import pymannkendall  # noqa: PLC0415 - as above

    oracle = pymannkendall.original_test(values)
    assert (found["s"], found["slope"]) == near((oracle.s, oracle.slope), 1e-9)
    assert found["variance"] == near(oracle.var_s, 1e-9)
    if len(values) > 10 or len(set(values)) < len(values):
        assert found["p"] == near(oracle.p, 1e-9)
    else:
        assert found["p"] == near(scipy.stats.kendalltau(range(len(values)), values, method="exact").pvalue, 1e-9)
    sens = scipy.stats.theilslopes(values, alpha=0.90)
    assert [found["slope_low"], found["slope_high"]] == near([sens.low_slope, sens.high_slope], 1e-9)


@settings(max_examples=40)
@given(st.lists(st.floats(0, 100).map(lambda x: round(x, 1)), min_size=24, max_size=48))
def test_seasonal_trend_agrees_with_pymannkendall(values):
    found = one(values, seasonal=True)
    import pymannkendall  # noqa: PLC0415 - as above

    oracle = pymannkendall.seasonal_test(values, period=12)
    assert (found["s"], found["p"]) == near((oracle.s, oracle.p), 1e-9)
    assert found["slope"] * 12 == near(oracle.slope, 1e-7)


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.integers(0, 50)), min_size=3, max_size=20))
def test_gaps_in_a_series_are_left_out(values):
    """With gaps the test is that of the remaining points; slopes keep the true distance in time."""
    series = [math.nan if v is None else v for v in values]
    kept = [v for v in values if v is not None]
    found = one(series)
    assert found["n"] == len(kept)
    if len(kept) >= 2:
        assert found["s"] == one(kept)["s"]
        assert found["p"] == near(one(kept)["p"], 1e-12)
        times = [t for t, v in enumerate(values) if v is not None]
        assert found["slope"] == near(scipy.stats.theilslopes(kept, times).slope, 1e-9)


def test_g23_false_discovery():
    golden = GOLDEN["G23_bh"]
    q = false_discovery(np.array(golden["p"]))
    assert list(q) == near(golden["q"])
    assert list(q <= 0.10) == golden["reject_q10"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_false_discovery_agrees_with_statsmodels(p):
    from statsmodels.stats.multitest import multipletests  # noqa: PLC0415 - slow to load, as all of scipy

    assert list(false_discovery(np.array(p))) == near(list(multipletests(p, method="fdr_bh")[1]), 1e-12)


def test_verdicts_say_what_can_be_said():
    assert verdict(7, 0.001, 30) == "too_few_points"
    assert verdict(12, 0.05, 6) == "better"
    assert verdict(12, 0.05, -6) == "worse"
    assert verdict(12, 0.05, 4.9) == "no_certain_change"
    assert verdict(11, 0.05, 6) == "better_preliminary"


def test_g22_shrinkage():
    golden = GOLDEN["G22_shrink"]["fixed_prior_k5_mu07"]
    for name, expected in golden.items():
        x, n = map(float, name.split("/"))
        assert shrunk(np.array([x]), np.array([n]), 5, 0.7)[0] == near(expected)


def test_g22b_empirical_bayes():
    golden = GOLDEN["G22b_eb_mom"]
    values, k = empirical_bayes(np.array([9.0, 18, 3, 27, 0]), np.array([10.0, 20, 6, 30, 2]))
    assert k == near(golden["k"])
    assert 1 / (1 + k) == near(golden["rho"])
    assert list(values) == near(golden["shrunk"])


def test_g25_rank_intervals():
    golden = GOLDEN["G25_rank"]
    teams = {
        "Alfa": [72, 81, 64, 90, 58, 77, 45],
        "Beta": [70, 70, 71, 69, 70, 72, 68],
        "Gamma": [88, 60, 75, 66, 80, 50, 62],
        "Delta": [55, 62, 58, 60, 71, 64, 66],
        "Epsilon": [90, 85, 82, 88, 79, 91, 84],
    }
    found = robustness(np.array(list(teams.values()), dtype=float), golden["seed"], [20, 40, 60, 80], 0.25)
    assert dict(zip(teams, found.rank[:, 0], strict=True)) == golden["rank_q05"]
    assert dict(zip(teams, found.rank[:, 1], strict=True)) == golden["rank_q95"]
    assert list(found.mean_rank) == near(list(golden["mean_rank"].values()))


@given(
    st.floats(-1, 2),
    st.sampled_from([(0.3, 0.7, 0.9), (3.0, 1.0, 0.8), (0.8, math.nan, 1.0), (2.0, math.nan, 0.0)]),
)
def test_points_of_arrays_equal_points_of_frames(value, anchors):
    from opsmetrics.scoring.points import points  # noqa: PLC0415 - the other spelling of the same formula

    krav = None if math.isnan(anchors[1]) else anchors[1]
    frame = pl.select(points(*(pl.lit(v, pl.Float64) for v in (value, anchors[0], krav, anchors[2])))).item()
    array = points_of(np.array([value]), *(np.array([a]) for a in anchors))[0]
    assert array == near(frame, 1e-12)

"""Whether practice goes with outcomes: planted links are found, absent ones are not, and scipy gives the same numbers."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

# Parts of it are loaded where they are asked for: two seconds for whoever only lists tests.
import scipy

from opsmetrics.scoring.practice import DELIVERED, OUTCOMES, own_metrics, pairs
from opsmetrics.scoring.trend import FALSE_DISCOVERY
from opsmetrics.scoring.validity import FEWEST_TEAMS, links, validity_table

SEEDS = 200
MANY, FEW = (60, 8), (14, 3)


def panel(seed, shape, *, between=0.0, within=0.0, trend=0.0):
    """Scores, and down minutes of the quarter after: many zeros, a few dreadful ones.

    Args:
        seed: Of the dice.
        shape: Teams and quarters.
        between: How much of a team's usual practice its usual outcome is made of.
        within: How much of a quarter's practice the next outcome is made of.
        trend: What everybody gains each quarter, in practice and in outcome.
    """
    dice = np.random.default_rng(seed)
    usual, moved = dice.normal(size=(shape[0], 1)), dice.normal(size=shape)
    gained = trend * np.arange(shape[1])
    good = between * usual + within * moved + dice.normal(size=(shape[0], 1)) + dice.normal(size=shape) + gained
    return 50 + 10 * (usual + moved + gained), np.floor(np.exp(1.5 - good))


def frame(score, value, outcome="down_minutes", area_id="inc"):
    teams, quarters = score.shape
    rows = [
        (outcome, area_id, f"t{team:03}", quarter, score[team, quarter], value[team, quarter])
        for team, quarter in itertools.product(range(teams), range(quarters))
    ]
    names = ("outcome", "area_id", "team_id", "quarter", "score", "value")
    return pl.DataFrame(rows, schema=list(names), orient="row").with_columns(pl.col("score", "value").fill_nan(None))


def verdicts(*panels):
    """Verdicts by kind of panels judged together, one per area."""
    table = validity_table(pl.concat([frame(*one, area_id=f"a{number}") for number, one in enumerate(panels)]))
    return {kind: table.filter(pl.col("kind") == kind)["verdict"].to_list() for kind in ("between", "within")}


def test_planted_links_are_found_each_in_its_own_kind():
    seeds = range(10)
    within = [verdicts(panel(seed, MANY, within=0.6)) for seed in seeds]
    assert all(found["within"] == ["goes_with"] for found in within)
    between = [verdicts(panel(seed, MANY, between=1.5)) for seed in seeds]
    assert all(found["between"] == ["goes_with"] for found in between)
    # Some teams are better at everything: that is no link within them.
    assert [found["within"] for found in between].count(["cannot_tell"]) >= 8


def test_a_reversed_link_is_told_as_one():
    assert verdicts(panel(1, MANY, within=-0.6))["within"] == ["goes_against"]
    assert verdicts(panel(1, MANY, between=-1.5))["between"] == ["goes_against"]


def test_few_teams_and_a_weak_link_are_usually_undecided():
    found = [verdicts(panel(seed, FEW, within=0.3, between=0.3)) for seed in range(100)]
    for kind in ("between", "within"):
        assert [row[kind] for row in found].count(["cannot_tell"]) >= 75


@pytest.mark.parametrize("shape", [MANY, FEW])
@pytest.mark.parametrize("trend", [0.0, 1.0])
def test_where_there_is_no_link_one_in_ten_tables_or_fewer_says_there_is(shape, trend):
    """Also where everybody gets better in both from quarter to quarter: that is no link within anybody."""
    alarms = np.zeros(2)
    covered = np.zeros(2)
    for seed in range(SEEDS):
        judged = links(*panel(seed, shape, trend=trend))
        alarms += [link.p <= FALSE_DISCOVERY for link in judged]
        covered += [link.low <= 0 <= link.high for link in judged]
    assert (alarms / SEEDS <= 0.14).all(), alarms  # 0.10, and chance in 200 seeds
    assert (covered / SEEDS >= 0.84).all(), covered


def test_looking_at_many_areas_does_not_make_more_alarms():
    tables = [verdicts(*(panel(100 * seed + area, FEW) for area in range(8))) for seed in range(60)]
    alarmed = sum(any(word != "cannot_tell" for kind in table.values() for word in kind) for table in tables)
    assert alarmed / len(tables) <= 0.15


def test_intervals_cover_the_correlation_that_is_true():
    """Between teams, one quarter each: the rank correlation of a bivariate normal is known."""
    rho = 0.6
    true = 6 / np.pi * np.arcsin(rho / 2)
    dice = np.random.default_rng(5)
    for teams in (14, 60):
        hits = 0
        for _ in range(300):
            score, noise = dice.normal(size=(2, teams, 1))
            between, _ = links(score, -(rho * score + np.sqrt(1 - rho**2) * noise))
            hits += between.low <= true <= between.high
        assert 0.84 <= hits / 300 <= 0.96, (teams, hits)


def test_one_quarter_between_teams_is_the_spearman_of_scipy():
    dice = np.random.default_rng(3)
    score, value = dice.integers(0, 8, (20, 1)).astype(float), dice.integers(0, 4, (20, 1)).astype(float)
    between, within = links(score, value)
    expected = scipy.stats.spearmanr(score[:, 0], -value[:, 0])
    assert between.correlation == pytest.approx(expected.statistic, abs=1e-8)
    assert within.teams == 0
    exchanged = scipy.stats.permutation_test(
        (score[:, 0],),
        lambda x: scipy.stats.spearmanr(x, -value[:, 0]).statistic,
        permutation_type="pairings",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    )
    assert between.p == pytest.approx(exchanged.pvalue, abs=0.03)


def test_within_teams_is_the_correlation_of_what_dummies_leave_of_the_ranks():
    score, value = panel(4, (12, 5), within=0.5, trend=0.3)
    dice = np.random.default_rng(2)
    gaps = dice.random(score.shape) < 0.2
    score[gaps], value[gaps] = np.nan, np.nan
    team, quarter = np.nonzero(~gaps)
    dummies = np.hstack([np.eye(12)[team], np.eye(5)[quarter]])
    left = []
    for panel_values in (score, -value):
        ranks = np.full(score.shape, np.nan)
        for column in range(5):
            there = ~gaps[:, column]
            ranks[there, column] = scipy.stats.rankdata(panel_values[there, column]) / there.sum()
            ranks[there, column] -= ranks[there, column].mean()
        known = ranks[~gaps]
        left.append(known - dummies @ np.linalg.lstsq(dummies, known, rcond=None)[0])
    _, within = links(score, value)
    assert within.correlation == pytest.approx(scipy.stats.pearsonr(*left).statistic, abs=1e-7)


def test_any_common_move_of_a_quarter_changes_nothing():
    """Ranks are among the teams of a quarter: a new scale for everybody, however bent, is no practice and no outcome."""
    score, value = panel(7, FEW, within=0.5)
    bent = np.exp(score / 20) * np.array([1.0, 3.0, 0.2]), value**3 * np.array([5.0, 1.0, 2.0]) + np.arange(3)
    assert links(*bent) == links(score, value)


def test_rows_in_any_order_give_the_same_table():
    rows = pl.concat([frame(*panel(1, FEW), area_id=area) for area in ("inc", None)])
    assert validity_table(rows.sample(fraction=1.0, shuffle=True, seed=3)).equals(validity_table(rows))


def test_too_few_teams_are_told_and_not_judged():
    score, value = panel(1, (FEWEST_TEAMS - 1, 8), within=3.0, between=3.0)
    table = validity_table(frame(score, value))
    assert table["verdict"].to_list() == ["too_few", "too_few"]
    assert table["correlation"].null_count() == table["q"].null_count() == 2


def test_what_never_varies_cannot_be_told():
    score, _ = panel(1, FEW)
    table = validity_table(frame(score, np.zeros_like(score)))
    assert table["verdict"].to_list() == ["cannot_tell", "cannot_tell"]
    assert table["correlation"].null_count() == 2


def test_what_is_not_known_is_counted_and_left_out():
    score, value = panel(1, FEW, within=0.5)
    value[0, 0], score[1, 1], value[2, 1:] = np.nan, np.nan, np.nan
    table = validity_table(frame(score, value)).sort("kind")
    assert table["left_out_count"].to_list() == [4, 4]
    assert table["team_count"].to_list() == [14, 13]
    # The third team has one quarter left: it stands among the others, and moves by nothing.
    assert table["quarter_count"].to_list() == [38, 37]


def test_no_metric_proves_itself(catalogue):
    own = {outcome.id: own_metrics(catalogue, outcome) for outcome in OUTCOMES}
    assert own["down_minutes"] == ["inc_error_budget_consumed"]
    assert own["overdue_vulnerabilities"] == ["sec_overdue_exploited", "sec_vulns_fixed_on_time"]
    assert {"aut_change_fail_rate", "inc_postmortem_on_time", "mon_detection_by_alert"} <= set(own["major_incidents"])


def test_no_metric_reads_an_outcomes_stream_without_saying_so(files, catalogue):
    """What the header declares is what the SQL reads: another metric on the same facts would prove itself unseen."""
    facts = {
        "down_minutes": {"facts.availability_daily", "facts.availability_runs", "facts.outages"},
        "major_incidents": {"facts.incidents"},
        "overdue_vulnerabilities": {"facts.vulnerabilities"},
    }
    for outcome in OUTCOMES:
        reading = {metric.id for metric in catalogue.metrics if facts[outcome.id] & set(metric.file.dependencies)}
        assert reading <= set(own_metrics(catalogue, outcome)), outcome.id


QUARTERS = [datetime(2026, month, 1, tzinfo=UTC) for month in (4, 7)]
MONTHS = pl.DataFrame(
    [(datetime(2026, month, 1, tzinfo=UTC), QUARTERS[(month - 2) // 3]) for month in range(2, 8)],
    schema=["as_of", "quarter"],
    orient="row",
)


def cells(catalogue, points):
    """Every metric of every month of a team at full weight, with the points that ``points(metric, month)`` says."""
    rows = [
        {
            "team_id": "t1",
            "metric_id": metric.id,
            "as_of": at,
            "grain": "series_month",
            "weight": 1.0,
            "evidence_weight": 1.0,
            "completeness": 1.0,
            "points": points(metric.id, at.month),
            "points_low": 0.0,
            "points_high": 100.0,
        }
        for metric in catalogue.metrics
        for at in MONTHS["as_of"]
    ]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        status=pl.when(pl.col("points").is_null()).then(pl.lit("not_measured")).otherwise(pl.lit("ok"))
    )


def outcomes(delivered=1.0, exposure=2.0):
    rows = [("t1", outcome.id, QUARTERS[0], 3.0, delivered, exposure) for outcome in OUTCOMES]
    names = ["team_id", "outcome", "quarter", "value", "delivered", "exposure"]
    return pl.DataFrame(rows, schema=names, orient="row")


def test_practice_is_the_score_without_the_outcomes_own_metrics(catalogue):
    own = set(own_metrics(catalogue, OUTCOMES[0]))
    found = pairs(catalogue, cells(catalogue, lambda m, _: 0.0 if m in own else 80.0), MONTHS, outcomes())
    of_down = found.filter(pl.col("outcome") == "down_minutes")
    assert set(of_down["score"].round(9)) == {80.0}
    assert set(of_down["value"]) == {3.0}
    assert len(of_down) == len(catalogue.areas) + 1
    assert set(of_down["quarter"]) == {QUARTERS[0]}
    # For the other outcomes the same metric is practice.
    others = found.filter((pl.col("outcome") == "overdue_vulnerabilities") & (pl.col("area_id") == "inc"))
    assert others["score"].item() < 80


def test_a_quarter_is_the_mean_of_its_months_and_unknown_without_one(catalogue):
    def by_month(_, month):
        return {2: 40.0, 3: 50.0, 4: 90.0}.get(month, 10.0)

    found = pairs(catalogue, cells(catalogue, by_month), MONTHS, outcomes())
    assert found["score"].round(9).unique().to_list() == [60.0]
    gap = pairs(
        catalogue, cells(catalogue, lambda m, month: by_month(m, month) if month != 3 else None), MONTHS, outcomes()
    )
    assert gap["score"].null_count() == len(gap) > 0


def test_undelivered_outcomes_are_not_known_and_quarters_without_services_are_none(catalogue):
    given = cells(catalogue, lambda *_: 70.0)
    assert pairs(catalogue, given, MONTHS, outcomes(DELIVERED))["value"].null_count() == 0
    late = pairs(catalogue, given, MONTHS, outcomes(DELIVERED - 0.01))
    assert late["value"].null_count() == len(late) > 0
    assert pairs(catalogue, given, MONTHS, outcomes(exposure=0.0)).is_empty()

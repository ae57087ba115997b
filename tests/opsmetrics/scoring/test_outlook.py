"""When work can show: windows, items, dues and rates, by hand; and what several points give together."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsmetrics.catalogue import load_catalogue
from opsmetrics.catalogue.remedies import load_remedies
from opsmetrics.catalogue.sqlfile import load_all
from opsmetrics.core.errors import SqlFileError
from opsmetrics.core.settings import default_sql_root
from opsmetrics.scoring.dates import shown
from opsmetrics.scoring.formula import TeamFormula
from opsmetrics.scoring.outlook import DUE, HORIZON_DAYS, ITEMS, done_after, prospects, quarter_ends

ON = date(2026, 11, 22)
AT = datetime(2026, 11, 22, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue():
    root = default_sql_root()
    return load_catalogue(root, load_all(root))


def prospect(catalogue, metric_id, points, items=(), due=(), completeness=1.0):
    """One metric of one team; items as ``(days ago, numerator, denominator)`` or ``(..., entity)``."""
    metric = catalogue.metric(metric_id)
    higher = metric.header.floor < metric.header.mal
    rows = []
    for ago, numerator, denominator, *entity in items:
        ratio = numerator / denominator if denominator else None
        missed = ratio is None or (ratio < metric.header.mal if higher else ratio > metric.header.mal)
        day = None if ago is None else ON - timedelta(days=ago)
        name = entity[0] if entity else None
        rows.append(("t1", metric_id, AT, "latest", name, 1.0, day, numerator, denominator, 1, missed))
    dues = [
        ("t1", metric_id, AT, "latest", ON + timedelta(days=ahead), count, sum(missed)) for ahead, count, *missed in due
    ]
    cells = pl.DataFrame(
        [("t1", AT, metric_id, ON, points, completeness)],
        schema=["team_id", "as_of", "metric_id", "on", "points", "completeness"],
        orient="row",
    )
    found = prospects(
        catalogue,
        cells,
        pl.DataFrame(rows, schema=ITEMS, orient="row"),
        pl.DataFrame(dues, schema=DUE, orient="row"),
    )
    return found["t1", AT, metric_id]


def test_a_state_shows_when_the_work_is_done(catalogue):
    state = prospect(catalogue, "bck_coverage", 0.0)
    assert (state.basis, state.shown_after(3), state.waits_for(3, 3)) == ("work", 3, 0)
    assert state.path(3)[:5].tolist() == [0, 0, 0, 100, 100]
    # The newest restore test counts, whatever the window of a year says.
    assert prospect(catalogue, "bck_restore_within_rto", 0.0).shown_after(7) == 7


def test_a_miss_stays_until_its_window_has_passed(catalogue):
    """Target 1.0: all misses must be out. A post-mortem due 100 days ago leaves a window of 365 days in 265."""
    late = prospect(catalogue, "inc_postmortem_on_time", 0.0, [(100, 0, 1), (300, 0, 1), (200, 1, 1)])
    shown = late.shown_after(2)
    assert (late.basis, shown, late.waits_for(2, shown)) == ("items", 265, 2)
    # One of seventeen: the requirement comes when new ones on time and old ones gone make four of five.
    many = prospect(catalogue, "inc_postmortem_on_time", 0.0, [(20 * n, 0, 1) for n in range(16)] + [(350, 1, 1)])
    met = many.shown_after(2, 60.0)
    window = [20 * n for n in range(16)]
    for day in (met - 1, met):
        left = sum(ago + day < 365 for ago in window)
        new = 17 / 365 * day
        kept = new + (350 + day < 365)
        assert (kept / (left + new + (350 + day < 365)) >= 0.8 - 1e-9) == (day == met)
    assert 280 < met < 310


def test_new_items_go_as_before_until_the_work_is_done(catalogue):
    """Half of ninety pages answered in time, one a day: each day of delay is a page more to wait for."""
    pages = [(ago, ago % 2, 1) for ago in range(90)]
    soon, late = (prospect(catalogue, "inc_ack_within_target", 0.0, pages).shown_after(done) for done in (2, 32))
    assert 80 <= soon <= 90
    assert 28 <= late - soon <= 31


def test_known_due_dates_come_before_the_usual_rate(catalogue):
    items = [(170, 0, 1), (10, 0, 1)]
    usual = prospect(catalogue, "inc_actions_on_time", 0.0, items)
    known = prospect(catalogue, "inc_actions_on_time", 0.0, items, due=[(20, 8)])
    assert (usual.basis, known.basis) == ("items", "due_dates")
    assert known.shown_after(2, 60.0) == 20  # eight kept, one or two old: 0.8
    assert usual.shown_after(2, 60.0) > 100


def test_items_count_some_days_later_and_others_can_still_be_kept(catalogue):
    failed = prospect(catalogue, "aut_change_fail_rate", 0.0, [(ago, 1, 1) for ago in range(7, 97, 3)])
    # The newest is judged today, and stays 90 days from then; what is not judged yet may be known to have failed.
    assert 80 < failed.shown_after(2, 99.99) <= 90
    assert failed.path(2)[20] == 0
    pending = prospect(catalogue, "aut_change_fail_rate", 100.0, [(40, 0, 1)] * 10, due=[(5, 4, 2)])
    assert pending.path(2)[4] == 100 > pending.path(2)[5]
    shown = next(day for day in range(6, 200) if pending.path(2)[day] == 100)
    assert pending.waits_for(2, shown) == (2 if shown >= 95 else 0)
    updates = [(ago, 0, 1) for ago in range(10)] + [(40, 1, 1)]
    assert prospect(catalogue, "mnt_updates_within_30d", 0.0, updates).shown_after(2) == 2
    old = [(ago, 0, 1) for ago in range(60, 70)]
    assert prospect(catalogue, "mnt_updates_within_30d", 0.0, old).shown_after(2) > 100


def test_entities_are_scored_first_and_averaged_after(catalogue):
    days = [(ago, 0.0 if ago > 30 else 2.0, 1.0, "a") for ago in range(90)]
    days += [(ago, 0.0, 1.0, "b") for ago in range(90)]
    burnt = prospect(catalogue, "inc_error_budget_consumed", 100 - 66 / 2, days)
    # Spent is 62 of 90: at 0.8 it is at its target already; another nine days and more as before would break it.
    assert burnt.path(2).max() == 100
    none = prospect(catalogue, "inc_error_budget_consumed", 50.0, [(None, 0.0, 0.0, "c"), *days[90:]])
    assert none.shown_after(15) == 15


def test_windows_roll_over(catalogue):
    whole = prospect(catalogue, "mon_signal_coverage", 20.0)
    assert (whole.basis, whole.shown_after(7)) == ("window", 35)
    spread = prospect(catalogue, "bck_rpo_attainment", 0.0)
    path = spread.path(10)
    assert spread.shown_after(10) == 100
    assert (np.diff(path[10:101]) > 0).all()
    # What says when it shows says nothing where no item is known: then all of the window is waited for.
    assert prospect(catalogue, "inc_ack_within_target", 30.0).shown_after(3) == 93


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), min_size=1, max_size=40), st.integers(1, 60))
def test_everything_shows_at_last_and_never_before_the_work(catalogue, items, done):
    found = prospect(catalogue, "inc_actions_on_time", 10.0, [(ago, int(kept), 1) for ago, kept in items])
    path = found.path(done)
    assert path.shape == (HORIZON_DAYS + 1,)
    assert ((path >= 0) & (path <= 100)).all()
    shown = found.shown_after(done)
    assert shown <= max(done, 1) + 180 + 1


def test_days_and_quarters():
    assert [done_after(days) for days in (0.5, 2, 5, 15)] == [1, 3, 7, 21]
    assert quarter_ends(date(2026, 11, 22)) == (date(2026, 12, 31), date(2027, 3, 31))
    assert quarter_ends(date(2027, 3, 31)) == (date(2027, 3, 31), date(2027, 6, 30))


def formula() -> TeamFormula:
    points = np.array([20.0, 60.0, 80.0])
    return TeamFormula(
        ("m", "n", "o"), ("a", "b"), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]), points,
        np.array([40.0, 80.0]), np.array([0.5, 0.5]), 0.25,
    )  # fmt: skip


def test_what_several_points_give_is_computed_and_not_added():
    team = formula()
    assert team.score(team.points) == pytest.approx(0.75 * 60 + 0.25 * 40)
    alone = [team.gain({"m": 100.0}), team.gain({"n": 100.0})]
    both = team.gain({"m": 100.0, "n": 100.0})
    # The second one makes another area the weakest: together they give less than their sum.
    assert alone == pytest.approx([0.375 * 40 + 0.25 * 40, 0.375 * 20 + 0.25 * 20])
    assert both == pytest.approx(0.375 * 60 + 0.25 * 40)
    assert both < sum(alone)
    assert team.gain({"o": 10.0, "unknown": 100.0}) == 0


def test_a_metric_stands_in_one_remedy_and_is_a_metric(tmp_path):
    (tmp_path / "metrics").mkdir()
    path = tmp_path / "metrics" / "remedies.toml"
    remedy = '[[remedy]]\nid = "{}"\ntitle = {{ nb = "a", en = "b" }}\nmetrics = ["m", "{}"]\n'
    path.write_text(remedy.format("one", "x"))
    with pytest.raises(SqlFileError, match="unknown metric 'x'"):
        load_remedies(tmp_path, {"m", "n"})
    path.write_text(remedy.format("one", "n") + remedy.format("two", "n"))
    with pytest.raises(SqlFileError, match="m stands in two remedies"):
        load_remedies(tmp_path, {"m", "n"})
    path.write_text(remedy.format("one", "n"))
    assert [found.metrics for found in load_remedies(tmp_path, {"m", "n"})] == [["m", "n"]]


def test_where_the_target_alone_meets_a_requirement_its_day_is_that_of_the_target(catalogue):
    """Of a metric with a requirement below its target 75 points are there; of backup they are not (method 3.1)."""
    dated = {
        name: shown(prospect(catalogue, name, 75.0), 3) for name in ("bck_coverage", "scl_capacity_alert_coverage")
    }
    assert dated["bck_coverage"]["krav_on"] == dated["bck_coverage"]["shows_on"] is not None
    assert dated["scl_capacity_alert_coverage"]["krav_on"] is None

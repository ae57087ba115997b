"""The engine against the simulated organisation's own arithmetic, on several seeds, and its planted faults one by one."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest

from opsmetrics import build as plans
from opsmetrics.core.settings import Settings, default_sql_root
from opsmetrics.snapshots.store import open_current
from opsmetrics.sources import pull_stream
from simulator import plants
from simulator.demo import generate, write_demo
from simulator.organisation import read_organisation
from simulator.truth import assurance, chances, expected, state
from simulator.truth.setting import Setting
from tests.built import EVERYTHING, built
from tests.parts import with_scores

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
DAYS = (date(2026, 3, 31), date(2026, 8, 31), date(2026, 10, 31))
MEASURED = ("ok", "low_evidence")
# What is asked here beside the scores and what they are made of.
BESIDE_SCORES = (
    "facts.availability_daily",
    "facts.outages",
    "marts.gaming_alarms",
    "scores.goal",
    "staging.alert_rule_states",
)
CONNECTED_AT = datetime(2026, 11, 1, 23, tzinfo=UTC)


@pytest.fixture(scope="module", params=[1, 2, 3])
def seed(request):
    return request.param


@pytest.fixture(scope="module")
def engine(seed, demo_home):
    """A connection to what the engine made of the seed's records."""
    if seed == 1:
        with open_current(demo_home / "snapshots") as con:
            yield con
        return

    def make(home: Path) -> None:
        write_demo(DEMO, home / "records", seed=seed)
        settings = Settings(home=home, org=DEMO, data=home / "records", now=None, sql=default_sql_root())
        context = plans.load_context(settings)
        for name in context.organisation.streams:
            pull_stream(settings, context.organisation, name)
        plans.execute(with_scores(context, *BESIDE_SCORES), context)

    home = built(f"demo-seed-{seed}", make, (*EVERYTHING, "tests/parts.py", "tests/simulator/test_truth.py"))
    with duckdb.connect(str(home / "working.duckdb"), read_only=True) as con:
        con.execute("set timezone = 'UTC'")
        yield con


@pytest.fixture(scope="module")
def records(seed):
    return records_of(seed)


@cache
def records_of(seed):
    """What happened; pytest goes back and forth between the seeds."""
    found = generate(read_organisation(DEMO), seed)
    if seed == 1:
        # The demo goes through connectors from this day on, and Azure's metrics cannot tell ceilings.
        untold = (pl.col("service_id") == "datakaia-lager") & (pl.col("sampled_at") >= CONNECTED_AT)
        ceiling = pl.when(~untold).then("is_at_ceiling")
        found["capacity_samples"] = found["capacity_samples"].with_columns(is_at_ceiling=ceiling)
    return found


@pytest.fixture(scope="module", params=DAYS, ids=str)
def truth(request, records):
    return request.param, expected(DEMO, records, request.param)


def at(con, table, columns, on):
    return con.execute(
        f"""select {columns} from scores.{table} as s join ref.as_of as w using (as_of, grain)
            where s.grain = 'month' and w."on" = $1""",
        [on],
    ).fetchall()


def test_every_value_is_what_plain_arithmetic_says(engine, truth):
    on, stated = truth
    columns = "team_id, metric_id, numerator, denominator, sample_size, completeness, value, status"
    found = {row[:2]: row[2:] for row in at(engine, "metric", columns, on)}
    measured = {key for key, row in found.items() if row[-1] in {*MEASURED, "waived"}}
    assert {key for key, row in found.items() if row[-1] in MEASURED} <= stated.values.keys()
    assert stated.values.keys() <= measured | {key for key, row in found.items() if row[-1] == "waived"}
    for key, value in stated.values.items():
        numerator, denominator, size, completeness, shown, _ = found[key]
        # Minutes and hours are summed in millionths; shares of items are exact.
        assert (numerator, denominator) == pytest.approx((value.numerator, value.denominator), rel=1e-7, abs=1e-5), key
        assert (size, completeness) == (value.size, pytest.approx(value.completeness, abs=1e-9)), key
        if value.value is not None:
            assert shown == pytest.approx(value.value, abs=1e-9), key


def test_points_areas_and_teams_are_what_adding_up_gives(engine, truth):
    on, stated = truth
    points = {(t, m): p for t, m, p in at(engine, "metric", "team_id, metric_id, points", on) if p is not None}
    assert points == pytest.approx(stated.points, abs=1e-6)
    areas = {(t, a): p for t, a, p in at(engine, "area", "team_id, area_id, score", on) if p is not None}
    assert areas == pytest.approx(stated.areas, abs=1e-6)
    teams = {t: p for t, p in at(engine, "team", "team_id, score", on) if p is not None}
    assert teams == pytest.approx(stated.teams, abs=1e-6)


def test_next_month_is_where_other_dice_put_it(engine, truth, seed):
    """Ends and chances by another generator, within six standard errors of 2 000 draws against 4 000."""
    on, stated = truth
    rows = at(engine, "area", "team_id, area_id, interval_low, interval_high, level_sure", on)
    teams = at(engine, "team", "team_id, '', interval_low, interval_high, level_sure", on)
    found = {row[:2]: row[2:] for row in (*rows, *teams) if row[2] is not None}
    stated_chances = chances.next_month(stated, seed)
    assert found.keys() == stated_chances.keys()
    for key, (low, high, sure) in found.items():
        lowest, highest, reach = stated_chances[key]
        spread = max(highest - lowest, 2.0)
        assert (low, high) == pytest.approx((lowest, highest), abs=0.12 * spread), key
        # Six standard errors of a chance of 0.8 either way.
        assert sum(chance >= 0.87 for chance in reach) <= sure <= sum(chance >= 0.73 for chance in reach), key
    met = {team: p for team, p in at(engine, "team", "team_id, krav_probability", on) if p is not None}
    assert met == pytest.approx({team: stated_chances[team, ""][2][2] for team in met}, abs=0.08)


def test_levels_are_given_as_the_method_says(engine):
    """Each team and area, evaluation by evaluation, from what the scores and chances of the time say."""
    caps = dict(engine.execute("select gate_id, cap from meta.gates").fetchall())
    query = """select team_id, {}, as_of, grain, level_by_score, level_sure, {}, level from scores.{}
               where grain not like 'series%' order by team_id, {}, as_of, grain"""
    areas = engine.execute(query.format("area_id", "gate", "area", "area_id")).fetchall()
    lowest: dict[tuple, int] = {}
    published = set(
        engine.execute("select team_id, area_id, as_of, grain from scores.area where status = 'ok'").fetchall()
    )
    for (team, area), rows in grouped(areas):
        levels = chances.given([(at, score, sure, caps.get(gate), None) for _, _, at, _, score, sure, gate, _ in rows])
        assert levels == [row[-1] for row in rows], (team, area)
        for row, level in zip(rows, levels, strict=True):
            key = (team, row[2], row[3])
            if (team, area, row[2], row[3]) in published and level is not None:
                lowest[key] = min(lowest.get(key, 4), level)
    for (team, _), rows in grouped(engine.execute(query.format("''", "null", "team", "team_id")).fetchall()):
        weakest = [lowest.get((team, row[2], row[3])) for row in rows]
        levels = chances.given(
            [
                (row[2], row[4], row[5], None, None if least is None else least + 1)
                for row, least in zip(rows, weakest, strict=True)
            ]
        )
        assert levels == [row[-1] for row in rows], team


def grouped(rows):
    """Rows of each team and area together."""
    return [(key, list(own)) for key, own in itertools.groupby(rows, key=lambda row: row[:2])]


def test_gates_find_what_counting_finds(engine, records):
    """Components long past their support, and stores without a successful restore test."""
    for on in DAYS:
        setting = Setting(DEMO, records, on)
        for gate, counted in (("g_ved_1", state.past_support(setting)), ("g_bck_2", assurance.untested(setting))):
            found = engine.execute(
                f"""select g.team_id, g.finding_count from gates.{gate} as g join ref.as_of as w using (as_of, grain)
                    where g.grain = 'month' and w."on" = $1""",
                [on],
            ).fetchall()
            assert dict(found) == counted, (gate, on)


def test_an_outage_of_known_minutes(engine):
    for service, outages in plants.KNOWN_OUTAGES.items():
        for begin, end in outages:
            found = engine.execute(
                "select restore_minutes from facts.outages where service_id = $1 and started_at = $2", [service, begin]
            ).fetchall()
            assert found == [((end - begin) / timedelta(minutes=1),)]
    ((night,),) = engine.execute(
        "select down_minutes from facts.availability_daily where service_id = 'farled-web' and day = '2026-10-25'"
    ).fetchall()
    assert night == 180  # two hours on the wall, three in the night the clocks go back


def test_the_restore_that_failed_is_not_met(engine):
    store, _ = plants.FAILED_RESTORE
    text = engine.execute("select evidence_sql from meta.metrics where metric_id = 'bck_restore_within_rto'").fetchall()
    rows = engine.execute(
        f"select numerator, detail from ({text[0][0]}) where item_id = $1 and grain = 'latest'", [store]
    ).fetchall()
    assert rows == [(0, "failed")]


def test_a_service_that_changed_hands_explains_its_part(engine):
    parts = engine.execute("select team_id, as_of from scores.change where ownership <> 0 order by 1").fetchall()
    end_of_june = datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert parts == [("farled", end_of_june), ("sjokart", end_of_june)]


def test_parts_of_every_change_sum_to_the_difference(engine):
    ((worst, count),) = engine.execute(
        """select max(abs(score_after - score_before - performance - coverage - scope - waivers - rules - ownership)),
               count(*) from scores.change"""
    ).fetchall()
    assert count > 100
    assert worst < 1e-9


def test_what_metrics_gave_is_the_performance_and_nothing_where_nothing_moved(engine):
    ((worst, count),) = engine.execute(
        """select max(abs(c.performance - m.given)), count(*) from scores.change as c
           join (select team_id, as_of, grain, sum(performance) as given from scores.change_metric group by all) as m
               using (team_id, as_of, grain)"""
    ).fetchall()
    assert count > 100
    assert worst < 1e-9
    still, wrong = engine.execute(
        """select count(*) filter (points_after = points_before),
               count(*) filter (sign(performance) <> sign(points_after - points_before))
           from scores.change_metric as c join meta.metrics as m using (metric_id) where m.weight > 0"""
    ).fetchall()[0]
    assert still > 1000
    assert wrong == 0
    # A decision about such a metric has won exactly nothing.
    reviews = engine.execute(
        """select count(*) from scores.goal as g
           where recovered_points <> 0 and not exists (
               from scores.change_metric as c
               where c.team_id = g.team_id and c.metric_id = g.metric_id and c.points_after <> c.points_before
           )"""
    ).fetchall()
    assert reviews == [(0,)]


def test_every_manipulation_is_flagged_and_no_honest_improvement(engine):
    alarms = engine.execute("select distinct alarm, team_id from marts.gaming_alarms").fetchall()
    assert {team for _, team in alarms} == {plants.GAMING_TEAM}
    assert {alarm for alarm, _ in alarms} == plants.GAMED
    before = engine.execute(
        """select count(*) from marts.gaming_alarms as a join ref.as_of as w using (as_of, grain)
           where w."on" < $1""",
        [plants.GAMING_FROM],
    ).fetchall()
    assert before == [(0,)]
    # The team that deleted its useless rule did what the handbook asks; its precision rose.
    service, rule, _, deleted = plants.USELESS_RULE
    left = engine.execute(
        "select count(*) from staging.alert_rule_states where service_id = $1 and rule_id = $2 and observed_on >= $3",
        [service, rule, deleted],
    ).fetchall()
    assert left == [(0,)]


def test_a_plan_followed_reaches_its_level(engine):
    """Every step of every plan, recomputed from the published cells."""
    teams = engine.execute(
        """select p.team_id, any_value(target_level), arg_max(p.score_after, position), list(metric_id)
           from scores.plan as p group by 1 order by 1"""
    ).fetchall()
    assert teams
    edges = [20, 40, 60, 80]
    for team, target, promised, chosen in teams:
        cells = engine.execute(
            """select m.area_id, s.metric_id, s.weight * s.evidence_weight, s.points from scores.metric as s
               join meta.metrics as m using (metric_id) join scores.area as a
                   on a.team_id = s.team_id and a.area_id = m.area_id and a.as_of = s.as_of and a.grain = s.grain
               where s.grain = 'latest' and s.team_id = $1 and s.points is not null and a.status = 'ok'""",
            [team],
        ).fetchall()
        areas: dict[str, list[float]] = {}
        for area, metric, weight, points in cells:
            sums = areas.setdefault(area, [0.0, 0.0])
            sums[0] += weight * (100 if metric in chosen else points)
            sums[1] += weight
        scores = {area: top / bottom for area, (top, bottom) in areas.items()}
        total = 0.75 * sum(scores.values()) / len(scores) + 0.25 * min(scores.values())
        assert total == pytest.approx(promised, abs=1e-6)
        assert total >= edges[target - 1]
        assert target < 2 or min(scores.values()) >= edges[target - 2]

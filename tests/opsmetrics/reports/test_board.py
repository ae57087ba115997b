"""What a meeting is told, against plain SQL on the snapshot: the answer, what moved, what must be decided."""

from __future__ import annotations

import re

import polars as pl
import pytest

from opsmetrics.language import fmt
from opsmetrics.reports import board
from opsmetrics.snapshots.queries import catalogue, facts
from opsmetrics.snapshots.store import current, open_current
from tests.altered import altered
from tests.demo_sql import BEFORE, NOW, sql

__all__ = ["sql"]  # a fixture


@pytest.fixture(scope="module")
def now(demo_home) -> board.Board:
    return of(current(demo_home / "snapshots"))


def of(snapshot, label: str | None = None) -> board.Board:
    periods = catalogue.periods(snapshot)
    return board.read_board(snapshot, next((row for row in periods if row.label == label), periods[0]))


def item_names(items) -> list[str]:
    return [place.name for item in items for place in item.places]


def test_the_first_sentences_say_how_many_meet_now_then_and_a_year_ago(now, sql):
    ((met, teams),) = sql(f"select count(*) filter (level >= 3), count(*) from scores.team where {NOW}")
    ((then,),) = sql(f"select count(*) filter (level >= 3) from scores.team where {BEFORE}")
    ((year, scored),) = sql(
        """select count(*) filter (level >= 3), count(score) from scores.team
           where grain = 'month' and as_of = (select min_by(as_of, abs(epoch(as_of) - (select epoch(max(as_of)) from
               ref.as_of where grain = 'latest') + 365 * 86400)) from ref.as_of where grain = 'month')"""
    )
    words = board.lead(now, "en")
    assert words.startswith(f"*{met} of {teams} teams* meet the requirement, ")
    assert ("as many as" in words) == (met == then)
    assert f"(November 2025) {year} of {scored} did." in words
    ((name, after, before),) = sql(
        f"""select t.name_en, n.score, b.score from scores.team as n
            join scores.team as b using (team_id) join ref.teams as t using (team_id)
            where n.{NOW} and b.{BEFORE.replace(" and as_of", " and b.as_of")} order by n.score - b.score limit 1"""
    )
    assert f"*{name}* has fallen most since October ({fmt.signed('en', fmt.moved(before, after))} points)." in words


def test_a_fall_of_met_teams_is_said_with_names(demo_home, tmp_path):
    """Eleven of fourteen at the month end, eight now: the line of month ends would still rise."""
    _, snapshot = altered(
        demo_home,
        tmp_path / "fall",
        f"update scores.team set level = 3 where {BEFORE}",
        f"update scores.team set level = 2 where {NOW} and team_id in ('sjokart', 'kaiplan')",
        f"update scores.team set level = 3 where {NOW} and team_id not in ('sjokart', 'kaiplan')",
    )
    words = board.lead(of(snapshot), "nb")
    assert words.startswith("*12 av 14 team* oppfyller kravet, mot 14 ved utgangen av oktober. ")
    assert "Kaiplan og Sjøkart oppfyller det ikke lenger." in words


def test_without_an_earlier_month_nothing_is_compared(demo_home, tmp_path):
    _, snapshot = altered(
        demo_home,
        tmp_path / "first",
        *(f"delete from {table} where grain = 'month'" for table in ("scores.team", "scores.area", "ref.as_of")),
        "delete from scores.change",
        "delete from scores.change_metric",
    )
    found = of(snapshot)
    assert found.against.before is None
    assert found.against.year is None
    words = board.lead(found, "nb")
    assert "ved utgangen av" not in words
    assert "har falt" not in words
    assert board.moves(found, "nb") == {True: [], False: []}
    assert not any(item.cause == "fall" for item in board.for_decision(found, "nb"))


def test_all_unknown_says_so_and_counts_nothing(demo_home, tmp_path):
    _, snapshot = altered(
        demo_home,
        tmp_path / "unknown",
        *(f"update {table} set score = null, level = null where {NOW}" for table in ("scores.team", "scores.area")),
    )
    found = of(snapshot)
    assert board.lead(found, "en") == "There is too little data to show a total score."
    assert board.moves(found, "en") == {True: [], False: []}
    assert not any(item.cause == "level_0" for item in board.for_decision(found, "en"))


@pytest.mark.parametrize(
    ("statement", "nb", "en"),
    [
        ("status = 'provisional'", "Alle scorene er *foreløpige*", "All scores are *provisional*"),
        (
            "status = case when team_id < 'c' then 'provisional' else status end",
            "2 av scorene er *foreløpige*",
            "2 of the scores are *provisional*",
        ),
        (
            "status = 'too_little_data', score = null, level = null where team_id = 'farled' and",
            "For ett team vet vi for lite",
            "Of one team too little is known",
        ),
    ],
)
def test_what_is_provisional_or_unknown_is_in_the_answer(demo_home, tmp_path, statement, nb, en):
    """Of fourteen teams of which nothing was heard for a month, "six meet the requirement" is no whole answer."""
    where = "" if statement.endswith(" and") else " where"
    _, snapshot = altered(demo_home, tmp_path / "unsure", f"update scores.team set {statement}{where} {NOW}")
    assert nb in board.lead(of(snapshot), "nb")
    assert en in board.lead(of(snapshot), "en")


def test_one_team_is_its_own_median_and_its_own_fall(demo_home, tmp_path):
    tables = ("scores.team", "scores.area", "scores.metric", "ref.teams", "marts.gaming_alarms")
    gone = (f"delete from {table} where team_id <> 'fiskekvote'" for table in tables)
    _, snapshot = altered(demo_home, tmp_path / "one", *gone)
    found = of(snapshot)
    assert found.median() == found.scores["fiskekvote"].score
    assert board.lead(found, "nb").startswith(
        "*Det ene teamet oppfyller ikke kravet*, og gjorde det heller ikke ved utgangen av"
    )
    assert {item.team_id for side in board.moves(found, "nb").values() for item in side} <= {"fiskekvote"}


def test_what_moved_is_now_against_the_month_end_and_large_enough(now, sql):
    rows = sql(
        f"""with scored as (select team_id, '' as area_id, as_of, grain, score, level from scores.team union all
                select team_id, area_id, as_of, grain, score, level from scores.area)
            select n.team_id, n.area_id, n.level - b.level, n.score, b.score
            from scored as n join scored as b using (team_id, area_id)
            where n.{NOW} and b.{BEFORE.replace(" and as_of", " and b.as_of")}"""
    )
    # What is shown is what is judged: nobody reads of +5.0 that was too little.
    moved = [
        (t, a, fmt.moved(before, after), levels) for t, a, levels, after, before in rows if None not in (after, before)
    ]
    worse = {(t, a) for t, a, change, levels in moved if levels < 0 or change <= -5}
    better = {(t, a) for t, a, change, levels in moved if (t, a) not in worse and (change >= 5 or levels > 0 <= change)}
    found = board.find_moves(now)
    assert {(row.team_id, row.area_id) for row in found.worse} == worse
    assert {(row.team_id, row.area_id) for row in (*found.better, *found.withheld)} == better
    sizes = [abs(row.change or 0) for row in found.worse]
    assert sizes == sorted(sizes, reverse=True)
    values = {(t, a): (before, after) for t, a, _, after, before in rows}
    for row, item in zip(found.worse, board.say_moves(now, "en", found.worse), strict=True):
        before, after = (fmt.score_in_tenths("en", value) for value in values[row.team_id, row.area_id])
        assert f"From {before} to {after} " in item.detail


def test_the_cause_is_the_metric_that_moved_the_area_most(now, sql):
    found = [row for row in board.find_moves(now).worse if row.area_id and (row.change or 0) <= -5]
    assert found
    for row, item in zip(found, board.say_moves(now, "en", found), strict=True):
        causes = sql(
            f"""select m.title_en from scores.change_metric as c join meta.metrics as m using (metric_id)
                where c.{NOW} and c.team_id = '{row.team_id}' and m.area_id = '{row.area_id}' and c.performance < 0
                order by c.performance limit 1"""
        )
        assert (causes[0][0] if causes else "No single metric") in item.detail


def test_a_metric_is_called_most_of_a_fall_only_where_it_is(demo_home, tmp_path, sql):
    """A team that gave its services away fell by 47 points, "mostly because" of a metric that moved four of them."""
    own = f"team_id = 'farled' and {NOW}"
    of_area = f"{own} and metric_id in (select metric_id from meta.metrics where area_id = 'inc')"
    small = f"update scores.change_metric set points_after = points_before - 1 where {of_area} and performance < 0"
    said = {}
    for name, part in (("handed_over", "-9.0"), ("no_part", "0.0")):
        _, snapshot = altered(
            demo_home, tmp_path / name, small, f"update scores.change set ownership = {part} where {own}"
        )
        found = of(snapshot)
        (row,) = [row for row in board.find_moves(found).worse if (row.team_id, row.area_id) == ("farled", "inc")]
        (item,) = board.say_moves(found, "en", [row])
        said[name] = item.detail
    assert "Mostly because services changed hands." in said["handed_over"]
    assert "No single metric explains it" in said["no_part"]


def test_the_largest_of_several_causes_is_not_called_most_of_it(demo_home, tmp_path):
    half = "points_after = points_before - 0.4 * (points_before - points_after)"
    own = f"team_id = 'farled' and {NOW}"
    _, snapshot = altered(
        demo_home,
        tmp_path / "several",
        f"update scores.change_metric set {half} where {own} and metric_id = 'inc_oncall_coverage'",
        f"""update scores.change_metric set points_after = points_before - 40, performance = -0.01
            where {own} and metric_id = 'inc_actions_on_time'""",
        f"update scores.metric set weight = 3, points = 50, evidence_weight = 1 where {own} and metric_id = 'inc_actions_on_time'",
    )
    found = of(snapshot)
    (row,) = [row for row in board.find_moves(found).worse if (row.team_id, row.area_id) == ("farled", "inc")]
    (item,) = board.say_moves(found, "en", [row])
    assert "The largest single cause is “On-call coverage" in item.detail


def test_a_gate_that_counts_nothing_is_not_followed_by_a_number(demo_home, tmp_path):
    held = f"update scores.area set gate = 'G-FEIL-2', gate_findings = 1 where {NOW} and area_id = 'inc' and team_id = 'farled'"
    _, snapshot = altered(demo_home, tmp_path / "no_rota", held)
    (item,) = [item for item in board.for_decision(of(snapshot), "en") if item.cause == "gate_G-FEIL-2"]
    assert item_names([item]) == ["Fairway"]
    counted = [item for item in board.for_decision(of(snapshot), "en") if item.cause == "gate_G-BCK-2"]
    assert all(name.endswith(")") for name in item_names(counted))


def test_nothing_that_is_doubted_is_celebrated(now, sql):
    signs = {team for (team,) in sql(f"select distinct team_id from marts.gaming_alarms where {NOW}")}
    edge = {(t, a) for t, a in sql(f"select team_id, area_id from scores.area where {NOW} and is_on_edge")}
    stale = {
        (t, a)
        for t, a in sql(
            f"select s.team_id, m.area_id from scores.metric as s join meta.metrics as m using (metric_id) where {NOW}"
            " and s.status = 'stale'"
        )
    }
    assert signs
    assert edge
    assert stale
    found = board.find_moves(now)
    assert found.better
    assert found.withheld
    for row in found.better:
        assert row.team_id not in signs
        assert (row.team_id, row.area_id) not in edge | stale
        assert row.status == "ok"


def test_where_all_teams_raise_questions_nothing_is_better(demo_home, tmp_path):
    _, snapshot = altered(
        demo_home,
        tmp_path / "doubted",
        "insert into marts.gaming_alarms by name select 'rules_disabled' as alarm, team_id, as_of, grain, 'x' as subject,"
        f" 1 as finding_count from scores.team where {NOW}",
    )
    found = of(snapshot)
    assert board.find_moves(found).better == []
    assert board.find_moves(found).worse
    met = found.met()
    assert f"There are questions about the numbers of {met} of the teams that meet" in board.lead(found, "en")


CAUSES = ("sec_overdue_exploited", "incidents", "level_0", "gate_", "fall", "overdue", "late", "source", "exemption")


def place_of(cause: str) -> int:
    return next(place for place, kind in enumerate(CAUSES) if cause.startswith(kind))


def test_danger_comes_first_and_the_same_matter_is_one_line(now, sql):
    items = board.for_decision(now, "en")
    order = [place_of(item.cause) for item in items]
    assert order == sorted(order)
    assert len({item.cause for item in items}) == len(items)
    exploited = sql(
        "select t.name_en, s.value from scores.metric as s join ref.teams as t using (team_id)"
        f" where {NOW} and metric_id = 'sec_overdue_exploited' and value > 0 and s.status in ('ok', 'low_evidence')"
    )
    assert items[0].cause == "sec_overdue_exploited"
    assert {place.name for place in items[0].places} == {f"{name} ({value:.0f})" for name, value in exploited}


def test_every_gate_and_every_lowest_level_is_told(now, sql):
    items = {item.cause: item for item in board.for_decision(now, "en")}
    ((exploited,),) = sql(
        f"select list(team_id) from scores.metric where {NOW} and metric_id = 'sec_overdue_exploited' and value > 0"
    )
    gates = sql(f"select gate, list(team_id) from scores.area where {NOW} and gate is not null group by gate")
    assert gates
    for gate, teams in gates:
        if gate == "G-SIK-1":
            assert set(teams) <= set(exploited)
        else:
            assert len(items[f"gate_{gate}"].places) == len(teams)
    ((lowest,),) = sql(f"select count(*) from scores.area where {NOW} and level = 0")
    assert len(items["level_0"].places) == lowest


def test_a_far_fall_of_an_area_is_told_even_where_its_level_was_low(demo_home, tmp_path):
    """19 to 1: the level was the lowest before, so no level changed."""
    _, snapshot = altered(
        demo_home,
        tmp_path / "nineteen",
        f"update scores.area set score = 19.4, level = 0 where {BEFORE} and team_id = 'ankerplass' and area_id = 'bck'",
    )
    (item,) = [item for item in board.for_decision(of(snapshot), "en") if item.cause == "fall"]
    assert "Anchorage: Backup and restore 19 → 1" in item_names([item])


def test_more_incidents_than_in_any_period_before_is_told_in_words(now, demo_home, tmp_path, sql):
    counts = [
        row[0]
        for row in sql(
            """select count(i.incident_id) from range(13) as a (age) left join facts.incidents as i
                   on not i.is_exercise and i.severity <= 2
                   and i.declared_at < (select max(as_of) from ref.as_of) - a.age * interval 28 day
                   and i.declared_at >= (select max(as_of) from ref.as_of) - (a.age + 1) * interval 28 day
               group by a.age order by a.age"""
        )
    ]
    assert counts[0] > max(counts[1:]), "the demo's newest period is unusual"
    usual = sorted(counts[1:])
    (item,) = [item for item in board.for_decision(now, "nb") if item.cause == "incidents"]
    assert item.note == f"{counts[0]} siste 28 dager, vanligvis {usual[1]}–{usual[-2]}."
    assert item.address.href().startswith("/hendelser")
    _, snapshot = altered(demo_home, tmp_path / "untold", "delete from meta.delivered_days where stream = 'incidents'")
    untold = of(snapshot)
    assert board.usual(untold, "nb") == (None, "ikke meldt for hele perioden")
    assert not any(item.cause.startswith("incidents") for item in board.for_decision(untold, "nb"))


def test_what_a_team_is_told_stays_the_same_line_while_its_number_moves(now, demo_home, tmp_path):
    """Digests tell a matter once: a finding more, or a lower score, is not another matter."""
    _, snapshot = altered(
        demo_home,
        tmp_path / "more",
        f"update scores.area set gate_findings = gate_findings + 1 where {NOW} and gate is not null",
        f"update scores.area set score = score * 0.9 where {NOW} and level = 0",
        f"update scores.metric set value = value + 1 where {NOW} and metric_id = 'sec_overdue_exploited' and value > 0",
    )
    titles = {item.title for item in board.matters(now, "en")}
    assert {item.title for item in board.matters(of(snapshot), "en")} == titles


@pytest.mark.parametrize(
    ("change", "cause", "one", "several"),
    [
        (
            "update scores.area set gate = null, level = 3 where gate = 'G-BCK-1' and gate_findings > 1",
            "gate_G-BCK-1",
            "Datalager i klasse A uten sikkerhetskopi",
            "Datalagre i klasse A uten sikkerhetskopi",
        ),
        (
            "update scores.area set level = 1 where level = 0 and area_id <> 'bck'",
            "level_0",
            "Område på nivået «ikke etablert»",
            "Områder på nivået «ikke etablert»",
        ),
        (
            "update scores.metric set value = 0 where metric_id = 'sec_overdue_exploited' and team_id <> 'sjokart'",
            "sec_overdue_exploited",
            "Utnyttet sårbarhet over fristen",
            "Utnyttede sårbarheter over fristen",
        ),
        (None, "source", "System som ikke leverer som det skal", "Systemer som ikke leverer som de skal"),
    ],
)
def test_a_title_is_in_the_singular_where_there_is_one(demo_home, tmp_path, change, cause, one, several):
    found = of(altered(demo_home, tmp_path / "one", change)[1] if change else current(demo_home / "snapshots"))
    (item,) = [item for item in board.for_decision(found, "nb") if item.cause == cause]
    count = sum(int(re.search(r"\((\d+)", place.name)[1]) if "(" in place.name and "(score" not in place.name
                and cause != "source" else 1 for place in item.places)  # fmt: skip
    assert item.title == (one if count == 1 else several), item
    assert count == 1, "the case has one"


def test_sources_of_today_are_not_told_of_a_month_that_is_past(demo_home):
    found = of(current(demo_home / "snapshots"), "2026-06")
    assert not any(item.cause == "source" for item in board.for_decision(found, "nb"))


def test_the_median_of_then_is_that_of_sql(now, sql):
    frame = pl.DataFrame(sql(f"select score from scores.team where {BEFORE}"), schema=["score"], orient="row")
    assert now.before.median == pytest.approx(frame["score"].median())


def test_incidents_that_nobody_calls_exercises_are_counted(demo_home, tmp_path):
    """Most tools do not tell what was an exercise: their incidents are no silence."""
    home, snapshot = altered(demo_home, tmp_path / "untold", "update facts.incidents set is_exercise = null")
    found = of(snapshot)
    with open_current(home / "snapshots") as con:
        ((majors,),) = con.execute(
            """select count(*) from facts.incidents, (select max(as_of) as now from ref.as_of where grain = 'latest')
               where severity <= 2 and declared_at < now and declared_at >= now - interval 28 day"""
        ).fetchall()
    assert majors > 0
    assert facts.major_incidents(snapshot, found.period)[-1] == majors
    assert sum(row.found for row in facts.team_majors(snapshot, found.period)) <= majors


def test_days_that_nobody_told_of_have_no_count(demo_home, tmp_path):
    _, snapshot = altered(demo_home, tmp_path / "silent", "delete from meta.delivered_days where stream = 'incidents'")
    found = of(snapshot)
    assert set(facts.major_incidents(snapshot, found.period)) == {None}


def test_a_level_that_rises_while_points_fall_is_said_as_such(now, sql):
    """A gate was lifted, or four weeks have passed: nobody reads of a fall from a lower level to a higher one."""
    rows = board.find_moves(now).worse
    against = [row for row in rows if row.levels > 0 and row.change <= -board.MATERIAL_POINTS]
    said = dict(zip(rows, board.say_moves(now, "nb", rows), strict=True))
    for row in rows:
        words = said[row].detail
        assert ("Nivået steg likevel til" in words) == (row in against)
        assert ", og fra «" not in words or row.levels < 0 or row.change > -board.MATERIAL_POINTS


@pytest.mark.parametrize(
    ("language", "said"),
    [("nb", "systemet leverer ikke som det skal"), ("en", "the system does not deliver as it should")],
)
def test_one_system_that_is_silent_is_not_none_of_one(demo_home, tmp_path, language, said):
    """*Ingen av ett system leverer som de skal* stood on the overview of whoever has connected one."""
    _, snapshot = altered(demo_home, tmp_path, "delete from marts.source_health where stream <> 'repository_states'")
    assert board.delivering(of(snapshot), language) == said

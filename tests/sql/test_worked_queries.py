"""Worked queries of the documentation, on rows of which the answer is known by hand."""

from __future__ import annotations

from pathlib import Path

QUERIES = Path(__file__).parents[2] / "examples" / "queries"


def answer(warehouse, name: str) -> list[tuple]:
    return warehouse.execute((QUERIES / name).read_text(encoding="utf-8")).fetchall()


def test_the_newest_restore_test_lends_no_time_of_an_older_one(warehouse):
    warehouse.execute(
        """insert into ref.datastores by name
           select 'db' as datastore_id, 's1' as service_id, 'A' as data_class, 60 as rto_minutes,
               true as has_restore_plan, false as has_rebuild_rationale"""
    )
    warehouse.execute(
        """insert into facts.restore_tests by name select * from (values
           ('old', 'db', timestamptz '2026-05-01 08:00:00+00', true, 30.0),
           ('new', 'db', timestamptz '2026-08-01 08:00:00+00', true, null)
           ) as t (test_id, datastore_id, requested_at, is_successful, restore_minutes)"""
    )
    ((store, _, _, standing, succeeded, minutes, rto, within),) = answer(warehouse, "06-restore-tests.sql")
    assert (store, standing, succeeded, minutes, rto, within) == ("db", "tested", True, None, 60, None)


def test_only_updates_that_waited_and_were_taken_have_days(warehouse):
    warehouse.execute(
        """insert into facts.update_episodes by name select *, 't1' as team_id, 'o/r' as repository from (values
           ('waited', timestamptz '2026-08-01', timestamptz '2026-08-11', null::timestamptz, null),
           ('taken before its age', timestamptz '2026-08-05', timestamptz '2026-08-03', null, null),
           ('nobody can date', timestamptz '2026-08-12', timestamptz '2026-08-12', null, 'not_public'),
           ('dismissed', timestamptz '2026-06-01', timestamptz '2026-08-20', timestamptz '2026-06-10', null)
           ) as t (episode_id, available_at, applied_at, dismissed_at, unknown_because)"""
    )
    assert answer(warehouse, "07-patch-lag.sql") == [("t1", "2026-08", 2, 1, 5.0, 9.0)]


def test_what_is_quiet_is_measured_and_what_is_carried_on_is_not(warehouse):
    warehouse.execute("delete from scores.metric")
    warehouse.execute(
        """insert into scores.metric by name select 't1' as team_id, timestamptz '2026-08-31 22:00:00+00' as as_of,
               'latest' as grain, metric_id, status, reason, points from (values
           ('inc_ack_within_target', 'no_opportunity', 'no_events', null),
           ('inc_actions_on_time', 'stale', 'carried_from:2026-08-23', 80.0),
           ('bck_coverage', 'not_measured', 'not_connected:recovery_points', null),
           ('bck_isolation', 'not_applicable', 'other_team_type', null)
           ) as t (metric_id, status, reason, points)"""
    )
    found = answer(warehouse, "10-what-is-not-measured.sql")
    assert sorted(status for _, _, status, _ in found) == ["not_measured", "stale"]

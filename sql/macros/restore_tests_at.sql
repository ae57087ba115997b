-- title = "Restore tests as they stood at the end of each window of a metric; what came later had not happened"
-- [arguments]
-- for_metric = "Metric whose windows are meant"
create or replace macro macros.restore_tests_at(for_metric) as table
    select
        w.as_of, w.grain, w.starts_at, t.test_id, t.datastore_id, t.is_successful,
        case when t.verified_at < w.as_of then t.verified_at end as verified_at,
        case when t.restored_at < w.as_of then t.restored_at end as restored_at,
        coalesce(
            case when t.verified_at < w.as_of then t.verified_at end,
            case when t.restored_at < w.as_of then t.restored_at end, t.requested_at
        ) as ended_at,
        macros.restore_minutes(
            t.requested_at, case when t.restored_at < w.as_of then t.restored_at end,
            case when t.verified_at < w.as_of then t.verified_at end, t.tells_verified
        ) as restore_minutes,
        -- Where the source can tell and there is no time, none was measured.
        t.tells_verified or t.tells_restored or t.restored_at < w.as_of or t.verified_at < w.as_of as knows_time
    from macros.metric_windows(for_metric) as w
    join facts.restore_tests as t on t.requested_at < w.as_of
    -- A success of which the data are not back yet is none so far.
    where
        not t.is_successful or not t.tells_restored or not t.tells_verified
        or least(t.restored_at, t.verified_at) < w.as_of

-- title = "Restore tests of registered datastores, with the measured time"
-- key = ["test_id"]
-- [columns]
-- test_id = "Test"
-- datastore_id = "Datastore"
-- requested_at = "Restore asked for, UTC"
-- ended_at = "Verified usable, else data back, else asked for, UTC"
-- is_successful = "It succeeded"
-- restore_minutes = """\
--     Request to verified usable, minutes; to data back where the source cannot tell that they were verified; null \
--     = not measured, or not known"""
-- data_gb = "Size, gigabytes"
-- restored_at = "Data back, UTC; null = not, or not told (tells_restored)"
-- verified_at = "Verified usable, UTC; null = not, or not told (tells_verified)"
-- tells_restored = "The source can tell when the data were back"
-- tells_verified = "The source can tell when they were verified"
with told as (
    select *, macros.told(untold, 'restored_at') as tells_restored, macros.told(untold, 'verified_at') as tells_verified
    from staging.restore_tests
)

select
    t.test_id, d.datastore_id, t.requested_at, coalesce(t.verified_at, t.restored_at, t.requested_at) as ended_at,
    t.is_successful, macros.restore_minutes(t.requested_at, t.restored_at, t.verified_at, t.tells_verified)
        as restore_minutes,
    t.data_gb, t.restored_at, t.verified_at, t.tells_restored, t.tells_verified
from told as t
join ref.datastores as d on d.datastore_id = lower(t.datastore_id)
order by d.datastore_id, t.requested_at, t.test_id

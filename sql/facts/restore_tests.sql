-- title = "Restore tests of registered datastores, with the measured time"
-- key = ["test_id"]
-- [columns]
-- test_id = "Test"
-- datastore_id = "Datastore"
-- requested_at = "Restore asked for, UTC"
-- ended_at = "Verified usable, or given up, UTC"
-- is_successful = "It succeeded"
-- restore_minutes = "Request to verified usable, minutes; null where it was not measured"
-- data_gb = "Size, gigabytes"
select t.test_id, t.datastore_id, t.requested_at, coalesce(t.verified_at, t.restored_at, t.requested_at) as ended_at,
    t.is_successful, epoch_us(t.verified_at - t.requested_at) / 60e6 as restore_minutes, t.data_gb
from staging.restore_tests as t
join ref.datastores as d on d.datastore_id = t.datastore_id
order by t.datastore_id, t.requested_at, t.test_id

-- When was each datastore last restored in a test, how long did it take, and was that within its RTO?
with last as (
    select datastore_id, max(requested_at) as tested_at, arg_max(is_successful, requested_at) as succeeded,
        arg_max_null(restore_minutes, requested_at) as minutes
    from facts.restore_tests
    group by datastore_id
)
select d.datastore_id, d.data_class, l.tested_at, l.succeeded, round(l.minutes) as minutes, d.rto_minutes,
    l.succeeded and l.minutes <= d.rto_minutes as within_rto
from ref.datastores as d
left join last as l using (datastore_id)
order by l.tested_at nulls first, d.datastore_id

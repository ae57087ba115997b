-- When was each datastore last restored in a test, how long did it take, and was that within its RTO?
with last as (
    select datastore_id, max(requested_at) as tested_at, arg_max(is_successful, requested_at) as succeeded,
        arg_max_null(restore_minutes, requested_at) as minutes
    from facts.restore_tests
    group by datastore_id
),

-- Where no register of tests is delivered for the owner, none is no test that was left out.
told as (
    select o.datastore_id
    from ref.owned_datastores as o
    join ref.team_streams as s on s.team_id = o.team_id and s.stream = 'restore_tests'
    where o.grain = 'latest' and exists (from meta.register_loads where stream = 'restore_tests' and is_complete)
)
select d.datastore_id, d.data_class, l.tested_at,
    case when l.tested_at is not null then 'tested' when t.datastore_id is not null then 'never' else 'not known' end
        as standing,
    l.succeeded, round(l.minutes) as minutes, d.rto_minutes, l.succeeded and l.minutes <= d.rto_minutes as within_rto
from ref.datastores as d
left join last as l using (datastore_id)
left join told as t using (datastore_id)
order by l.tested_at nulls first, d.datastore_id

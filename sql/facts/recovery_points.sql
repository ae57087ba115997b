-- title = "Recovery points of registered datastores and how long each keeps the recovery point objective"
-- key = ["datastore_id", "taken_at"]
-- [columns]
-- datastore_id = "Datastore"
-- taken_at = "Taken, UTC"
-- is_usable = "Usable for a restore"
-- keeps_rpo_until = """\
--     Until when this point keeps the objective: the next usable point or taken + RPO, UTC; null \
--     = not usable, or no objective"""
select
    p.datastore_id, p.taken_at, p.is_usable,
    case when p.is_usable and d.rpo_hours is not null then least(
        coalesce(
            min(p.taken_at) filter (p.is_usable) over (
                partition by p.datastore_id order by p.taken_at rows between 1 following and unbounded following
            ),
            'infinity'::timestamptz
        ),
        p.taken_at + d.rpo_hours * interval 1 hour
    ) end as keeps_rpo_until
from (
    select lower(datastore_id) as datastore_id, taken_at, bool_or(is_usable) as is_usable
    from staging.recovery_points
    group by lower(datastore_id), taken_at
) as p
join ref.datastores as d on d.datastore_id = p.datastore_id
order by p.datastore_id, p.taken_at

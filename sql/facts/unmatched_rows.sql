-- title = """\
--     Rows that belong to nobody: their name is not in the configuration, or had no owner on their day. Kept, shown, \
--     not scored"""
-- key = ["stream", "kind", "name", "reason"]
-- [columns]
-- stream = "Stream"
-- kind = """\
--     What the name is of: service, team, repository, monitor, datastore or environment; or, where another stream \
--     should tell of it and tells of others, rule, resource, deployment, product with cycle, or subject of a page \
--     about restoring"""
-- name = "Name in the source"
-- reason = "unknown (not in the configuration), before_owner (before the first owner) or no_owner (between owners)"
-- service_id = "Service that the name means; null where the name is unknown or none of a service's"
-- row_count = "Rows"
-- stream_rows = "Rows of the stream that carry a name of this kind, matched ones too"
-- first_on = "First local day"
-- last_on = "Last local day"
-- unowned_days = "Local days of rows that nobody owns although somebody did before; null for other reasons"
with named as materialized (
    select *, sum(row_count) over (partition by stream, kind) as stream_rows from macros.named_rows()
),

-- What streams tell of, for other streams to refer to.
others as (
    select 'resource' as kind, lower(resource_id) as name, null as service_id from staging.capacity_samples
    union all
    select 'rule', lower(rule_id), null from staging.alert_rule_states
    union all
    select 'deployment', lower(deployment_id), null from staging.deployments
    union all
    select 'product', lower(product || ' ' || cycle), null from staging.eol_dates
    union all
    select 'subject', datastore_id, null from ref.datastores
),

known as (
    select 'service' as kind, name, service_id from ref.service_names
    union all
    select 'repository', repository, service_id from facts.repositories where service_id is not null
    union all
    select 'monitor', monitor_key, service_id from facts.monitors where service_id is not null
    union all
    select 'datastore', datastore_id, service_id from ref.datastores
    union all
    select 'team', name, null from ref.team_names
    union all
    select 'environment', name, null from ref.environments
    union all
    from others
),

-- Where case says nothing, the names are in lower case.
matched as (
    select n.*, k.name is not null as is_known, k.service_id
    from named as n
    left join (select distinct on (kind, name) * from known) as k
        on
            k.kind = n.kind
            and k.name = case when n.kind in ('repository', 'monitor') then n.name else lower(n.name) end
),

first_owners as (select service_id, min(valid_from_at) as owned_from_at from ref.service_owners group by service_id),

-- Who owns a service when the local day ends owns some of it.
judged as (
    select
        m.*,
        case
            when not m.is_known then 'unknown'
            when m.service_id is null or c.day is null then null
            when f.owned_from_at is null or c.ends_at <= f.owned_from_at then 'before_owner'
            when o.service_id is null then 'no_owner'
        end as reason
    from matched as m
    left join ref.calendar as c on c.day = m.day
    left join first_owners as f on f.service_id = m.service_id
    left join ref.service_owners as o
        on o.service_id = m.service_id and macros.within(c.ends_at - interval 1 second, o.valid_from_at, o.valid_to_at)
)

select
    stream, kind, name, reason, any_value(service_id) as service_id, cast(sum(row_count) as bigint) as row_count,
    cast(any_value(stream_rows) as bigint) as stream_rows, min(day) as first_on, max(day) as last_on,
    case when reason = 'no_owner' then list_sort(list(distinct day)) end as unowned_days
from judged
where
    reason is not null
    and (kind in (select kind from others) or kind not in ('resource', 'rule', 'deployment', 'product', 'subject'))
group by stream, kind, name, reason
order by stream, kind, name, reason

-- title = "Columns that a source of a team's rows cannot tell, of streams on which metrics rest better with them"
-- key = ["team_id", "stream", "column_name"]
-- [columns]
-- team_id = "Team that owned what the rows are about on their day; of a register, at any time"
-- stream = "Stream"
-- column_name = "Column of its contract"
-- first_on = "First local day of such rows; null: a register"
-- last_on = "Last local day of them; null: a register"
with named as (
    select 'deployments' as stream, 'service' as kind, service_id as name, untold, day from staging.deployments
    union all
    select 'incidents', 'service', service_id, untold, day from staging.incidents
    union all
    select 'alerts', 'service', service_id, untold, day from staging.alerts
    union all
    select 'findings', 'service', service_id, untold, day from staging.findings
    union all
    select 'action_items', 'service', service_id, untold, day from staging.action_items
    union all
    select 'restore_tests', 'datastore', datastore_id, untold, day from staging.restore_tests
    union all
    select 'update_episodes', 'repository', repository, untold, day from staging.update_episodes
    union all
    select 'repository_states', 'repository', repository, untold, day from staging.repository_states
    union all
    select 'maintenance_tasks', 'team', team_id, untold, day from staging.maintenance_tasks
),

columns_of_names as (
    select distinct stream, kind, name, column_name, day
    from (select * exclude (untold), unnest(untold) as column_name from named) as each_column
),

owners as (
    select 'service' as kind, name, team_id, valid_from_at, valid_to_at from macros.owners_by_name()
    union all
    select 'datastore', d.datastore_id, o.team_id, o.valid_from_at, o.valid_to_at
    from ref.datastores as d join ref.service_owners as o on o.service_id = d.service_id
    union all
    select 'repository', r.repository, o.team_id, o.valid_from_at, o.valid_to_at
    from facts.repositories as r join ref.service_owners as o on o.service_id = r.service_id
    union all
    select 'team', name, team_id, valid_from_at, valid_to_at from ref.team_names
),

-- Ownership changes at local midnights.
held as (
    select
        o.kind, o.name, o.team_id, cast(timezone(z.timezone, o.valid_from_at) as date) as held_from,
        cast(timezone(z.timezone, o.valid_to_at) as date) as held_to
    from owners as o
    cross join meta.organisation as z
)

select o.team_id, n.stream, n.column_name, min(n.day) as first_on, max(n.day) as last_on
from columns_of_names as n
join held as o
    on
        o.kind = n.kind and o.name = case when n.kind <> 'repository' then lower(n.name) else n.name end
        -- A state that was seen before may still stand under the next owner, and an update may still wait.
        and coalesce(
            n.day < o.held_to and (
                n.day >= o.held_from - case when n.stream = 'repository_states' then 14 else 0 end
                or n.stream = 'update_episodes'
            ), true
        )
group by o.team_id, n.stream, n.column_name
order by o.team_id, n.stream, n.column_name

-- title = "Columns that a source of a team's rows cannot tell, of streams on which metrics rest better with them"
-- key = ["team_id", "stream", "column_name"]
-- [columns]
-- team_id = "Team that owned what the rows are about, at any time"
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
    select stream, kind, name, column_name, min(day) as first_on, max(day) as last_on
    from (select * exclude (untold), unnest(untold) as column_name from named) as each_column
    group by stream, kind, name, column_name
),

owners as (
    select 'service' as kind, name, team_id from macros.owners_by_name()
    union
    select 'datastore', d.datastore_id, o.team_id
    from ref.datastores as d join ref.service_owners as o on o.service_id = d.service_id
    union
    select 'repository', r.repository, o.team_id
    from facts.repositories as r join ref.service_owners as o on o.service_id = r.service_id
    union
    select 'team', name, team_id from ref.team_names
)

select o.team_id, n.stream, n.column_name, min(n.first_on) as first_on, max(n.last_on) as last_on
from columns_of_names as n
join owners as o
    on o.kind = n.kind and o.name = case when n.kind <> 'repository' then lower(n.name) else n.name end
group by o.team_id, n.stream, n.column_name
order by o.team_id, n.stream, n.column_name

-- title = "Rows whose service, team, repository, monitor or datastore is not in the configuration: kept, shown, not scored"
-- key = ["stream", "name"]
-- [columns]
-- stream = "Stream"
-- name = "Name in the source"
-- row_count = "Rows"
-- first_on = "First local day"
-- last_on = "Last local day"
with named as (
    select 'alerts' as stream, service_id as name, day from staging.alerts
    union all select 'incidents', service_id, day from staging.incidents
    union all select 'deployments', service_id, day from staging.deployments
    union all select 'vulnerabilities', service_id, day from staging.vulnerabilities
    union all select 'load_tests', service_id, day from staging.load_tests
    union all select 'assessments', service_id, day from staging.assessments
    union all
    select 'capacity_samples', service_id, day from (select distinct service_id, day from staging.capacity_samples)
),
unknown as (
    select * from named where name not in (select name from ref.service_names)
    union all
    select 'oncall_shifts', team_id, day from staging.oncall_shifts where team_id not in (select team_id from ref.teams)
    union all
    select 'maintenance_tasks', team_id, day from staging.maintenance_tasks
    where team_id not in (select team_id from ref.teams)
    union all
    select 'recovery_points', datastore_id, day from staging.recovery_points
    where datastore_id not in (select datastore_id from ref.datastores)
    union all
    select 'restore_tests', datastore_id, day from staging.restore_tests
    where datastore_id not in (select datastore_id from ref.datastores)
    union all
    select 'availability_checks', m.monitor_key, cast(r.starts_at as date)
    from facts.availability_runs as r join facts.monitors as m on m.monitor_key = r.monitor_key
    where m.service_id is null
    union all
    select 'repositories', r.repository, null from facts.repositories as r where r.service_id is null
)
select stream, name, count(*) as row_count, min(day) as first_on, max(day) as last_on
from unknown
group by stream, name
order by stream, name

-- title = "Production deployments, with owner and whether the change failed"
-- key = ["deployment_id"]
-- [columns]
-- deployment_id = "Deployment"
-- service_id = "Service"
-- team_id = "Owner at that time"
-- deployed_at = "Rolled out, UTC"
-- is_automated = """\
--     By a pipeline identity, with no manual step after approval; where the source cannot tell manual steps, by a \
--     pipeline identity; null = not known"""
-- failed_at = "First rollback, hotfix or attributed incident within 7 days, UTC; null = none, or not known"
-- recovered_at = "First rollback or hotfix, UTC; null = none, or not known"
-- committed_at = "First commit of the change, UTC; null = not known"
-- is_rework = "Unplanned, to mend what users met; null = not known"
-- knows_failure = """\
--     Some source can tell rollbacks, hotfixes or which deployment caused an incident; no incident of the service \
--     within 7 days names a deployment that no source has or that came later, and none before it names this one"""
-- knows_recovery = "The source can tell rollbacks and hotfixes, or one is known"
with ids as (
    select deployment_id, deployed_at, lower(deployment_id) as said from staging.deployments
    union
    -- A time at the end makes an id of Argo CD's the only one; nobody writes it, and the last one before is meant.
    select deployment_id, deployed_at, regexp_replace(lower(deployment_id), '@\d{8}t\d{6}$', '')
    from staging.deployments
),

named as (
    -- What caused an incident is told whatever its service is called, and whether anybody owned it.
    select
        i.incident_id, n.service_id, i.declared_at, lower(i.caused_by_deployment_id) as named_id,
        arg_max(d.deployment_id, (d.deployed_at, d.deployment_id)) as deployment_id
    from staging.incidents as i
    left join ref.service_names as n on n.name = lower(i.service_id)
    left join ids as d on d.said = lower(i.caused_by_deployment_id) and d.deployed_at <= i.declared_at
    where i.caused_by_deployment_id is not null
    group by i.incident_id, n.service_id, i.declared_at, named_id
),

caused as (
    select deployment_id, min(declared_at) as declared_at from named where deployment_id is not null group by all
),

-- Nobody has the deployment, or it came after what it is said to have caused: one before it, and nobody can tell which.
unplaced as (select * from named where deployment_id is null),

misnamed as (select distinct d.deployment_id from unplaced as u join ids as d on d.said = u.named_id),

-- Days of which some source can tell what caused its incidents.
blame as (
    select distinct d.day
    from meta.load_days as d
    join meta.loads as l on l.stream = d.stream and l.load_id = d.load_id
    where d.stream = 'incidents' and macros.told(l.untold, 'caused_by_deployment_id')
),

-- What another service's source can tell says nothing of one whose own cannot. Which that is, its incidents show.
heard as (
    select
        n.service_id, min(i.declared_at) as first_at,
        min(i.declared_at) filter (macros.told(i.untold, 'caused_by_deployment_id')) as told_at
    from staging.incidents as i
    join ref.service_names as n on n.name = lower(i.service_id)
    group by n.service_id
)

select
    d.deployment_id, o.service_id, o.team_id, d.deployed_at,
    d.actor_kind = 'pipeline'
    and not coalesce(d.has_manual_step, case when not macros.told(d.untold, 'has_manual_step') then false end)
        as is_automated,
    least(
        case when d.rolled_back_at <= d.deployed_at + interval 7 day then d.rolled_back_at end,
        case when d.hotfixed_at <= d.deployed_at + interval 7 day then d.hotfixed_at end,
        case when c.declared_at <= d.deployed_at + interval 7 day then c.declared_at end
    ) as failed_at,
    least(d.rolled_back_at, d.hotfixed_at) as recovered_at, d.committed_at, d.is_rework,
    (
        (
            exists (select 1 from blame as b where b.day between d.day and d.day + 7)
            -- What came after its seven days says nothing of it.
            and (
                h.service_id is null or h.first_at > d.deployed_at + interval 7 day
                or coalesce(h.told_at <= d.deployed_at + interval 7 day, false)
            )
        )
        or macros.told(d.untold, 'rolled_back_at') or macros.told(d.untold, 'hotfixed_at')
    )
    and not exists (
        select 1 from unplaced as u
        where
            u.service_id = o.service_id and u.declared_at >= d.deployed_at
            and u.declared_at <= d.deployed_at + interval 7 day
    )
    and n.deployment_id is null as knows_failure,
    recovered_at is not null
    or (macros.told(d.untold, 'rolled_back_at') and macros.told(d.untold, 'hotfixed_at')) as knows_recovery
from staging.deployments as d
join ref.environments as e on e.name = lower(d.environment) and e.environment_id = 'prod'
join macros.owners_by_name() as o
    on o.name = lower(d.service_id) and macros.within(d.deployed_at, o.valid_from_at, o.valid_to_at)
left join caused as c on c.deployment_id = d.deployment_id
left join misnamed as n on n.deployment_id = d.deployment_id
left join heard as h on h.service_id = o.service_id
order by d.deployed_at, d.deployment_id

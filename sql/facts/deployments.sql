-- title = "Production deployments, with owner and whether the change failed"
-- key = ["deployment_id"]
-- [columns]
-- deployment_id = "Deployment"
-- service_id = "Service"
-- team_id = "Owner at that time"
-- deployed_at = "Rolled out, UTC"
-- is_automated = "By a pipeline identity, with no manual step after approval"
-- failed_at = "First rollback, hotfix or attributed incident within 7 days, UTC; null = none"
-- recovered_at = "First rollback or hotfix, UTC; null = none"
-- committed_at = "First commit of the change, UTC"
-- is_rework = "Unplanned, to mend what users met"
with caused as (
    select caused_by_deployment_id as deployment_id, min(declared_at) as declared_at
    from facts.incidents where caused_by_deployment_id is not null group by all
)
select d.deployment_id, n.service_id, o.team_id, d.deployed_at,
    d.actor_kind = 'pipeline' and not coalesce(d.has_manual_step, false) as is_automated,
    nullif(least(
        coalesce(case when d.rolled_back_at <= d.deployed_at + interval 7 day then d.rolled_back_at end, 'infinity'),
        coalesce(case when d.hotfixed_at <= d.deployed_at + interval 7 day then d.hotfixed_at end, 'infinity'),
        coalesce(case when c.declared_at <= d.deployed_at + interval 7 day then c.declared_at end, 'infinity')
    ), 'infinity'::timestamptz) as failed_at,
    least(d.rolled_back_at, d.hotfixed_at) as recovered_at, d.committed_at, coalesce(d.is_rework, false) as is_rework
from staging.deployments as d
join ref.environments as e on e.name = lower(d.environment) and e.environment_id = 'prod'
join ref.service_names as n on n.name = d.service_id
join ref.service_owners as o
    on o.service_id = n.service_id and d.deployed_at >= o.valid_from_at and d.deployed_at < o.valid_to_at
left join caused as c on c.deployment_id = d.deployment_id
order by d.deployed_at, d.deployment_id

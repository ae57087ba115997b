-- title = "Known items that come into a metric's window after the latest day: due dates, and changes not judged yet"
-- key = ["metric_id", "item_id", "as_of", "grain"]
-- [columns]
-- metric_id = "Metric"
-- team_id = "Team that answers for it"
-- item_id = "Item, as in the metric's evidence"
-- as_of = "Instant after which it falls due, UTC"
-- grain = "latest"
-- due_at = "Due, UTC; of what is judged some days after it happened, when it is judged"
-- is_missed = "Already known to be missed"
with known as (
    select 'inc_actions_on_time' as metric_id, team_id, action_id as item_id, created_at as known_from_at, due_at
    from facts.action_items
    where is_dropped_with_approval is distinct from true
    union all
    select 'inc_postmortem_on_time', team_id, incident_id, resolved_at, postmortem_due_at
    from facts.incidents
    where needs_postmortem and is_exercise is distinct from true
    union all
    select 'sec_findings_on_time', team_id, finding_id, found_at, due_at
    from facts.findings
    union all
    -- What was done was not cancelled, from when on it is done.
    select
        'mnt_planned_maintenance_on_time', team_id, task_id,
        case when is_cancelled_with_approval then completed_at else '-infinity'::timestamptz end, first_due_at
    from macros.rows_of_teams('maintenance_tasks', first_due_at)
    union all
    select 'aut_change_fail_rate', team_id, deployment_id, deployed_at, deployed_at + interval 7 day
    from facts.deployments
)

select
    k.metric_id, k.team_id, k.item_id, w.as_of, w.grain, k.due_at, coalesce(d.failed_at < w.as_of, false) as is_missed
from ref.as_of as w
join known as k on k.known_from_at < w.as_of and k.due_at >= w.as_of
left join facts.deployments as d on d.deployment_id = k.item_id and k.metric_id = 'aut_change_fail_rate'
where w.grain = 'latest'
union all
select 'sec_vulns_fixed_on_time', o.team_id, v.vulnerability_id, v.as_of, v.grain, v.due_at, false
from macros.vulnerabilities_at('sec_vulns_fixed_on_time') as v
join ref.service_owners as o
    on o.service_id = v.service_id and v.as_of > o.valid_from_at and v.as_of <= o.valid_to_at
where v.grain = 'latest' and v.due_at > v.as_of
order by metric_id, item_id

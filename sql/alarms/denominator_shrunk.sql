-- title = { nb = "Nevneren krympet og tallet steg", en = "The denominator shrank and the number rose" }
-- why.nb = """\
--     En oversikt har mistet minst en femdel av det som telles, sammenlignet med en måned i det siste halvåret, og \
--     andelen steg, mens teamet eier like mange tjenester."""
-- why.en = """\
--     An inventory lost at least a fifth of what is counted, against some month of the last half year, and the share \
--     rose, while the team owns as many services."""
with counted as (
    -- Things of which nothing is known are still there.
    select
        s.team_id, s.metric_id, s.as_of, s.grain, s.denominator / nullif(s.completeness, 0) as denominator, s.value,
        o.services
    from scores.metric as s
    join meta.metrics as m on m.metric_id = s.metric_id
    join (
        select team_id, as_of, grain, count(*) as services from ref.owned_services group by team_id, as_of, grain
    ) as o on o.team_id = s.team_id and o.as_of = s.as_of and o.grain = s.grain
    -- Only inventories: where events are counted, fewer of them is no suspicion.
    where s.metric_id in (
        'mnt_supported_versions', 'scl_elastic_workloads', 'aut_iac_managed_share', 'aut_update_bot_coverage',
        'scl_capacity_alert_coverage', 'bck_coverage', 'bck_isolation'
    )
    and s.status in ('ok', 'low_evidence') and s.grain in ('month', 'latest')
)

select
    n.team_id, n.as_of, n.grain, n.metric_id as subject,
    cast(round(max(b.denominator) - any_value(n.denominator)) as bigint) as finding_count,
    cast(round(max(b.denominator)) as bigint) || ' → ' || cast(round(any_value(n.denominator)) as bigint) as detail
from counted as n
join counted as b
    on
        b.team_id = n.team_id and b.metric_id = n.metric_id and b.grain = 'month'
        and b.as_of < n.as_of and b.as_of >= n.as_of - interval 185 day
where n.denominator <= 0.8 * b.denominator and n.value > b.value + 0.02 and n.services >= b.services
group by n.team_id, n.as_of, n.grain, n.metric_id
order by n.team_id, n.grain, n.as_of, n.metric_id

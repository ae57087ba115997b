-- title = "Tier states of vulnerabilities with the deadline each state sets (method 3.9)"
-- key = ["vulnerability_id", "effective_at"]
-- [columns]
-- vulnerability_id = "Opaque id"
-- service_id = "Service"
-- detected_at = "Detected, UTC"
-- effective_at = "When this state began, UTC"
-- tier = "3DF, 3D, 14D, 60D or FSU"
-- is_urgent = "Tier 3D or 3DF, or known exploited"
-- due_at = "Midnight after the last day, UTC; null for FSU"
-- fixed_at = "Fixed or mitigated, UTC; null = open"
with judged as (
    select v.*, coalesce(v.is_automatable, false) as a, coalesce(v.is_total_impact, true) as t,
        v.is_exploited as k, v.is_exposed as e
    from staging.vulnerabilities as v
),
tiers as (
    select *,
        case
            when not k and not e then case when a then '60D' else 'FSU' end
            when not k then case when a and t then '3D' when a or t then '14D' else '60D' end
            when not e then case when a and t then '3DF' else '14D' end
            else case when a and not t then '3D' when t then '3DF' else '14D' end
        end as tier
    from judged
)
select v.vulnerability_id, n.service_id, v.detected_at, v.effective_at, v.tier,
    v.tier in ('3D', '3DF') or v.k as is_urgent, d.ends_at as due_at, v.fixed_at
from tiers as v
join ref.service_names as n on n.name = v.service_id
left join ref.calendar as c on v.effective_at >= c.starts_at and v.effective_at < c.ends_at
left join ref.calendar as d
    on d.day = c.day + case v.tier when '3D' then 3 when '3DF' then 3 when '14D' then 14 when '60D' then 60 end
order by v.vulnerability_id, v.effective_at

-- title = "Tier states of vulnerabilities with the deadline each state sets (method 3.9)"
-- key = ["vulnerability_id", "effective_at"]
-- [columns]
-- vulnerability_id = "Opaque id"
-- service_id = "Service"
-- detected_at = "Detected, UTC"
-- effective_at = "When this state began, UTC"
-- tier = "3DF, 3D, 14D, 60D or FSU; null = facts are missing that would tell which"
-- is_urgent = "Tier 3D or 3DF, or known exploited; null = not known"
-- due_at = "Midnight after the last day by the strictest tier that is possible, UTC; null = none"
-- fixed_at = "Fixed or mitigated, UTC; null = open, or not known"
-- latest_due_at = "Midnight after the last day by the mildest tier that is possible, UTC; null = none"
-- knows_fix = "It was fixed, or its source can tell that: what is open is known to be open"
with tiers as (
    select
        *,
        -- More is never milder, so two tiers hold all that is possible.
        macros.tier(
            coalesce(is_exploited, true), coalesce(is_exposed, true), coalesce(is_automatable, true),
            coalesce(is_total_impact, true)
        ) as strictest,
        macros.tier(
            coalesce(is_exploited, false), coalesce(is_exposed, false), coalesce(is_automatable, false),
            coalesce(is_total_impact, false)
        ) as mildest
    from staging.vulnerabilities
)

select
    v.vulnerability_id, n.service_id, v.detected_at, v.effective_at,
    case when v.strictest = v.mildest then v.mildest end as tier,
    v.is_exploited
    or case when v.mildest in ('3D', '3DF') then true when v.strictest not in ('3D', '3DF') then false end as is_urgent,
    d.ends_at as due_at, v.fixed_at, l.ends_at as latest_due_at,
    v.fixed_at is not null or macros.told(v.untold, 'fixed_at') as knows_fix
from tiers as v
join ref.service_names as n on n.name = lower(v.service_id)
left join ref.calendar as c on macros.within(v.effective_at, c.starts_at, c.ends_at)
left join ref.calendar as d on d.day = c.day + macros.tier_days(v.strictest)
left join ref.calendar as l on l.day = c.day + macros.tier_days(v.mildest)
order by v.vulnerability_id, v.effective_at

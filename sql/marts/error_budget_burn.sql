-- title = """\
--     How fast each service spends its 30-day error budget at the latest instant, with the pages that this would \
--     send"""
-- key = ["service_id"]
-- [columns]
-- service_id = "Service with an availability SLO"
-- team_id = "Owner"
-- target = "SLO"
-- burn_5m = """\
--     Share of the last 5 minutes in which some monitor was down / (1 - SLO), of known time outside eligible \
--     maintenance; 1 spends exactly the budget; null = no such time"""
-- burn_30m = "The same over 30 minutes"
-- burn_1h = "Over an hour"
-- burn_6h = "Over six hours"
-- burn_3d = "Over three days"
-- spent_1h_ratio = "Share of the budget spent in the last hour"
-- days_to_exhaust = """\
--     Days until a full budget is spent at the pace of the last hour; null = nothing was spent in it, or burn_1h is \
--     null"""
-- is_fast_page = "Hour and 5 minutes both at 14.4 or more (SRE workbook, ch. 5); null = not known"
-- is_slow_page = "Six hours and 30 minutes both at 6 or more; null = not known"
with latest as (select as_of from ref.as_of where grain = 'latest'),

promised as (
    select o.service_id, o.team_id, o.as_of, l.target
    from ref.owned_services as o
    join ref.slos as l
        on
            l.service_id = o.service_id
            and l.kind = 'availability'
            and o.as_of > l.valid_from_at
            and o.as_of <= l.valid_to_at
    where o.grain = 'latest'
),

-- As in facts.availability_daily: any monitor down is down, and what nobody knows or eligible maintenance is no time.
spans as (
    select m.service_id, m.starts_at, m.ends_at, false as is_down
    from latest as l, macros.merged_runs(['up', 'down', 'degraded'], l.as_of - interval 3 day) as m
    union all
    select m.service_id, m.starts_at, m.ends_at, true
    from latest as l, macros.merged_runs(['down'], l.as_of - interval 3 day) as m
),

parts as (
    select
        s.service_id, w.minutes, s.is_down,
        epoch_us(least(s.ends_at, l.as_of))
        - epoch_us(greatest(s.starts_at, l.as_of - w.minutes * interval 1 minute)) as us
    from latest as l
    cross join (values (5), (30), (60), (360), (4320)) as w (minutes)
    join spans as s on s.starts_at < l.as_of and s.ends_at > l.as_of - w.minutes * interval 1 minute
),

shares as (
    select
        service_id, minutes, coalesce(sum(us) filter (is_down), 0) / sum(us) filter (not is_down) as down
    from parts
    group by service_id, minutes
),

burns as (
    select
        p.service_id, p.team_id, p.target,
        max(s.down / (1 - p.target)) filter (s.minutes = 5) as burn_5m,
        max(s.down / (1 - p.target)) filter (s.minutes = 30) as burn_30m,
        max(s.down / (1 - p.target)) filter (s.minutes = 60) as burn_1h,
        max(s.down / (1 - p.target)) filter (s.minutes = 360) as burn_6h,
        max(s.down / (1 - p.target)) filter (s.minutes = 4320) as burn_3d
    from promised as p
    left join shares as s on s.service_id = p.service_id
    group by p.service_id, p.team_id, p.target
)

select
    *, burn_1h / 720 as spent_1h_ratio, 30 / nullif(burn_1h, 0) as days_to_exhaust,
    burn_1h >= 14.4 and burn_5m >= 14.4 as is_fast_page, burn_6h >= 6 and burn_30m >= 6 as is_slow_page
from burns
order by service_id

-- title = { nb = "Vaktbelastning innenfor tålegrense", en = "On-call shifts within load limit" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.5
-- krav = 0.85
-- mal = 0.95
-- weight = 2
-- n_full = 30
-- obligations = ["O15", "O39"]
-- needs = ["alerts", "oncall_shifts"]
-- when_empty = "not_applicable"
-- formula = { nb = "vakter (12 timer) med høyst to varslede hendelser / alle bemannede vakter", en = "12-hour shifts with at most two paged incidents / all shifts with somebody on duty" }
-- why = { nb = "En vakt med mer enn to hendelser får ikke gjort noen av dem ordentlig.", en = "A shift with more than two incidents handles none of them well." }
-- remedy = { nb = "Overlast: stans funksjonsarbeid til de tre verste varslene er fjernet; vurder større vaktlag.", en = "Overload: stop feature work until the three worst alerts are gone; consider a larger rota." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'mon_pager_load_ok'
),
-- A duty counts as 12-hour shifts: a day shift is one, a 24-hour duty two.
parts as (
    select shift_id, team_id, starts_at, ends_at,
        cast(greatest(1, round(epoch_us(ends_at - starts_at) / 43200e6)) as bigint) as part_count
    from staging.oncall_shifts
    where coalesce(responder_count, 0) >= 1 and ends_at > starts_at
),
shifts as (
    select shift_id || '/' || part as shift_id, team_id,
        starts_at + (ends_at - starts_at) * ((part - 1) / part_count) as starts_at,
        starts_at + (ends_at - starts_at) * (part / part_count) as ends_at
    from (select *, unnest(generate_series(1, part_count)) as part from parts)
),
loads as (
    -- Pages of one incident count once; a page without incident counts as one of its own.
    select s.shift_id, s.team_id, s.starts_at, count(distinct coalesce(a.incident_id, a.alert_id)) as incident_count
    from shifts as s
    left join facts.alerts as a on a.team_id = s.team_id and a.fired_at >= s.starts_at and a.fired_at < s.ends_at
    group by s.shift_id, s.team_id, s.starts_at
),
items as (
    select l.team_id, w.as_of, w.grain, l.shift_id as item_id, l.starts_at as item_at,
        cast(l.incident_count <= 2 as integer) as numerator, 1 as denominator,
        cast(l.incident_count as varchar) as detail, w.completeness
    from windows as w
    join loads as l on l.starts_at >= w.starts_at and l.starts_at < w.as_of
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

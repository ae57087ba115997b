-- title = "Days that a source owed and has not delivered: what can still be fetched, and what is lost for good"
-- key = ["stream", "origin", "starts_on"]
-- [columns]
-- stream = "Stream"
-- origin = "Source"
-- starts_on = "First missing local day of an unbroken gap"
-- ends_on = "Last missing local day of it"
-- day_count = "Days"
-- lost_on = "Day on which the source will have forgotten the first of them; null = it remembers for years"
-- days_left = "Days until then; 0 or less where the first is lost"
-- state = "lost (forgotten: completeness stays lower), at_risk (within seven days of being forgotten) or late"
with latest as (select "on" from ref.as_of where grain = 'latest'),

-- Files owe the days between those that they tell whole.
told as (
    select stream, origin, min(day) as first_on, max(day) as last_on
    from meta.load_days
    where is_complete
    group by stream, origin
),

-- What only shows today's state owes no history; its own rule of freshness stands in source_health.
owed as (
    select
        s.stream, s.origin, s.remembers_days, c.day, l."on" as today,
        cast(c.day + cast(s.remembers_days as integer) as date) as lost_on
    from meta.sources as s
    join meta.streams as m on m.stream = s.stream and not m.is_register
    cross join latest as l
    left join told as t on t.stream = s.stream and t.origin = s.origin
    join ref.calendar as c
        on
            macros.within(c.day, s.due_from, s.due_to) and c.day <= l."on"
            and (s.kind <> 'files' or c.day between t.first_on and t.last_on)
    left join meta.load_days as d
        on d.stream = s.stream and d.origin = s.origin and d.day = c.day and d.is_complete
    where d.day is null and coalesce(s.remembers_days, 365) > 1
),

judged as (
    select *, case when lost_on <= today then 'lost' when lost_on - today <= 7 then 'at_risk' else 'late' end as state
    from owed
),

grouped as (
    select *, day - cast(row_number() over (partition by stream, origin, state order by day) as integer) as island
    from judged
)

select
    stream, origin, min(day) as starts_on, max(day) as ends_on, count(*) as day_count,
    min(lost_on) as lost_on, cast(min(lost_on) - any_value(today) as bigint) as days_left, state
from grouped
group by stream, origin, state, island
order by case state when 'at_risk' then 0 when 'late' then 1 else 2 end, stream, origin, starts_on

-- title = { nb = "Vaktbelastning innenfor tålegrense", en = "On-call shifts within load limit" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.5
-- krav = 0.85
-- mal = 0.95
-- weight = 0
-- n_full = 30
-- obligations = ["O15", "O39"]
-- needs = ["alerts", "oncall_shifts"]
-- rests_on = ["oncall_shifts.responder_count", "alerts.is_test"]
-- better_with = ["alerts.incident_id"]
-- when_empty = "not_applicable"
-- of_oncall_duty = true
-- formula.nb = "vakter (12 timer) med høyst to varslede hendelser / alle bemannede vakter"
-- formula.en = "12-hour shifts with at most two paged incidents / all shifts with somebody on duty"
-- why.nb = "En vakt med mer enn to hendelser får ikke gjort noen av dem ordentlig."
-- why.en = "A shift with more than two incidents handles none of them well."
-- remedy.nb = "Overlast: stans funksjonsarbeid til de tre verste varslene er fjernet; vurder større vaktlag."
-- remedy.en = "Overload: stop feature work until the three worst alerts are gone; consider a larger rota."
-- effort = "M"
-- lifecycle = "guard"
-- version = 3
with
-- A duty counts as 12-hour shifts: a day shift is one, a 24-hour duty two.
parts as (
    select
        shift_id, team_id, starts_at, ends_at, responder_count,
        cast(greatest(1, round(epoch_us(ends_at - starts_at) / 43200e6)) as bigint) as part_count
    from macros.rows_of_teams('oncall_shifts', starts_at)
    where responder_count is distinct from 0 and ends_at > starts_at
),

shifts as (
    select
        shift_id || '/' || part as shift_id, team_id, responder_count,
        starts_at + (ends_at - starts_at) * ((part - 1) / part_count) as starts_at,
        starts_at + (ends_at - starts_at) * (part / part_count) as ends_at
    from (select *, unnest(generate_series(1, part_count)) as part from parts) as counted
),

-- Of a day whose pages were not delivered nobody knows how quiet it was. Of one team, only its shifts are asked.
heard as (
    select s.shift_id, s.team_id
    from shifts as s
    join ref.calendar as c on c.starts_at < s.ends_at and c.ends_at > s.starts_at
    left join macros.told_from('alerts') as k on k.team_id = s.team_id
    left join meta.delivered_days as d
        on d.stream = 'alerts' and d.day = c.day and (k.told_from <= d.day) is not false
    group by s.shift_id, s.team_id
    having count(*) = count(d.day)
),

loads as (
    -- Pages of one incident count once; a page without incident counts as one of its own.
    select
        s.shift_id, s.team_id, s.responder_count, s.ends_at,
        count(distinct coalesce(a.incident_id, a.alert_id)) filter (not a.is_test) as fewest,
        count(distinct coalesce(a.incident_id, a.alert_id)) as most
    from shifts as s
    join heard as h on h.shift_id = s.shift_id and h.team_id = s.team_id
    left join facts.alerts as a on a.team_id = s.team_id and macros.within(a.fired_at, s.starts_at, s.ends_at)
    group by s.shift_id, s.team_id, s.responder_count, s.ends_at
),

items as (
    -- A shift is judged when it is over.
    select
        l.team_id, w.as_of, w.grain, l.shift_id as item_id, l.ends_at as item_at,
        macros.kept(
            l.most <= 2, l.responder_count is not null and (l.most <= 2 or l.fewest > 2)
        ) as numerator,
        1 as denominator, cast(l.most as varchar) as detail, w.completeness
    from macros.metric_windows('mon_pager_load_ok') as w
    join loads as l on l.ends_at > w.starts_at and l.ends_at <= w.as_of
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

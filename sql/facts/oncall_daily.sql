-- title = "On-call duty required, known and covered, per team and local day with known rota"
-- key = ["team_id", "day"]
-- [columns]
-- team_id = "Team"
-- day = "Local day"
-- required_minutes = "Minutes of required duty"
-- known_minutes = "Minutes of it of which it is known whether somebody could be reached"
-- covered_minutes = "Minutes of it with at least one reachable person; an hour after an unanswered page is not covered"
-- has_shift = "Somebody, or an unknown number of people, was on duty for a part of it"
with
-- A shift may last a week: an hour without one is free only where the days on which it could begin are delivered.
delivered as (
    select day, count(*) over (order by day range between interval 7 day preceding and current row) = 8 as is_whole
    from meta.delivered_days where stream = 'oncall_shifts'
),

-- Of a day on which a team's pages were due and nobody delivered them it is not known whether all were answered.
required as (
    select
        r.*, w.is_whole and (k.told_from <= r.day - 7) is not false as is_whole,
        s.team_id is null or d.day is not null as is_heard
    from macros.duty_days() as r
    left join macros.told_from('oncall_shifts') as k on k.team_id = r.team_id
    join delivered as w on w.day = r.day
    left join ref.team_streams as s on s.team_id = r.team_id and s.stream = 'alerts' and s.connected_on <= r.day
    left join meta.delivered_days as d on d.stream = 'alerts' and d.day = r.day
),

clipped as (
    select
        r.team_id, r.day, s.responder_count, greatest(s.starts_at, r.starts_at) as starts_at,
        least(s.ends_at, r.ends_at) as ends_at
    from required as r
    join macros.rows_of_teams('oncall_shifts', starts_at) as s
        on s.team_id = r.team_id and s.starts_at < r.ends_at and s.ends_at > r.starts_at
    where s.responder_count is distinct from 0
),

-- A page that no person answered within an hour proves that nobody could be reached (method, inc_oncall_coverage);
-- one of which that is not known by the end of its day leaves the hour open.
unanswered as (
    select
        r.team_id, r.day, greatest(a.fired_at, r.starts_at) as starts_at,
        least(a.fired_at + interval 1 hour, r.ends_at) as ends_at,
        macros.is_unanswered(
            a.fired_at, a.acknowledged_at, a.acknowledged_by_kind, a.closed_at, a.is_test, a.untold, r.day_ends_at
        ) as is_silent
    from required as r
    join facts.alerts as a on a.team_id = r.team_id and macros.within(a.fired_at, r.pages_from, r.ends_at)
),

-- Sweep line: overlapping shifts count once, an unanswered hour takes the cover away.
changes as (
    select
        team_id, day, starts_at, ends_at, cast(responder_count is not null as integer) as on_duty,
        cast(responder_count is null as integer) as perhaps_on_duty, 0 as silent, 0 as perhaps_silent
    from clipped
    union all
    select team_id, day, starts_at, ends_at, 0, 0, (is_silent is not null)::integer, (is_silent is null)::integer
    from unanswered where is_silent is distinct from false
    union all
    select team_id, day, starts_at, ends_at, 0, 0, 0, 0 from required
),

instants as (
    select
        team_id, day, edge.at as change_at, sum(edge.sign * on_duty) as on_duty,
        sum(edge.sign * perhaps_on_duty) as perhaps_on_duty, sum(edge.sign * silent) as silent,
        sum(edge.sign * perhaps_silent) as perhaps_silent
    from (
        select *, unnest([{ 'at': starts_at, 'sign': 1 }, { 'at': ends_at, 'sign': -1 }]) as edge from changes
    ) as c
    group by team_id, day, edge.at
),

segments as (
    select
        i.team_id, i.day, epoch_us(lead(i.change_at) over in_order) - epoch_us(i.change_at) as us,
        case
            when sum(i.on_duty) over in_order > 0 then true
            when sum(i.perhaps_on_duty) over in_order = 0 and r.is_whole then false
        end
        and case
            when sum(i.silent) over in_order > 0 then false
            when sum(i.perhaps_silent) over in_order = 0 and r.is_heard then true
        end as is_covered
    from instants as i
    join required as r on r.team_id = i.team_id and r.day = i.day
    window in_order as (partition by i.team_id, i.day order by i.change_at)
)

select
    r.team_id, r.day, (epoch_us(r.ends_at) - epoch_us(r.starts_at)) / 60e6 as required_minutes,
    coalesce(sum(s.us) filter (s.is_covered is not null), 0) / 60e6 as known_minutes,
    coalesce(sum(s.us) filter (s.is_covered), 0) / 60e6 as covered_minutes,
    exists(select 1 from clipped as c where c.team_id = r.team_id and c.day = r.day) as has_shift
from required as r
join segments as s on s.team_id = r.team_id and s.day = r.day
group by r.team_id, r.day, r.starts_at, r.ends_at
order by r.team_id, r.day

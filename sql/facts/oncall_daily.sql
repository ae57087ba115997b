-- title = "On-call duty required and covered, per team and local day with known rota"
-- key = ["team_id", "day"]
-- [columns]
-- team_id = "Team"
-- day = "Local day"
-- required_minutes = "Minutes of required duty"
-- covered_minutes = "Minutes of it with at least one reachable person; an hour after an unanswered page is not covered"
with required as (
    select d.team_id, c.day,
        case when d.coverage = 'always' then c.starts_at else c.work_starts_at end as starts_at,
        case when d.coverage = 'always' then c.ends_at else c.work_ends_at end as ends_at
    from ref.oncall_duties as d
    join ref.calendar as c on c.starts_at >= d.valid_from_at and c.starts_at < d.valid_to_at
    join meta.delivered_days as w on w.stream = 'oncall_shifts' and w.day = c.day
    where d.coverage = 'always' or (d.coverage = 'working_hours' and c.is_working_day)
),
clipped as (
    select r.team_id, r.day, greatest(s.starts_at, r.starts_at) as starts_at, least(s.ends_at, r.ends_at) as ends_at
    from required as r
    join staging.oncall_shifts as s
        on s.team_id = r.team_id and s.starts_at < r.ends_at and s.ends_at > r.starts_at
    where coalesce(s.responder_count, 0) >= 1
),
-- A page that no person answered within an hour proves that nobody could be reached (method, inc_oncall_coverage).
unanswered as (
    select r.team_id, r.day, a.fired_at as starts_at, least(a.fired_at + interval 1 hour, r.ends_at) as ends_at
    from required as r
    join facts.alerts as a on a.team_id = r.team_id and a.fired_at >= r.starts_at and a.fired_at < r.ends_at
    where coalesce(a.closed_at > a.fired_at + interval 1 hour, true)
        and not coalesce(a.acknowledged_by_kind = 'human' and a.acknowledged_at <= a.fired_at + interval 1 hour, false)
),
-- Sweep line: overlapping shifts count once, an unanswered hour takes the cover away.
changes as (
    select team_id, day, starts_at as change_at, 1 as on_duty, 0 as silent from clipped
    union all select team_id, day, ends_at, -1, 0 from clipped
    union all select team_id, day, starts_at, 0, 1 from unanswered
    union all select team_id, day, ends_at, 0, -1 from unanswered
),
instants as (
    select team_id, day, change_at, sum(on_duty) as on_duty, sum(silent) as silent
    from changes group by team_id, day, change_at
),
segments as (
    select team_id, day, epoch_us(lead(change_at) over in_order) - epoch_us(change_at) as us,
        sum(on_duty) over in_order > 0 and sum(silent) over in_order = 0 as is_covered
    from instants
    window in_order as (partition by team_id, day order by change_at)
),
covered as (
    select team_id, day, sum(us) as us from segments where is_covered group by team_id, day
)
select r.team_id, r.day, (epoch_us(r.ends_at) - epoch_us(r.starts_at)) / 60e6 as required_minutes,
    coalesce(c.us, 0) / 60e6 as covered_minutes
from required as r
left join covered as c on c.team_id = r.team_id and c.day = r.day
order by r.team_id, r.day

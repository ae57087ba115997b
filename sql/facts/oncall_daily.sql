-- title = "On-call duty required and covered, per team and local day with known rota"
-- key = ["team_id", "day"]
-- [columns]
-- team_id = "Team"
-- day = "Local day"
-- required_minutes = "Minutes of required duty"
-- covered_minutes = "Minutes of it with at least one reachable person"
with required as (
    select d.team_id, c.day,
        case when d.coverage = 'always' then c.starts_at else c.work_starts_at end as starts_at,
        case when d.coverage = 'always' then c.ends_at else c.work_ends_at end as ends_at
    from ref.oncall_duties as d
    join ref.calendar as c on c.starts_at >= d.valid_from_at and c.starts_at < d.valid_to_at
    join meta.load_days as w on w.stream = 'oncall_shifts' and w.day = c.day and w.is_complete
    where d.coverage = 'always' or (d.coverage = 'working_hours' and c.is_working_day)
),
clipped as (
    select r.team_id, r.day, greatest(s.starts_at, r.starts_at) as starts_at, least(s.ends_at, r.ends_at) as ends_at
    from required as r
    join staging.oncall_shifts as s
        on s.team_id = r.team_id and s.starts_at < r.ends_at and s.ends_at > r.starts_at
    where coalesce(s.responder_count, 0) >= 1
),
ordered as (
    select *, max(ends_at) over (
        partition by team_id, day order by starts_at, ends_at rows between unbounded preceding and 1 preceding
    ) as reached_at
    from clipped
),
covered as (
    -- What a shift adds beyond those before it: overlapping shifts count once.
    select team_id, day, sum(greatest(0, epoch_us(ends_at) - epoch_us(greatest(starts_at, coalesce(reached_at, starts_at))))) as us
    from ordered
    group by team_id, day
)
select r.team_id, r.day, (epoch_us(r.ends_at) - epoch_us(r.starts_at)) / 60e6 as required_minutes,
    coalesce(c.us, 0) / 60e6 as covered_minutes
from required as r
left join covered as c on c.team_id = r.team_id and c.day = r.day
order by r.team_id, r.day

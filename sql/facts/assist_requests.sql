-- title = "Requests for assistance between known teams, and whether the asked team was on required duty"
-- key = ["request_id"]
-- [columns]
-- request_id = "Request"
-- from_team_id = "Team that asked"
-- to_team_id = "Team that was asked"
-- asked_at = "Asked, UTC"
-- answered_at = "First answer by a person, UTC; null = none, or untold"
-- is_on_duty = "Asked within the required on-call time of the asked team"
-- untold = "Columns that its source cannot tell: empty there says nothing at all"
with named as (
    select
        a.* replace (
            coalesce(f.team_id, a.from_team_id) as from_team_id, coalesce(t.team_id, a.to_team_id) as to_team_id
        )
    from staging.assist_requests as a
    left join ref.team_names as f
        on f.name = lower(a.from_team_id) and macros.within(a.asked_at, f.valid_from_at, f.valid_to_at)
    left join ref.team_names as t
        on t.name = lower(a.to_team_id) and macros.within(a.asked_at, t.valid_from_at, t.valid_to_at)
)

select
    a.request_id, a.from_team_id, a.to_team_id, a.asked_at, a.answered_at,
    coalesce(d.coverage = 'always' or (d.coverage = 'working_hours' and c.day is not null), false) as is_on_duty,
    a.untold
from named as a
join ref.teams as t on t.team_id = a.to_team_id
-- Working hours in another zone may cross our midnight: whose day it is here says nothing.
left join macros.work_days() as c
    on c.team_id = a.to_team_id and c.is_working_day and macros.within(a.asked_at, c.work_starts_at, c.work_ends_at)
left join ref.oncall_duties as d
    on d.team_id = a.to_team_id and macros.within(a.asked_at, d.valid_from_at, d.valid_to_at)
where a.from_team_id <> a.to_team_id
order by a.asked_at, a.request_id

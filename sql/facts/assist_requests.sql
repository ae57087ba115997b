-- title = "Requests for assistance between known teams, and whether the asked team was on required duty"
-- key = ["request_id"]
-- [columns]
-- request_id = "Request"
-- from_team_id = "Team that asked"
-- to_team_id = "Team that was asked"
-- asked_at = "Asked, UTC"
-- answered_at = "First answer by a person, UTC; null = none"
-- is_on_duty = "Asked within the required on-call time of the asked team"
select a.request_id, a.from_team_id, a.to_team_id, a.asked_at, a.answered_at,
    coalesce(d.coverage = 'always' or (d.coverage = 'working_hours' and c.is_working_day
        and a.asked_at >= c.work_starts_at and a.asked_at < c.work_ends_at), false) as is_on_duty
from staging.assist_requests as a
join ref.teams as t on t.team_id = a.to_team_id
join ref.calendar as c on a.asked_at >= c.starts_at and a.asked_at < c.ends_at
left join ref.oncall_duties as d
    on d.team_id = a.to_team_id and a.asked_at >= d.valid_from_at and a.asked_at < d.valid_to_at
where a.from_team_id <> a.to_team_id
order by a.asked_at, a.request_id

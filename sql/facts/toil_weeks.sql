-- title = "Toil of each team and week, only where enough people answered"
-- key = ["team_id", "week_starts_on"]
-- [columns]
-- team_id = "Team"
-- week_starts_on = "Monday of the week"
-- toil_ratio = "Toil hours / working hours, 0..1; null below four answers"
-- is_shown = "At least four people answered"
select r.team_id, r.week_starts_on, case when r.respondent_count >= 4 then r.toil_ratio end as toil_ratio,
    r.respondent_count >= 4 as is_shown
from staging.toil_reports as r
join ref.teams as t on t.team_id = r.team_id
order by r.team_id, r.week_starts_on

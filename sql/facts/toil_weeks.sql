-- title = "Toil of each team and week, only where enough people answered"
-- key = ["team_id", "week_starts_on"]
-- [columns]
-- team_id = "Team"
-- week_starts_on = "Monday of the week"
-- toil_ratio = "Toil hours / working hours, 0..1; null below four answers"
-- is_shown = "At least four people answered"
select
    r.team_id, r.week_starts_on, case when r.respondent_count >= 4 then r.toil_ratio end as toil_ratio,
    r.respondent_count >= 4 as is_shown
from macros.rows_of_teams('toil_reports', week_starts_on) as r
join ref.teams as t on t.team_id = r.team_id
-- Of a team that reported under two names, the larger answer.
qualify row_number() over (partition by r.team_id, r.week_starts_on order by r.respondent_count desc, r.toil_ratio) = 1
order by r.team_id, r.week_starts_on

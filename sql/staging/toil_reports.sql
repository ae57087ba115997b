-- title = "Toil reports: the winning load of each day"
-- like_stream = "toil_reports"
select * exclude (untold) from macros.winning_rows('toil_reports', (team_id, week_starts_on))

-- title = "Commits a day: the winning load of each day"
-- like_stream = "commits_daily"
select * exclude (untold) from macros.winning_rows('commits_daily', (repository, committed_on, actor_kind))

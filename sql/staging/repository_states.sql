-- title = "Repository states: the winning load of each day"
-- like_stream = "repository_states"
select * from macros.winning_rows('repository_states', (repository, observed_on))

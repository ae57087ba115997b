-- title = "Dependency states: the winning load of each day"
-- like_stream = "dependency_states"
select * exclude (untold) from macros.winning_rows('dependency_states', (repository, package, observed_on))

-- title = "Workload states: the winning load of each day"
-- like_stream = "workload_states"
select * from macros.winning_rows('workload_states', (workload_id, observed_on))

-- title = "Infrastructure states: the winning load of each day"
-- like_stream = "infrastructure_states"
select * from macros.winning_rows('infrastructure_states', (resource_id, observed_on))

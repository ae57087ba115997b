-- title = "Component states: the winning load of each day"
-- like_stream = "component_states"
select * from macros.winning_rows('component_states', (component_id, observed_on))

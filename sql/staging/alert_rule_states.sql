-- title = "Alert rule states: the winning load of each day"
-- like_stream = "alert_rule_states"
select * from macros.winning_rows('alert_rule_states', (rule_id, service_id, observed_on))

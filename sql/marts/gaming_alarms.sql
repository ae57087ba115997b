-- title = "Signs that numbers are being tended instead of operations; a reason to ask, never a verdict"
-- key = ["alarm", "team_id", "as_of", "grain", "subject"]
-- [columns]
-- alarm = "Name of the table in alarms"
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month or latest"
-- subject = "Service or metric"
-- finding_count = "Findings"
-- detail = "What was found"
select 'closed_within_a_minute' as alarm, * from alarms.closed_within_a_minute
union all
select 'counter_metric_fell', * from alarms.counter_metric_fell
union all
select 'denominator_shrunk', * from alarms.denominator_shrunk
union all
select 'inventory_vanished', * from alarms.inventory_vanished
union all
select 'rules_disabled', * from alarms.rules_disabled
union all
select 'severity_below_impact', * from alarms.severity_below_impact
order by alarm, team_id, grain, as_of, subject

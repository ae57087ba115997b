-- title = "Load tests of catalogued services"
-- key = ["test_id"]
-- [columns]
-- test_id = "Test"
-- service_id = "Service"
-- tested_at = "When, UTC"
-- reached_ratio = "Load reached / highest hourly load of the last 12 months"
-- is_slo_met = "The SLO held"
select t.test_id, n.service_id, t.tested_at, t.reached_ratio, t.is_slo_met
from staging.load_tests as t
join ref.service_names as n on n.name = lower(t.service_id)
order by t.tested_at, t.test_id

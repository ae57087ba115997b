-- title = "G-SKA-1: a critical resource with p95 at or above 0.95 of its limit"
-- key = ["team_id", "as_of", "grain"]
-- area = "scl"
-- cap = 2
-- lifted_by = "scl_saturation_headroom"
-- needs = ["capacity_samples"]
-- reason = { nb = "{} kritiske ressurser bruker over 95 % av grensen", en = "{} critical resources use more than 95% of their limit" }
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select team_id, as_of, grain, count(*) as finding_count
from metrics.scl_saturation_headroom
where entity_weight = 3 and value >= 0.95 and completeness >= 0.5
group by team_id, as_of, grain
order by team_id, grain, as_of

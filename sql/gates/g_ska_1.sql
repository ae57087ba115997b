-- title = "G-SKA-1: a critical resource with p95 at or above 0.95 of its limit"
-- key = ["team_id", "as_of", "grain"]
-- area = "scl"
-- cap = 2
-- lifted_by = "scl_saturation_headroom"
-- needs = ["capacity_samples"]
-- reason.nb = "{} [n:kritisk ressurs|kritiske ressurser] bruker over 95 % av grensen"
-- reason.en = "{} critical [n:resource uses more than 95% of its|resources use more than 95% of their] limit"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select m.team_id, m.as_of, m.grain, count(*) as finding_count
from metrics.scl_saturation_headroom as m
-- Of what the team still owns.
join macros.resources_at('scl_saturation_headroom') as r
    on r.resource_id = m.entity_id and r.as_of = m.as_of and r.grain = m.grain
join ref.owned_services as o
    on o.service_id = r.service_id and o.team_id = m.team_id and o.as_of = m.as_of and o.grain = m.grain
where m.entity_weight = 3 and m.value >= 0.95 and m.completeness >= 0.5
group by m.team_id, m.as_of, m.grain
order by m.team_id, m.grain, m.as_of

-- title = "G-BCK-1: any class A datastore without backup"
-- key = ["team_id", "as_of", "grain"]
-- area = "bck"
-- cap = 1
-- lifted_by = "bck_coverage"
-- needs = ["recovery_points"]
-- reason.nb = "{} [n:datalager|datalagre] i klasse A uten sikkerhetskopi"
-- reason.en = "{} class A [n:datastore|datastores] without backup"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select d.team_id, d.as_of, d.grain, count(*) as finding_count
from macros.fresh_copies('bck_coverage') as d
where d.data_class = 'A' and d.is_fresh = false and d.completeness >= 0.5
group by d.team_id, d.as_of, d.grain
order by d.team_id, d.grain, d.as_of

-- title = "G-SIK-1: any overdue 3D, 3DF or known exploited vulnerability open"
-- key = ["team_id", "as_of", "grain"]
-- area = "sec"
-- cap = 1
-- lifted_by = "sec_overdue_exploited"
-- needs = ["vulnerabilities"]
-- reason.nb = "{} [n:utnyttet sårbarhet|utnyttede sårbarheter] over fristen"
-- reason.en = "{} exploited [n:vulnerability past its|vulnerabilities past their] deadline"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select team_id, as_of, grain, cast(numerator as bigint) as finding_count
from metrics.sec_overdue_exploited
where numerator > 0
order by team_id, grain, as_of

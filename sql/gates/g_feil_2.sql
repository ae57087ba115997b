-- title = "G-FEIL-2: no on-call rota registered although duty is required"
-- key = ["team_id", "as_of", "grain"]
-- area = "inc"
-- cap = 1
-- lifted_by = "inc_oncall_coverage"
-- needs = ["oncall_shifts"]
-- reason = { nb = "ingen vaktplan er registrert", en = "no on-call rota is registered" }
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select d.team_id, w.as_of, w.grain, 1 as finding_count
from ref.as_of as w
-- A rota is registered when somebody, or an unknown number of people, was on duty in the 28 days before; days of which
-- the duty is not known in full prove nothing.
join facts.oncall_daily as d on d.day <= w."on" and d.day > w."on" - 28
group by d.team_id, w.as_of, w.grain
having not bool_or(d.has_shift) and count(*) filter (d.known_minutes = d.required_minutes) >= 10
order by d.team_id, w.grain, w.as_of

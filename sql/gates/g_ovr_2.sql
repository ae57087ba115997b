-- title = "G-OVR-2: more on-call shifts above the load limit than the requirement allows"
-- key = ["team_id", "as_of", "grain"]
-- area = "mon"
-- cap = 2
-- lifted_by = "mon_pager_load_ok"
-- needs = ["alerts", "oncall_shifts"]
-- reason.nb = "{} [n:vakt|vakter] med mer enn to varslede hendelser siste 90 dager"
-- reason.en = "{} on-call [n:shift|shifts] with more than two paged incidents in 90 days"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select m.team_id, m.as_of, m.grain, cast(m.denominator - m.numerator as bigint) as finding_count
from metrics.mon_pager_load_ok as m
join meta.metrics as r on r.metric_id = 'mon_pager_load_ok'
-- A few shifts, or half of the pages, are not enough to hold a level down.
where m.value < r.krav and m.sample_size >= r.n_full and m.completeness >= 0.5
order by m.team_id, m.grain, m.as_of

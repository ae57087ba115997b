-- title = "G-FEIL-1: any severity 1 or 2 incident in the last 180 days without incident manager"
-- key = ["team_id", "as_of", "grain"]
-- area = "inc"
-- cap = 2
-- needs = ["incidents"]
-- reason.nb = "{} [n:større hendelse|større hendelser] siste 180 dager uten hendelsesansvarlig"
-- reason.en = "{} major [n:incident|incidents] in the last 180 days without incident manager"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
select i.team_id, w.as_of, w.grain, count(*) as finding_count
from ref.as_of as w
-- Local days, as the windows of metrics: across a change of clocks they are not so many times 24 hours.
join ref.calendar as b on b.day = w."on" - 179
-- Open incidents too, however old: leaving one open lifts no gate (ADR 0010).
join facts.incidents as i
    on macros.concerns(i.declared_at, i.resolved_at, i.untold, b.starts_at, w.as_of)
where
    i.severity <= 2 and not i.is_exercise and macros.told(i.untold, 'manager_assigned_at')
    and i.declared_at + interval 30 minute < w.as_of
    and not coalesce(i.manager_assigned_at <= i.declared_at + interval 30 minute, false)
group by i.team_id, w.as_of, w.grain
order by i.team_id, w.grain, w.as_of

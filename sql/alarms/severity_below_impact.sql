-- title = { nb = "Alvorlighet lavere enn virkningen", en = "Severity below impact" }
-- why.nb = """\
--     To eller flere hendelser på 90 dager som alene brukte opp en måneds feilbudsjett, men er meldt som alvorlighet \
--     3 eller 4."""
-- why.en = """\
--     Two or more incidents in 90 days that alone spent a month's error budget, but were reported as severity 3 or \
--     4."""
select
    i.team_id, w.as_of, w.grain, i.service_id as subject, count(*) as finding_count,
    '' as detail
from macros.shown_windows(90) as w
join facts.incidents as i on macros.within(i.declared_at, w.starts_at, w.as_of)
where
    i.severity >= 3 and i.budget_ratio >= 1 and not i.is_exercise and macros.told(i.untold, 'resolved_at')
    -- What is spent is known when it is over, or when the deadline of one left open has passed.
    and coalesce(i.resolved_at, i.postmortem_due_while_open_at) < w.as_of
group by i.team_id, w.as_of, w.grain, i.service_id
qualify sum(count(*)) over (partition by i.team_id, w.as_of, w.grain) >= 2
order by i.team_id, w.grain, w.as_of, i.service_id

-- title = { nb = "Gjentatte hendelser", en = "Repeated incidents" }
-- unit = "count"
-- why_not_scored.nb = "Kvaliteten på feilkodene varierer mellom team."
-- why_not_scored.en = "The quality of fault codes differs between teams."
with repeats as (
    select
        i.incident_id, i.team_id, i.declared_at,
        i.declared_at - lag(i.declared_at) over (partition by i.service_id, lower(i.signature) order by i.declared_at)
        <= interval 90 day as is_repeat
    from facts.incidents as i
    where i.signature is not null and i.is_exercise is distinct from true
)

select
    r.team_id, w.as_of, w.grain, '' as entity_id,
    unnest(macros.statistic('count', count(*) filter (r.is_repeat)::double, count(*)))
from macros.shown_windows(90) as w
join repeats as r on macros.within(r.declared_at, w.starts_at, w.as_of)
group by r.team_id, w.as_of, w.grain
order by r.team_id, w.grain, w.as_of

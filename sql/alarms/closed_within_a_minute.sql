-- title = { nb = "Hendelser lukket innen ett minutt", en = "Incidents closed within a minute" }
-- why.nb = "Tre eller flere på 90 dager: hendelser som bare registreres, skjuler dem som varer."
-- why.en = "Three or more in 90 days: incidents that are only registered hide those that last."
select
    i.team_id, w.as_of, w.grain, i.service_id as subject, count(*) as finding_count,
    '' as detail
from macros.shown_windows(90) as w
join facts.incidents as i on macros.within(i.declared_at, w.starts_at, w.as_of)
where i.restore_minutes < 1 and i.resolved_at < w.as_of and not i.is_exercise
group by i.team_id, w.as_of, w.grain, i.service_id
qualify sum(count(*)) over (partition by i.team_id, w.as_of, w.grain) >= 3
order by i.team_id, w.grain, w.as_of, i.service_id

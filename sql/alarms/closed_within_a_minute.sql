-- title = { nb = "Hendelser lukket innen ett minutt", en = "Incidents closed within a minute" }
-- why = { nb = "Tre eller flere på 90 dager: hendelser som bare registreres, skjuler dem som varer.", en = "Three or more in 90 days: incidents that are only registered hide those that last." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
)
select i.team_id, w.as_of, w.grain, i.service_id as subject, count(*) as finding_count,
    '' as detail
from windows as w
join facts.incidents as i on i.declared_at >= w.starts_at and i.declared_at < w.as_of
where i.restore_minutes < 1 and not i.is_exercise
group by i.team_id, w.as_of, w.grain, i.service_id
qualify sum(count(*)) over (partition by i.team_id, w.as_of, w.grain) >= 3
order by i.team_id, w.grain, w.as_of, i.service_id

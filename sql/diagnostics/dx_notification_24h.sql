-- title = { nb = "Varslet myndighet innen 24 timer", en = "Authority notified within 24 hours" }
-- unit = "share"
-- why_not_scored.nb = "Om loven gjelder tjenesten, er en juridisk vurdering."
-- why_not_scored.en = "Whether the law covers the service is a legal decision."
with items as (
    select
        i.team_id, w.as_of, w.grain,
        coalesce(i.notified_at <= i.declared_at + interval 24 hour, false) as is_on_time,
        coalesce(i.is_reportable and macros.told(i.untold, 'notified_at'), false) as is_known
    from macros.shown_windows(365) as w
    join facts.incidents as i
        on
            i.declared_at >= w.starts_at and i.declared_at + interval 24 hour < w.as_of
            and i.is_reportable is distinct from false
    where i.is_exercise is distinct from true
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic(
        'share', count(*) filter (is_known and is_on_time) / count(*) filter (is_known), count(*) filter (is_known),
        not_known := count(*) filter (not is_known)
    ))
from items
group by team_id, as_of, grain
having bool_or(is_known)
order by team_id, grain, as_of

-- title = { nb = "Varslet myndighet innen 24 timer", en = "Authority notified within 24 hours" }
-- unit = "share"
-- why_not_scored = { nb = "Om loven gjelder tjenesten, er en juridisk vurdering.", en = "Whether the law covers the service is a legal decision." }
with windows as (
    select * from ref.windows where window_days = 365 and grain in ('month', 'latest')
),
items as (
    select i.team_id, w.as_of, w.grain,
        coalesce(i.notified_at <= i.declared_at + interval 24 hour, false) as is_on_time
    from windows as w
    join facts.incidents as i
        on i.declared_at >= w.starts_at and i.declared_at + interval 24 hour < w.as_of and i.is_reportable
)
select team_id, as_of, grain, '' as entity_id, 'share' as statistic, count(*) filter (is_on_time) / count(*) as value,
    count(*) as sample_size, null::double as low, null::double as high
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

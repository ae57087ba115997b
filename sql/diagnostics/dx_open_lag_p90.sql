-- title = { nb = "Alder på åpne oppdateringer", en = "Age of open updates" }
-- unit = "days"
-- why_not_scored = { nb = "Viser gammelt etterslep som andelen innen 30 dager ikke ser.", en = "Shows old backlog that the share within 30 days does not see." }
with windows as (
    select * from ref.windows where window_days = 0 and grain in ('month', 'latest')
),
items as (
    select e.team_id, w.as_of, w.grain, epoch_us(w.as_of - e.available_at) / 86400e6 as days
    from windows as w
    join facts.update_episodes as e on e.available_at < w.as_of
        and coalesce(least(e.applied_at, e.dismissed_at) >= w.as_of, true)
)
select team_id, as_of, grain, '' as entity_id, 'p90' as statistic, quantile_cont(days, 0.9) as value,
    count(*) as sample_size, null::double as low, null::double as high
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

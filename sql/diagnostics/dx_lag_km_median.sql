-- title = { nb = "Median oppdateringsetterslep", en = "Median update lag (Kaplan–Meier)" }
-- unit = "days"
-- why_not_scored = { nb = "Medianen kan pyntes ved å ta den enkle halvdelen raskt.", en = "The median can be polished by taking the easy half fast." }
with windows as (
    select * from ref.windows where window_days = 180 and grain in ('month', 'latest')
),
items as (
    select e.team_id, w.as_of, w.grain,
        epoch_us(least(w.as_of, coalesce(e.applied_at, w.as_of), coalesce(e.dismissed_at, w.as_of)) - e.available_at)
            / 86400e6 as days,
        coalesce(e.applied_at < w.as_of and e.applied_at <= coalesce(e.dismissed_at, e.applied_at), false) as is_done
    from windows as w
    join facts.update_episodes as e on e.available_at >= w.starts_at and e.available_at < w.as_of
),
times as (
    select team_id, as_of, grain, days, count(*) filter (is_done) as done, count(*) as episodes,
        sum(count(*)) over (partition by team_id, as_of, grain order by days desc) as at_risk
    from items
    group by team_id, as_of, grain, days
),
survival as (
    select *, product(1 - done / at_risk) over (partition by team_id, as_of, grain order by days) as waiting
    from times
)
-- Smallest time at which at most half still wait; null where half was never reached (method 2.4).
select team_id, as_of, grain, '' as entity_id, 'p50' as statistic,
    min(days) filter (waiting <= 0.5 + 1e-12) as value, sum(episodes)::bigint as sample_size,
    null::double as low, null::double as high
from survival
group by team_id, as_of, grain
order by team_id, grain, as_of

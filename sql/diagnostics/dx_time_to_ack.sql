-- title = { nb = "Tid til kvittering", en = "Time to acknowledge" }
-- unit = "minutes"
-- why_not_scored = { nb = "Små tall og lange haler: både snitt og median svinger uten at noe er endret.", en = "Small numbers and long tails: mean and median swing without any real change." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
items as (
    select a.team_id, w.as_of, w.grain,
        case when a.acknowledged_by_kind = 'human' and a.acknowledged_at < w.as_of
            then epoch_us(a.acknowledged_at - a.fired_at) / 60e6 else 'infinity'::double end as minutes
    from windows as w
    join facts.alerts as a on a.fired_at >= w.starts_at and a.fired_at < w.as_of
),
summed as (
    select team_id, as_of, grain, count(*) as n, quantile_cont(minutes, [0.5, 0.9]) as quantiles,
        list_sort(list(minutes)) as ordered
    from items
    group by team_id, as_of, grain
),
ends as (
    select s.*, s.ordered[r.low_rank] as low, s.ordered[r.high_rank] as high
    from summed as s
    left join ref.median_ranks as r on r.sample_size = s.n
)
-- Pages that nobody acknowledged are longer than all others; a quantile among them has no value.
select team_id, as_of, grain, '' as entity_id, unnest(['p50', 'p90']) as statistic,
    unnest([case when isfinite(x) then x end for x in quantiles]) as value, n as sample_size,
    unnest([case when isfinite(low) then low end, null]) as low,
    unnest([case when isfinite(high) then high end, null]) as high
from ends
order by team_id, grain, as_of, statistic

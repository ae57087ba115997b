-- title = { nb = "Tid fra kode til produksjon", en = "Lead time for changes" }
-- unit = "hours"
-- why_not_scored = { nb = "Ingen plikt i håndboken; gir sammenheng til andelen som feiler.", en = "No duty of the handbook; it gives context to the change fail rate." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
items as (
    select d.team_id, w.as_of, w.grain, epoch_us(d.deployed_at - d.committed_at) / 3600e6 as hours
    from windows as w
    join facts.deployments as d on d.deployed_at >= w.starts_at and d.deployed_at < w.as_of
    where d.committed_at is not null
),
summed as (
    select team_id, as_of, grain, count(*) as n, quantile_cont(hours, [0.5, 0.9]) as quantiles,
        list_sort(list(hours)) as ordered
    from items
    group by team_id, as_of, grain
),
ends as (
    select s.*, s.ordered[r.low_rank] as low, s.ordered[r.high_rank] as high
    from summed as s
    left join ref.median_ranks as r on r.sample_size = s.n
)
-- Every deployed change has an end; nothing is censored.
select team_id, as_of, grain, '' as entity_id, unnest(['p50', 'p90']) as statistic,
    unnest([case when isfinite(x) then x end for x in quantiles]) as value, n as sample_size,
    unnest([case when isfinite(low) then low end, null]) as low,
    unnest([case when isfinite(high) then high end, null]) as high
from ends
order by team_id, grain, as_of, statistic

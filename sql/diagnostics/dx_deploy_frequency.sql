-- title = { nb = "Utrullinger per uke", en = "Deployments a week" }
-- unit = "per_week"
-- why_not_scored = { nb = "Ingen plikt i håndboken; gir sammenheng til andelen som feiler.", en = "No duty of the handbook; it gives context to the change fail rate." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
counted as (
    select d.team_id, w.as_of, w.grain, count(*) as deployments
    from windows as w
    join facts.deployments as d on d.deployed_at >= w.starts_at and d.deployed_at < w.as_of
    group by d.team_id, w.as_of, w.grain
)
select team_id, as_of, grain, '' as entity_id, 'mean' as statistic, deployments * 7 / 90.0 as value,
    deployments as sample_size, null::double as low, null::double as high
from counted
order by team_id, grain, as_of

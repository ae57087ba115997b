-- title = { nb = "Uplanlagt omarbeid", en = "Rework rate" }
-- unit = "share"
-- why_not_scored = { nb = "Ingen plikt i håndboken; merkingen er skjønn.", en = "No duty of the handbook; the marking is a judgement." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
counted as (
    select d.team_id, w.as_of, w.grain, count(*) filter (d.is_rework) as reworked, count(*) as deployments
    from windows as w
    join facts.deployments as d on d.deployed_at >= w.starts_at and d.deployed_at < w.as_of
    group by d.team_id, w.as_of, w.grain
)
select team_id, as_of, grain, '' as entity_id, 'share' as statistic, reworked / deployments as value,
    deployments as sample_size, null::double as low, null::double as high
from counted
order by team_id, grain, as_of

-- title = { nb = "Hendelser per alvorlighet", en = "Incidents by severity" }
-- unit = "count"
-- why_not_scored = { nb = "Å telle hendelser belønner den som ikke registrerer dem.", en = "Counting incidents rewards those who do not register them." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
counts as (
    select i.team_id, w.as_of, w.grain, i.severity, count(*) as incidents
    from windows as w
    join facts.incidents as i on i.declared_at >= w.starts_at and i.declared_at < w.as_of
    where not i.is_exercise
    group by i.team_id, w.as_of, w.grain, i.severity
),
-- Rare events are read as days between them, not as months full of zeros.
severe as (
    select i.team_id, w.as_of, w.grain, i.declared_at,
        lag(i.declared_at) over (partition by i.team_id, w.as_of, w.grain order by i.declared_at) as previous_at
    from windows as w
    join facts.incidents as i on i.declared_at < w.as_of and i.severity <= 2 and not i.is_exercise
)
select team_id, as_of, grain, '' as entity_id, 'severity_' || severity as statistic, incidents::double as value,
    incidents as sample_size, null::double as low, null::double as high
from counts
union all
select team_id, as_of, grain, '', 'days_between_severe', median(epoch_us(declared_at - previous_at) / 86400e6),
    count(*), null, null
from severe where previous_at is not null
group by team_id, as_of, grain
order by team_id, grain, as_of, statistic

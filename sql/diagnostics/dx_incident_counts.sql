-- title = { nb = "Hendelser per alvorlighet", en = "Incidents by severity" }
-- unit = "count"
-- why_not_scored.nb = "Å telle hendelser belønner den som ikke registrerer dem."
-- why_not_scored.en = "Counting incidents rewards those who do not register them."
with counts as (
    select i.team_id, w.as_of, w.grain, i.severity, count(*) as incidents
    from macros.shown_windows(90) as w
    join facts.incidents as i on macros.within(i.declared_at, w.starts_at, w.as_of)
    -- As on every screen: an incident is one until a source calls it an exercise.
    where i.is_exercise is distinct from true
    group by i.team_id, w.as_of, w.grain, i.severity
),

-- Rare events are read as days between them, not as months full of zeros.
severe as (
    select
        i.team_id, w.as_of, w.grain, i.declared_at,
        lag(i.declared_at) over (partition by i.team_id, w.as_of, w.grain order by i.declared_at) as previous_at
    from macros.shown_windows(90) as w
    join facts.incidents as i on i.declared_at < w.as_of and i.severity <= 2 and i.is_exercise is distinct from true
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic('severity_' || severity, incidents::double, incidents))
from counts
union all
select
    team_id, as_of, grain, '',
    unnest(macros.statistic(
        'days_between_severe', median(epoch_us(declared_at - previous_at) / 86400e6), count(*)
    ))
from severe where previous_at is not null
group by team_id, as_of, grain
order by team_id, grain, as_of, statistic

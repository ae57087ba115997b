-- title = { nb = "Uplanlagt omarbeid", en = "Rework rate" }
-- unit = "share"
-- why_not_scored.nb = "Ingen plikt i håndboken; merkingen er skjønn."
-- why_not_scored.en = "No duty of the handbook; the marking is a judgement."
with counted as (
    select
        d.team_id, w.as_of, w.grain, count(*) filter (d.is_rework) as reworked, count(d.is_rework) as known,
        count(*) - known as not_known
    from macros.shown_windows(90) as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
    group by d.team_id, w.as_of, w.grain
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic('share', reworked / known, known, not_known := not_known))
from counted
where known > 0
order by team_id, grain, as_of

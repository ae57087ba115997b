-- title = "G-BCK-1: any class A datastore without backup"
-- key = ["team_id", "as_of", "grain"]
-- area = "bck"
-- cap = 1
-- lifted_by = "bck_coverage"
-- needs = ["recovery_points"]
-- reason = { nb = "{} datalagre i klasse A uten sikkerhetskopi", en = "{} class A datastores without backup" }
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
with uncovered as (
    select d.team_id, d.as_of, d.grain, d.datastore_id
    from ref.owned_datastores as d
    join ref.metric_windows as m
        on m.metric_id = 'bck_coverage' and m.as_of = d.as_of and m.grain = d.grain and m.completeness >= 0.5
    left join facts.recovery_points as p
        on p.datastore_id = d.datastore_id and p.is_usable and p.taken_at < d.as_of
    where d.data_class = 'A'
    group by d.team_id, d.as_of, d.grain, d.datastore_id, d.backup_interval_hours
    having not coalesce(max(p.taken_at) >= d.as_of - 2 * d.backup_interval_hours * interval 1 hour, false)
)
select team_id, as_of, grain, count(*) as finding_count
from uncovered
group by team_id, as_of, grain
order by team_id, grain, as_of

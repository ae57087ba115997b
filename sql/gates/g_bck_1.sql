-- title = "G-BCK-1: any class A datastore without backup"
-- key = ["team_id", "as_of", "grain"]
-- area = "bck"
-- cap = 1
-- needs = ["recovery_points"]
-- reason = { nb = "{} datalagre i klasse A uten sikkerhetskopi", en = "{} class A datastores without backup" }
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week or latest"
-- finding_count = "Findings; above 0 trips the gate"
with owned as (
    select w.as_of, w.grain, o.team_id, s.service_id, s.criticality
    from ref.as_of as w
    join ref.service_owners as o on o.valid_from_at < w.as_of and w.as_of <= o.valid_to_at
    join ref.services as s on s.service_id = o.service_id
),
uncovered as (
    select o.team_id, o.as_of, o.grain, d.datastore_id
    from owned as o
    join ref.metric_windows as m
        on m.metric_id = 'bck_coverage' and m.as_of = o.as_of and m.grain = o.grain and m.completeness >= 0.5
    join ref.datastores as d on d.service_id = o.service_id and d.data_class = 'A'
    left join facts.recovery_points as p
        on p.datastore_id = d.datastore_id and p.is_usable and p.taken_at < o.as_of
    group by o.team_id, o.as_of, o.grain, d.datastore_id, d.backup_interval_hours
    having not coalesce(max(p.taken_at) >= o.as_of - 2 * d.backup_interval_hours * interval 1 hour, false)
)
select team_id, as_of, grain, count(*) as finding_count
from uncovered
group by team_id, as_of, grain
order by team_id, grain, as_of

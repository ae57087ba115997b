-- title = "G-BCK-2: any class A or B datastore without a successful restore test in 365 days"
-- key = ["team_id", "as_of", "grain"]
-- area = "bck"
-- cap = 2
-- needs = ["restore_tests"]
-- reason = { nb = "{} datalagre i klasse A/B uten vellykket gjenopprettingstest siste 365 dager", en = "{} class A/B datastores without a successful restore test in 365 days" }
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
untested as (
    select o.team_id, o.as_of, o.grain, d.datastore_id
    from owned as o
    join meta.register_loads as r on r.stream = 'restore_tests'
    join ref.datastores as d on d.service_id = o.service_id and d.data_class in ('A', 'B')
    left join facts.restore_tests as t
        on t.datastore_id = d.datastore_id and t.is_successful
        and t.ended_at < o.as_of and t.ended_at >= o.as_of - interval 365 day
    group by o.team_id, o.as_of, o.grain, d.datastore_id
    having count(t.test_id) = 0
)
select team_id, as_of, grain, count(*) as finding_count
from untested
group by team_id, as_of, grain
order by team_id, grain, as_of

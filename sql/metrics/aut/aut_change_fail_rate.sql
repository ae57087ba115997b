-- title = { nb = "Endringer som feiler", en = "Change fail rate" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.3
-- krav = 0.15
-- mal = 0.05
-- weight = 3
-- n_full = 20
-- obligations = ["O62"]
-- needs = ["deployments", "incidents"]
-- when_empty = "no_opportunity"
-- formula = { nb = "utrullinger som ble rullet tilbake, hastefikset eller ga hendelse innen 7 dager / alle utrullinger", en = "deployments rolled back, hotfixed or blamed for an incident within 7 days / all deployments" }
-- why = { nb = "Automatisering skal redusere feil.", en = "Automation shall reduce faults." }
-- remedy = { nb = "Mindre endringer, gradvis utrulling, automatisk tilbakerulling.", en = "Smaller changes, gradual rollout, automatic rollback." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'aut_change_fail_rate'
),
items as (
    select d.team_id, w.as_of, w.grain, d.deployment_id as item_id, d.deployed_at as item_at,
        cast(coalesce(d.failed_at < w.as_of, false) as integer) as numerator, 1 as denominator,
        d.service_id as detail, w.completeness
    from windows as w
    join facts.deployments as d on d.deployed_at >= w.starts_at and d.deployed_at < w.as_of
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

-- title = { nb = "Automatisk utrulling", en = "Automated deployment share" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.5
-- krav = 0.9
-- mal = 0.99
-- weight = 3
-- n_full = 20
-- obligations = ["O61"]
-- needs = ["deployments"]
-- when_empty = "no_opportunity"
-- formula = { nb = "produksjonsendringer uten manuelle steg / alle produksjonsendringer", en = "production changes with no manual step / all production changes" }
-- why = { nb = "Gjentakende oppgaver skal automatiseres.", en = "Repetitive work shall be automated." }
-- remedy = { nb = "Flytt manuelle steg inn i utrullingen; lås skrivetilgang i produksjon.", en = "Move manual steps into the pipeline; lock write access in production." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'aut_automated_deploy_share'
),
items as (
    select d.team_id, w.as_of, w.grain, d.deployment_id as item_id, d.deployed_at as item_at,
        cast(d.is_automated as integer) as numerator, 1 as denominator, d.service_id as detail, w.completeness
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

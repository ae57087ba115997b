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
-- formula.nb = "produksjonsendringer uten manuelle steg / alle produksjonsendringer"
-- formula.en = "production changes with no manual step / all production changes"
-- why = { nb = "Gjentakende oppgaver skal automatiseres.", en = "Repetitive work shall be automated." }
-- remedy.nb = "Flytt manuelle steg inn i utrullingen; lås skrivetilgang i produksjon."
-- remedy.en = "Move manual steps into the pipeline; lock write access in production."
-- effort = "M"
-- better_with = ["deployments.has_manual_step"]
-- version = 2
with items as (
    select
        d.team_id, w.as_of, w.grain, d.deployment_id as item_id, d.deployed_at as item_at,
        cast(d.is_automated as integer) as numerator, 1 as denominator, d.service_id as detail, w.completeness
    from macros.metric_windows('aut_automated_deploy_share') as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

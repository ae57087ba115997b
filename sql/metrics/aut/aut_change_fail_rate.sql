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
-- formula.nb = """\
--     utrullinger som ble rullet tilbake, hastefikset eller ga hendelse innen 7 dager / utrullinger der de 7 dagene \
--     gikk ut i perioden"""
-- formula.en = """\
--     deployments rolled back, hotfixed or blamed for an incident within 7 days / deployments whose 7 days ended \
--     in the window"""
-- why = { nb = "Automatisering skal redusere feil.", en = "Automation shall reduce faults." }
-- remedy.nb = "Mindre endringer, gradvis utrulling, automatisk tilbakerulling."
-- remedy.en = "Smaller changes, gradual rollout, automatic rollback."
-- effort = "M"
-- counts_after_days = 7
-- rests_on = ["deployments.rolled_back_at", "deployments.hotfixed_at", "incidents.caused_by_deployment_id"]
-- better_with = ["deployments.rolled_back_at", "deployments.hotfixed_at", "incidents.caused_by_deployment_id"]
-- version = 2
with items as (
    select
        d.team_id, w.as_of, w.grain, d.deployment_id as item_id, d.deployed_at as item_at,
        macros.kept(d.failed_at is not null, d.failed_at is not null or d.knows_failure) as numerator, 1 as denominator,
        d.service_id as detail, w.completeness
    from macros.metric_windows('aut_change_fail_rate') as w
    -- Judged when its seven days are over: a change of yesterday has not proved itself yet.
    join facts.deployments as d on macros.within(d.deployed_at + interval 7 day, w.starts_at, w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

-- title = { nb = "Skalerbare løsninger", en = "Elastic workloads" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.4
-- krav = 0.8
-- mal = 0.95
-- weight = 2
-- obligations = ["O44"]
-- needs = ["workload_states"]
-- when_empty = "not_applicable"
-- formula = { nb = "arbeidslaster med minst to kopier i minst to soner, ressurskrav og autoskalering (eller fast størrelse godkjent siste 365 dager) / arbeidslaster", en = "workloads with at least two replicas in at least two zones, resource requests and an autoscaler (or a fixed size approved in the last 365 days) / workloads" }
-- why = { nb = "Vi skal tilstrebe løsninger som kan vokse med lasten.", en = "We shall strive for solutions that can grow with the load." }
-- remedy = { nb = "Prioriter tilstandsløse tjenester; fjern lokale filer og sesjoner.", en = "Start with stateless services; remove local files and sessions." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'scl_elastic_workloads'
),
items as (
    select s.team_id, s.as_of, s.grain, s.workload_id as item_id, cast(null as timestamptz) as item_at,
        cast(s.is_spread and s.has_resource_requests
            and (s.can_grow or coalesce(s.fixed_size_approved_on > w."on" - 365, false)) as integer) as numerator,
        1 as denominator,
        case when not s.is_spread then 'not spread' when not s.has_resource_requests then 'no resource requests'
            when s.can_grow then 'autoscaled' else 'fixed size' end as detail,
        w.completeness
    from windows as w
    join facts.workloads_at as s on s.as_of = w.as_of and s.grain = w.grain
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

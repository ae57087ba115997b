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
-- formula.nb = """\
--     arbeidslaster med minst to kopier i minst to soner, ressurskrav og autoskalering (eller fast størrelse godkjent \
--     siste 365 dager) / arbeidslaster"""
-- formula.en = """\
--     workloads with at least two replicas in at least two zones, resource requests and an autoscaler (or a fixed \
--     size approved in the last 365 days) / workloads"""
-- why.nb = "Vi skal tilstrebe løsninger som kan vokse med lasten."
-- why.en = "We shall strive for solutions that can grow with the load."
-- remedy.nb = "Prioriter tilstandsløse tjenester; fjern lokale filer og sesjoner."
-- remedy.en = "Start with stateless services; remove local files and sessions."
-- effort = "M"
-- rests_on = [
--     "workload_states.replica_count", "workload_states.zone_count", "workload_states.has_resource_requests",
--     "workload_states.autoscaler_min", "workload_states.autoscaler_max", "workload_states.fixed_size_approved_on",
-- ]
-- version = 2
with judged as (
    select
        s.*, w.completeness,
        s.can_grow or coalesce(
            s.fixed_size_approved_on > w."on" - 365 and s.fixed_size_approved_on <= w."on",
            case when s.knows_fixed_size then false end
        ) as is_sized
    from macros.metric_windows('scl_elastic_workloads') as w
    join facts.workloads_at as s on s.as_of = w.as_of and s.grain = w.grain
),

items as (
    select
        team_id, as_of, grain, workload_id as item_id, cast(null as timestamptz) as item_at,
        cast(is_spread and has_resource_requests and is_sized as integer) as numerator, 1 as denominator,
        case
            when not is_spread then 'not spread' when not has_resource_requests then 'no resource requests'
            when not is_sized then 'fixed size' when numerator is null then 'not known' when can_grow then 'autoscaled'
            else 'approved size'
        end as detail,
        completeness
    from judged
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

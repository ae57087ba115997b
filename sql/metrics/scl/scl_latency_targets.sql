-- title = { nb = "Fastsatte svartidsmål", en = "Latency targets set" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.0
-- krav = 0.8
-- mal = 1.0
-- weight = 2
-- obligations = ["O41"]
-- needs = ["latency_daily"]
-- when_empty = "not_applicable"
-- formula.nb = "kritikalitetsvekt av tjenester med et gyldig svartidsmål / kritikalitetsvekt av alle tjenester"
-- formula.en = "criticality weight of services with a valid latency SLO / criticality weight of all services"
-- why.nb = "Uten et mål vet ingen om svartiden er god nok; å sette det er noe annet enn å nå det."
-- why.en = "Without a target nobody knows whether latency is good enough; setting one is not the same as keeping it."
-- remedy.nb = "Avtal et svartidsmål med eieren av tjenesten, eller søk om unntak for jobber uten brukere som venter."
-- remedy.en = "Agree on a latency SLO with the service's owner, or have jobs that nobody waits for exempted."
-- effort = "S"
-- version = 1
with items as (
    select
        o.team_id, o.as_of, o.grain, o.service_id as item_id, l.valid_from_at as item_at,
        cast(l.service_id is not null as integer) * o.criticality_weight as numerator,
        o.criticality_weight as denominator,
        case when l.service_id is null then 'no latency SLO' else 'SLO ' || l.target end as detail, o.completeness
    from macros.owned_services('scl_latency_targets') as o
    left join ref.slos as l
        on
            l.service_id = o.service_id and l.kind = 'latency' and l.valid_from_at < o.as_of
            and l.valid_to_at >= o.as_of
    -- Who has just taken a service over has time to agree on one.
    where l.service_id is not null or o.owned_since + interval 90 day <= o.as_of
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

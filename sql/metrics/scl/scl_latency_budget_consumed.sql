-- title = { nb = "Svartidsbudsjett brukt", en = "Latency SLO budget consumed" }
-- unit = "budgets"
-- kind = "census"
-- entity = true
-- window = "90d"
-- floor = 3.0
-- krav = 1.0
-- mal = 0.8
-- weight = 3
-- obligations = ["O01", "O41"]
-- needs = ["latency_daily"]
-- when_empty = "not_applicable"
-- formula.nb = "forespørsler tregere enn grensen / (gyldige forespørsler × (1 − svartidsmål)), per tjeneste"
-- formula.en = "requests slower than the threshold / (valid requests × (1 − latency SLO)), per service"
-- why.nb = "Svartidsmålet er et løfte til brukerne; budsjettet er hvor mye av det som er brukt."
-- why.en = "The latency SLO is a promise to users; the budget is how much of it is spent."
-- remedy.nb = "Profiler det tregeste endepunktet; legg til mellomlager eller indeks; skaler ut."
-- remedy.en = "Profile the slowest endpoint; add a cache or an index; scale out."
-- effort = "M"
-- worst_value = true
-- version = 3
with items as (
    select
        o.team_id, o.as_of, o.grain, o.service_id as entity_id, o.criticality_weight as entity_weight,
        o.service_id || ' ' || o.day as item_id, o.starts_at as item_at,
        cast(q.slow_count as decimal(38, 12)) as numerator,
        cast(q.valid_count * (1 - o.target) as decimal(38, 12)) as denominator,
        'SLO ' || o.target as detail,
        cast(q.valid_count is not null as integer) as known_days, 1 as all_days,
        coalesce(q.valid_count > 0, false) as says_something, q.valid_count, 1 - o.target as allowed
    from macros.slo_days('scl_latency_budget_consumed', 'latency') as o
    left join facts.latency_daily as q on q.service_id = o.service_id and q.day = o.day
    window of_service as (partition by o.team_id, o.as_of, o.grain, o.service_id)
    -- A service that nobody asked for anything has neither kept nor broken its promise: no opportunity (method 3.3).
    qualify
        max(q.valid_count) over of_service > 0 or count(q.valid_count) over of_service < 0.9 * count(*) over of_service
)

select
    team_id, as_of, grain, entity_id, any_value(entity_weight) as entity_weight,
    unnest(macros.ratio(numerator, denominator)),
    count(item_at) as sample_size,
    -- Where nobody is known to have asked for anything, of the days that are not known nothing follows.
    case when bool_or(says_something) then sum(known_days) / sum(all_days) else 0 end as completeness,
    -- As if on unknown days as much was asked for as on the others, and all of it was slow.
    (sum(numerator) + avg(valid_count) * count(*) filter (known_days = 0)) / nullif(
        sum(denominator) + avg(valid_count) * coalesce(sum(allowed) filter (known_days = 0), 0), 0
    ) as worst_value
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id

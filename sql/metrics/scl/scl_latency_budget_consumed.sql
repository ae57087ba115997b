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
-- formula = { nb = "forespørsler tregere enn grensen / (gyldige forespørsler × (1 − svartidsmål)), per tjeneste", en = "requests slower than the threshold / (valid requests × (1 − latency SLO)), per service" }
-- why = { nb = "Svartidsmålet er et løfte til brukerne; budsjettet er hvor mye av det som er brukt.", en = "The latency SLO is a promise to users; the budget is how much of it is spent." }
-- remedy = { nb = "Profilér tregeste endepunkt; legg til mellomlager eller indeks; skaler ut.", en = "Profile the slowest endpoint; add a cache or an index; scale out." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'scl_latency_budget_consumed'
),
owned as (
    select o.*, w.starts_at
    from windows as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
),
measured as (
    select o.team_id, o.as_of, o.grain, o.service_id, o.criticality_weight, c.day, c.starts_at, s.target,
        q.valid_count, q.slow_count
    from owned as o
    join ref.calendar as c on c.starts_at >= o.starts_at and c.starts_at < o.as_of
    join ref.slos as s
        on s.service_id = o.service_id and s.kind = 'latency'
        and c.starts_at >= s.valid_from_at and c.starts_at < s.valid_to_at
    left join facts.latency_daily as q on q.service_id = o.service_id and q.day = c.day
),
items as (
    select team_id, as_of, grain, service_id as entity_id, criticality_weight as entity_weight,
        service_id || ' ' || day as item_id, starts_at as item_at,
        cast(coalesce(slow_count, 0) as decimal(18, 6)) as numerator,
        cast(coalesce(valid_count, 0) * (1 - target) as decimal(18, 6)) as denominator,
        'SLO ' || target as detail,
        cast(valid_count is not null as integer) as known_days, 1 as all_days
    from measured
    union all
    -- A service without latency SLO gets no budget and so 0 points, 90 days after the team took it over.
    select o.team_id, o.as_of, o.grain, o.service_id, o.criticality_weight, o.service_id, null, 0, 0,
        'no latency SLO', 1, 1
    from owned as o
    where o.owned_since + interval 90 day <= o.as_of
        and not exists (
            select 1 from ref.slos as s
            where s.service_id = o.service_id and s.kind = 'latency'
                and s.valid_from_at < o.as_of and s.valid_to_at > o.starts_at
        )
)
select team_id, as_of, grain, entity_id, any_value(entity_weight) as entity_weight,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(item_at) as sample_size, sum(known_days) / sum(all_days) as completeness
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id

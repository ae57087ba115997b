-- title = { nb = "Feilbudsjett brukt", en = "Error budget consumed" }
-- unit = "budgets"
-- kind = "census"
-- entity = true
-- window = "90d"
-- floor = 3.0
-- krav = 1.0
-- mal = 0.8
-- weight = 4
-- obligations = ["O01", "O36"]
-- needs = ["availability_checks"]
-- when_empty = "not_applicable"
-- formula.nb = "minutter nede / (gyldige minutter × (1 − tjenestemål)), per tjeneste"
-- formula.en = "minutes down / (valid minutes × (1 − SLO)), per service"
-- why.nb = "Tjenestemålet er et løfte til brukerne; feilbudsjettet er hvor mye av det som er brukt."
-- why.en = "The SLO is a promise to users; the error budget is how much of it is spent."
-- remedy.nb = "Stopp risikable endringer til forbruket er under 1; velg pålitelighetstiltak fra siste etterevaluering."
-- remedy.en = "Stop risky changes until consumption is below 1; choose reliability work from the last post mortem."
-- effort = "L"
-- version = 2
with measured as (
    select
        o.*, epoch_us(o.ends_at - o.starts_at) / 60e6 as day_minutes, a.known_minutes, a.valid_minutes, a.down_minutes
    from macros.slo_days('inc_error_budget_consumed', 'availability') as o
    left join facts.availability_daily as a on a.service_id = o.service_id and a.day = o.day
),

items as (
    select
        team_id, as_of, grain, service_id as entity_id, criticality_weight as entity_weight,
        service_id || ' ' || day as item_id, starts_at as item_at,
        cast(coalesce(down_minutes, 0) as decimal(38, 12)) as numerator,
        cast(coalesce(valid_minutes, 0) * (1 - target) as decimal(38, 12)) as denominator,
        'SLO ' || target as detail,
        cast(coalesce(known_minutes, 0) as decimal(18, 6)) as known_minutes,
        cast(day_minutes as decimal(18, 6)) as day_minutes
    from measured
    union all
    -- A service without SLO gets no budget and so 0 points, 90 days after the team took it over.
    select
        o.team_id, o.as_of, o.grain, o.service_id, o.criticality_weight, o.service_id, null, 0, 0, 'no SLO',
        1, 1
    from macros.owned_services('inc_error_budget_consumed') as o
    where
        o.owned_since + interval 90 day <= o.as_of
        and not exists (
            select 1 from ref.slos as l
            where
                l.service_id = o.service_id and l.kind = 'availability' and l.valid_from_at < o.as_of
                and l.valid_to_at > o.starts_at
        )
)

select
    team_id, as_of, grain, entity_id, any_value(entity_weight) as entity_weight,
    unnest(macros.ratio(numerator, denominator)),
    count(item_at) as sample_size, least(1, sum(known_minutes) / nullif(sum(day_minutes), 0)) as completeness
from items
group by team_id, as_of, grain, entity_id
order by team_id, grain, as_of, entity_id

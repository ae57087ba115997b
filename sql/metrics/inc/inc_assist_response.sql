-- title = { nb = "Svar på bistand", en = "Assist requests answered in time" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.5
-- krav = 0.8
-- mal = 0.95
-- weight = 1
-- n_full = 10
-- obligations = ["O33"]
-- needs = ["assist_requests"]
-- when_empty = "no_opportunity"
-- formula = { nb = "forespørsler besvart av et menneske innen 30 minutter / forespørsler fra andre team i pålagt vakttid", en = "requests answered by a person within 30 minutes / requests from other teams during required duty" }
-- why = { nb = "Hendelser krysser teamgrenser; den som spør om hjelp, må få svar.", en = "Incidents cross team borders; who asks for help must get an answer." }
-- remedy = { nb = "Avtal kontaktpunkt og svartid mellom teamene.", en = "Agree on a contact point and a response time between the teams." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_assist_response'
),
items as (
    select a.to_team_id as team_id, w.as_of, w.grain, a.request_id as item_id, a.asked_at as item_at,
        cast(coalesce(a.answered_at <= a.asked_at + interval 30 minute, false) as integer) as numerator,
        1 as denominator, 'from ' || a.from_team_id as detail, w.completeness
    from windows as w
    join facts.assist_requests as a on a.asked_at >= w.starts_at and a.asked_at < w.as_of
    where a.is_on_duty
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

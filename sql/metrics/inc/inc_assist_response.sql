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
-- rests_on = ["assist_requests.answered_at"]
-- when_empty = "no_opportunity"
-- formula.nb = "forespørsler besvart av et menneske innen 30 minutter / forespørsler fra andre team i pålagt vakttid"
-- formula.en = "requests answered by a person within 30 minutes / requests from other teams during required duty"
-- why.nb = "Hendelser krysser teamgrenser; den som spør om hjelp, må få svar."
-- why.en = "Incidents cross team borders; who asks for help must get an answer."
-- remedy.nb = "Avtal kontaktpunkt og svartid mellom teamene."
-- remedy.en = "Agree on a contact point and a response time between the teams."
-- effort = "S"
-- version = 2
with items as (
    select
        a.to_team_id as team_id, w.as_of, w.grain, a.request_id as item_id, a.asked_at as item_at,
        macros.kept(
            a.answered_at <= a.asked_at + interval 30 minute and a.answered_at < w.as_of,
            macros.told(a.untold, 'answered_at')
        ) as numerator,
        1 as denominator, 'from ' || a.from_team_id as detail, w.completeness
    from macros.metric_windows('inc_assist_response') as w
    join facts.assist_requests as a on macros.within(a.asked_at, w.starts_at, w.as_of)
    -- Nobody has answered and there is still time: not due.
    where a.is_on_duty and (a.answered_at < w.as_of or a.asked_at + interval 30 minute < w.as_of)
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

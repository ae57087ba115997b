-- title = { nb = "Kjente feil dokumentert", en = "Known-error and runbook coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.4
-- krav = 0.9
-- mal = 1.0
-- weight = 2
-- obligations = ["O3A"]
-- needs = ["alert_rule_states", "incidents", "documents"]
-- when_empty = "not_applicable"
-- formula = { nb = "vaktregler og gjentatte feil med fullstendig side gjennomgått siste 365 dager / vaktregler og feil med minst to hendelser på 180 dager", en = "paging rules and repeated faults with a complete page reviewed in the last 365 days / paging rules and faults with at least two incidents in 180 days" }
-- why = { nb = "Vakten skal finne ut hva som skal gjøres uten å vekke dem som vet det.", en = "The duty shall find out what to do without waking those who know." }
-- remedy = { nb = "Skriv rutine for de fem varslene døgnvakten oftest får.", en = "Write a runbook for the five alerts that the 24/7 duty gets most often." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_known_error_docs'
),
subjects as (
    select as_of, grain, team_id, service_id, rule_id as subject_id, 'rule' as detail
    from facts.alert_rules_at where is_enabled and is_paging
    union all
    select o.as_of, o.grain, o.team_id, i.service_id, i.signature, 'repeated fault'
    from ref.owned_services as o
    join facts.incidents as i
        on i.service_id = o.service_id and i.declared_at < o.as_of and i.declared_at >= o.as_of - interval 180 day
    where i.signature is not null and not i.is_exercise
    group by o.as_of, o.grain, o.team_id, i.service_id, i.signature
    having count(*) >= 2
),
items as (
    select s.team_id, s.as_of, s.grain, s.service_id || ': ' || s.subject_id as item_id,
        max(d.reviewed_at) as item_at,
        cast(coalesce(max(d.reviewed_at) >= s.as_of - interval 365 day, false) as integer) as numerator,
        1 as denominator, s.detail, any_value(w.completeness) as completeness
    from windows as w
    join subjects as s on s.as_of = w.as_of and s.grain = w.grain
    left join facts.documents as d
        on d.kind = 'known_error' and d.subject_id = s.subject_id and d.is_complete and d.reviewed_at < s.as_of
        and (d.service_id is null or d.service_id = s.service_id)
    group by s.team_id, s.as_of, s.grain, s.service_id, s.subject_id, s.detail
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

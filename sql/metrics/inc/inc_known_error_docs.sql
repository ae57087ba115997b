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
-- rests_on = [
--     "alert_rule_states.is_paging", "documents.subject_id", "documents.service_id", "incidents.is_exercise",
--     "incidents.signature",
-- ]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     vaktregler og gjentatte feil med fullstendig side gjennomgått siste 365 dager / vaktregler og feil med minst to \
--     hendelser på 180 dager"""
-- formula.en = """\
--     paging rules and repeated faults with a complete page reviewed in the last 365 days / paging rules and faults \
--     with at least two incidents in 180 days"""
-- why.nb = "Vakten skal finne ut hva som skal gjøres uten å vekke dem som vet det."
-- why.en = "The duty shall find out what to do without waking those who know."
-- remedy.nb = "Skriv rutine for de fem varslene døgnvakten oftest får."
-- remedy.en = "Write a runbook for the five alerts that the 24/7 duty gets most often."
-- effort = "M"
-- version = 2
with
-- Incidents whose source cannot tell what kind of fault it was may be of one kind: that is one thing not known.
faults as (
    select
        o.as_of, o.grain, o.team_id, i.service_id, coalesce(lower(i.signature), 'kind of fault not told') as subject_id,
        'repeated fault' as detail,
        lower(i.signature) is not null and count(*) filter (not i.is_exercise) >= 2 as is_subject
    from ref.owned_services as o
    join facts.incidents as i
        on i.service_id = o.service_id and i.declared_at < o.as_of and i.declared_at >= o.as_of - interval 180 day
    where
        (i.signature is not null or not macros.told(i.untold, 'signature')) and i.is_exercise is distinct from true
    group by o.as_of, o.grain, o.team_id, i.service_id, lower(i.signature)
    having count(*) >= 2
),

subjects as (
    select as_of, grain, team_id, service_id, rule_id as subject_id, 'rule' as detail, is_paging as is_subject
    from facts.alert_rules_at where is_enabled and is_paging is distinct from false
    union all
    select as_of, grain, team_id, service_id, subject_id, detail, nullif(is_subject, false) from faults
),

-- A page of which the register does not tell subject or service may be about any of them.
pages as (
    select
        s.*, max(d.reviewed_at) filter (
            lower(d.subject_id) = lower(s.subject_id) and (d.is_general or d.service_id = s.service_id)
        ) as reviewed_at,
        bool_or(d.reviewed_at >= s.as_of - interval 365 day) as has_candidate
    from subjects as s
    left join facts.documents as d
        on
            d.kind = 'known_error' and d.is_complete and d.reviewed_at < s.as_of
            and (lower(d.subject_id) = lower(s.subject_id) or not macros.told(d.untold, 'subject_id'))
            and (d.service_id = s.service_id or d.is_general is distinct from false)
    group by all
),

items as (
    select
        p.team_id, p.as_of, p.grain, p.service_id || ': ' || p.subject_id as item_id, p.reviewed_at as item_at,
        macros.kept(
            p.reviewed_at >= p.as_of - interval 365 day,
            p.is_subject and (
                coalesce(p.reviewed_at >= p.as_of - interval 365 day, false) or not coalesce(p.has_candidate, false)
            )
        ) as numerator,
        1 as denominator, p.detail, w.completeness
    from macros.metric_windows('inc_known_error_docs') as w
    join pages as p on p.as_of = w.as_of and p.grain = w.grain
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

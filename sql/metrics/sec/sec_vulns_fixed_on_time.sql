-- title = { nb = "Sårbarheter rettet i tide", en = "Vulnerabilities fixed on time" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.5
-- krav = 0.9
-- mal = 0.98
-- weight = 4
-- n_full = 30
-- obligations = ["O01", "O23", "O53"]
-- needs = ["vulnerabilities"]
-- when_empty = "no_opportunity"
-- formula = { nb = "sårbarheter rettet innen fristen / alle med frist i perioden, åpne medregnet", en = "vulnerabilities fixed by the due date / all due in the window, open ones included" }
-- why = { nb = "Fristen følger av hvor utsatt og utnyttet sårbarheten er.", en = "The deadline follows from how exposed and exploited the vulnerability is." }
-- remedy = { nb = "Rett eksponert og aktivt utnyttet først; automatiser oppdateringene; ev. kompenserende tiltak samme dag.", en = "Fix exposed and exploited ones first; automate the updates; else compensate the same day." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'sec_vulns_fixed_on_time'
),
states as (
    -- Only what was in force at the instant; a later upgrade can shorten the deadline, never lengthen it.
    select w.as_of, w.grain, w.starts_at, w.completeness, v.vulnerability_id,
        any_value(v.service_id) as service_id, min(v.detected_at) as detected_at, min(v.due_at) as due_at,
        bool_or(v.is_urgent) as is_urgent, arg_max(v.tier, v.effective_at) as tier,
        -- The newest state knows best whether it was mended.
        arg_max(coalesce(v.fixed_at, 'infinity'::timestamptz), v.effective_at) as fixed_at
    from windows as w
    join facts.vulnerabilities as v on v.effective_at < w.as_of
    group by w.as_of, w.grain, w.starts_at, w.completeness, v.vulnerability_id
),
items as (
    select o.team_id, s.as_of, s.grain, s.vulnerability_id as item_id, s.due_at as item_at,
        cast(s.fixed_at < s.due_at as integer) as numerator, 1 as denominator, s.tier as detail, s.completeness
    from states as s
    join ref.service_owners as o
        on o.service_id = s.service_id and s.due_at > o.valid_from_at and s.due_at <= o.valid_to_at
    where s.due_at > s.starts_at and s.due_at <= s.as_of
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

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
-- formula.nb = "sårbarheter rettet innen fristen / alle med frist i perioden, åpne medregnet"
-- formula.en = "vulnerabilities fixed by the due date / all due in the window, open ones included"
-- why.nb = "Fristen følger av hvor utsatt og utnyttet sårbarheten er."
-- why.en = "The deadline follows from how exposed and exploited the vulnerability is."
-- remedy.nb = """\
--     Rett eksponert og aktivt utnyttet først; automatiser oppdateringene; ev. kompenserende tiltak samme dag."""
-- remedy.en = "Fix exposed and exploited ones first; automate the updates; else compensate the same day."
-- effort = "M"
-- rests_on = [
--     "vulnerabilities.fixed_at", "vulnerabilities.is_exploited", "vulnerabilities.is_exposed",
--     "vulnerabilities.is_automatable", "vulnerabilities.is_total_impact",
-- ]
-- version = 2
with due as (
    select
        *,
        -- The longest deadline is 60 days: what is older has none, or had it before.
        coalesce(latest_due_at, detected_at + interval 61 day) as last_due_at,
        due_at > starts_at and coalesce(latest_due_at <= as_of, false) as is_due
    from macros.vulnerabilities_at('sec_vulns_fixed_on_time')
),

items as (
    select
        o.team_id, s.as_of, s.grain, s.vulnerability_id as item_id, s.due_at as item_at,
        -- Due under every tier that is possible, and in time by the strictest or late even by the mildest.
        case
            when s.is_due and s.fixed_at < s.due_at then 1
            when s.is_due and s.knows_fix and s.fixed_at >= s.latest_due_at then 0
        end as numerator,
        1 as denominator, s.tier as detail, s.completeness
    from due as s
    join ref.service_owners as o
        on
            o.service_id = s.service_id and greatest(s.due_at, s.starts_at + interval 1 microsecond) > o.valid_from_at
            and greatest(s.due_at, s.starts_at + interval 1 microsecond) <= o.valid_to_at
    where s.due_at <= s.as_of and s.last_due_at > s.starts_at
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

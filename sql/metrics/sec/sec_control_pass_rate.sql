-- title = { nb = "Sikkerhetstiltak på plass", en = "Security baseline pass rate" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.6
-- krav = 0.9
-- mal = 0.98
-- weight = 3
-- obligations = ["O51"]
-- needs = ["control_results"]
-- when_empty = "not_applicable"
-- formula.nb = """\
--     risikovekt av beståtte kontroller / risikovekt av kontroller med svar (kritisk 10, høy 7,5, middels 5, lav \
--     2,5); uavklarte senker dekningen"""
-- formula.en = """\
--     risk weight of passed controls / risk weight of controls with an answer (critical 10, high 7.5, medium 5, low \
--     2.5); inconclusive ones lower completeness"""
-- why.nb = "Applikasjoner og data skal beskyttes av tiltak som virker."
-- why.en = "Applications and data shall be protected by controls that work."
-- remedy.nb = "Rett kritiske kontroller som feiler; plattformen tilbyr sikre standardvalg."
-- remedy.en = "Fix failed critical controls; the platform offers secure defaults."
-- effort = "M"
-- version = 2
with items as (
    select
        c.team_id, c.as_of, c.grain, c.control_id || ' ' || c.asset_id as item_id,
        cast(null as timestamptz) as item_at,
        case c.status when 'passed' then c.risk_weight when 'failed' then 0 end as numerator,
        c.risk_weight as denominator, c.risk || ': ' || c.status as detail, w.completeness
    from macros.metric_windows('sec_control_pass_rate') as w
    join facts.controls_at as c on c.as_of = w.as_of and c.grain = w.grain
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

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
-- formula = { nb = "risikovekt av beståtte kontroller / risikovekt av kontroller med svar (kritisk 10, høy 7,5, middels 5, lav 2,5); uavklarte senker dekningen", en = "risk weight of passed controls / risk weight of controls with an answer (critical 10, high 7.5, medium 5, low 2.5); inconclusive ones lower completeness" }
-- why = { nb = "Applikasjoner og data skal beskyttes av tiltak som virker.", en = "Applications and data shall be protected by controls that work." }
-- remedy = { nb = "Rett kritiske kontroller som feiler; plattformen tilbyr sikre standardvalg.", en = "Mend failed critical controls; the platform offers secure defaults." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'sec_control_pass_rate'
),
judged as (
    select c.*, sum(c.risk_weight) filter (c.status <> 'inconclusive') over by_team
        / sum(c.risk_weight) over by_team as conclusive
    from facts.controls_at as c
    window by_team as (partition by c.team_id, c.as_of, c.grain)
),
items as (
    select c.team_id, c.as_of, c.grain, c.control_id || ' ' || c.asset_id as item_id,
        cast(null as timestamptz) as item_at,
        case when c.status = 'passed' then c.risk_weight else 0 end as numerator,
        case when c.status = 'inconclusive' then 0 else c.risk_weight end as denominator,
        c.risk || ': ' || c.status as detail, w.completeness * coalesce(c.conclusive, 0) as completeness
    from windows as w
    join judged as c on c.as_of = w.as_of and c.grain = w.grain
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

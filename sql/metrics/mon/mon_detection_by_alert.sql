-- title = { nb = "Oppdaget av varsel først", en = "Detected by alert first (recall)" }
-- unit = "share"
-- kind = "sample"
-- window = "180d"
-- floor = 0.4
-- krav = 0.75
-- mal = 0.95
-- weight = 3
-- n_full = 10
-- obligations = ["O14"]
-- needs = ["alerts", "incidents"]
-- when_empty = "no_opportunity"
-- formula = { nb = "hendelser der et varsel kom før den første meldingen / alle som ble løst i perioden eller fortsatt er åpne", en = "incidents where an alert came before the first report / all resolved in the window or still open" }
-- why = { nb = "Brukerne skal ikke være de første som merker at noe er galt.", en = "Users should not be the first to notice that something is wrong." }
-- remedy = { nb = "Gå gjennom hendelser meldt av brukere: hvilket varsel manglet? Opprett det som korrigerende tiltak.", en = "Go through incidents reported by users: which alert was missing? Make it a corrective action." }
-- effort = "M"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'mon_detection_by_alert'
),
items as (
    select i.team_id, w.as_of, w.grain, i.incident_id as item_id, coalesce(i.resolved_at, i.declared_at) as item_at,
        -- Neither alert nor report known counts as not detected by alert.
        cast(coalesce(i.first_alert_at <= coalesce(i.first_report_at, i.first_alert_at), false) as integer) as numerator,
        1 as denominator, 'SEV' || i.severity as detail, w.completeness
    from windows as w
    -- Resolved in the window or still open at its end: leaving an incident open takes it out of nothing (ADR 0010).
    join facts.incidents as i on i.declared_at < w.as_of and coalesce(i.resolved_at >= w.starts_at, true)
    where i.severity <= 3 and not i.is_exercise
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

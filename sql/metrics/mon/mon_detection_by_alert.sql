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
-- rests_on = ["incidents.first_alert_at", "incidents.first_report_at", "incidents.is_exercise"]
-- better_with = ["incidents.resolved_at"]
-- when_empty = "no_opportunity"
-- formula.nb = """\
--     hendelser der et varsel kom før den første meldingen / alle som ble løst i perioden eller fortsatt er åpne"""
-- formula.en = "incidents where an alert came before the first report / all resolved in the window or still open"
-- why.nb = "Brukerne skal ikke være de første som merker at noe er galt."
-- why.en = "Users should not be the first to notice that something is wrong."
-- remedy.nb = "Gå gjennom hendelser meldt av brukere: hvilket varsel manglet? Opprett det som korrigerende tiltak."
-- remedy.en = "Go through incidents reported by users: which alert was missing? Make it a corrective action."
-- effort = "M"
-- version = 2
with judged as (
    select
        i.*, w.as_of, w.grain, w.completeness,
        case when i.first_alert_at < w.as_of then i.first_alert_at end as alert_at,
        case when i.first_report_at < w.as_of then i.first_report_at end as report_at
    from macros.metric_windows('mon_detection_by_alert') as w
    join facts.incidents as i on macros.concerns(i.declared_at, i.resolved_at, i.untold, w.starts_at, w.as_of)
    where i.severity <= 3 and i.is_exercise is distinct from true
),

items as (
    select
        team_id, as_of, grain, incident_id as item_id, coalesce(resolved_at, declared_at) as item_at,
        -- Neither an alert nor a report counts as not detected by alert.
        macros.kept(
            alert_at <= coalesce(report_at, alert_at),
            macros.told(untold, 'first_alert_at') and macros.told(untold, 'first_report_at') and not is_exercise
        ) as numerator,
        1 as denominator, 'SEV' || severity as detail, completeness
    from judged
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

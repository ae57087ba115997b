-- title = { nb = "Kvittert innen frist", en = "Acknowledged within target" }
-- unit = "share"
-- kind = "sample"
-- window = "90d"
-- floor = 0.6
-- krav = 0.9
-- mal = 0.97
-- weight = 3
-- n_full = 30
-- obligations = ["O32"]
-- needs = ["alerts", "oncall_shifts"]
-- when_empty = "no_opportunity"
-- formula = { nb = "varsler kvittert av et menneske innen fristen (5 eller 30 minutter) / varsler i vakttiden", en = "pages acknowledged by a person in time (5 or 30 minutes) / pages during duty" }
-- why = { nb = "Vakten skal følge med på alarmer og sette i gang feilretting.", en = "The duty shall watch alarms and start repairs." }
-- remedy = { nb = "Sjekk ruting, telefonoppsett og eskalering; reduser støy først.", en = "Check routing, phones and escalation; reduce noise first." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'inc_ack_within_target'
),
pages as (
    select a.*, case when a.severity = 1 or d.coverage = 'always' then 5 else 30 end as target_minutes
    from facts.alerts as a
    join ref.oncall_duties as d
        on d.team_id = a.team_id and a.fired_at >= d.valid_from_at and a.fired_at < d.valid_to_at
    join ref.calendar as c on a.fired_at >= c.starts_at and a.fired_at < c.ends_at
    where d.coverage = 'always'
        or (d.coverage = 'working_hours' and c.is_working_day
            and a.fired_at >= c.work_starts_at and a.fired_at < c.work_ends_at)
),
items as (
    select p.team_id, w.as_of, w.grain, p.alert_id as item_id, p.fired_at as item_at,
        cast(coalesce(
            p.acknowledged_by_kind = 'human'
            and p.acknowledged_at <= p.fired_at + p.target_minutes * interval 1 minute, false
        ) as integer) as numerator,
        1 as denominator, p.rule_id || ': ' || p.target_minutes || ' min' as detail, w.completeness
    from windows as w
    join pages as p on p.fired_at >= w.starts_at and p.fired_at < w.as_of
    -- Gone by itself before anybody had to answer: noise, counted by mon_alert_precision.
    where not coalesce(
        p.acknowledged_at is null and p.closed_at <= p.fired_at + p.target_minutes * interval 1 minute, false
    )
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

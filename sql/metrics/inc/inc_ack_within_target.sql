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
-- rests_on = [
--     "alerts.acknowledged_at",
--     "alerts.acknowledged_by_kind",
--     "alerts.closed_at",
--     "alerts.severity",
--     "alerts.is_test",
-- ]
-- when_empty = "no_opportunity"
-- formula.nb = "varsler kvittert av et menneske innen fristen (5 eller 30 minutter) / varsler i vakttiden"
-- formula.en = "pages acknowledged by a person in time (5 or 30 minutes) / pages during duty"
-- why.nb = "Vakten skal følge med på alarmer og sette i gang feilretting."
-- why.en = "The duty shall watch alarms and start repairs."
-- remedy.nb = "Sjekk ruting, telefonoppsett og eskalering; reduser støy først."
-- remedy.en = "Check routing, phones and escalation; reduce noise first."
-- effort = "S"
-- version = 2
with pages as (
    select
        a.*,
        -- Of a page whose severity is not known either limit may hold.
        case when d.coverage = 'always' or a.severity <= 1 or a.severity is null then 5 else 30 end as least_minutes,
        case when d.coverage = 'always' or a.severity <= 1 then 5 else 30 end as most_minutes,
        macros.told(a.untold, 'acknowledged_at') and macros.told(a.untold, 'acknowledged_by_kind')
        and macros.told(a.untold, 'closed_at') and a.is_test is not null as is_known
    from facts.alerts as a
    join ref.oncall_duties as d
        on d.team_id = a.team_id and macros.within(a.fired_at, d.valid_from_at, d.valid_to_at)
    -- Working hours in another zone may cross our midnight: whose day it is here says nothing.
    left join macros.work_days() as c
        on c.team_id = a.team_id and c.is_working_day and macros.within(a.fired_at, c.work_starts_at, c.work_ends_at)
    where d.coverage = 'always' or (d.coverage = 'working_hours' and c.day is not null)
),

judged as (
    select
        p.*, w.as_of, w.grain, w.completeness,
        p.fired_at + p.least_minutes * interval 1 minute as least_at,
        p.fired_at + p.most_minutes * interval 1 minute as most_at,
        case when p.acknowledged_at < w.as_of then p.acknowledged_at end as answered_at,
        p.acknowledged_by_kind = 'human' as is_human
    from macros.metric_windows('inc_ack_within_target') as w
    join pages as p on macros.within(p.fired_at, w.starts_at, w.as_of)
),

items as (
    select
        team_id, as_of, grain, alert_id as item_id, fired_at as item_at,
        macros.kept(
            is_human and answered_at <= least_at,
            is_known
            -- Who answered says nothing of an answer that came too late.
            and (answered_at is null or acknowledged_by_kind is not null or answered_at > most_at)
            and not coalesce(is_human and answered_at > least_at and answered_at <= most_at, false)
            and not coalesce((answered_at is null or answered_at > most_at) and closed_at <= most_at, false)
        ) as numerator,
        1 as denominator,
        rule_id || ': ' || least_minutes || case when most_minutes > least_minutes then ' or 30' else '' end || ' min'
            as detail,
        completeness
    from judged
    where
        -- Nobody has answered and there is still time: not due.
        (answered_at is not null or most_at < as_of)
        -- Gone by itself before anybody had to answer: noise, counted by mon_alert_precision. Who acknowledges it after
        -- that, as a note, has missed nothing.
        and not coalesce(
            macros.told(untold, 'acknowledged_at') and (answered_at is null or answered_at > least_at)
            and closed_at <= least_at,
            false
        )
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

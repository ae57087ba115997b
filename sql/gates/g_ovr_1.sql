-- title = "G-OVR-1: a critical service without availability monitoring for more than 7 days"
-- key = ["team_id", "as_of", "grain"]
-- area = "mon"
-- cap = 2
-- lifted_by = "mon_signal_coverage"
-- needs = ["availability_checks"]
-- reason.nb = "{} [n:kritisk tjeneste|kritiske tjenester] uten tilgjengelighetsmåling i over 7 dager"
-- reason.en = "{} critical [n:service|services] without availability monitoring for more than 7 days"
-- [columns]
-- team_id = "Team"
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- finding_count = "Findings; above 0 trips the gate"
with
-- Days on which the source delivered; a silent source is our failure, not the team's.
delivered as (select day from meta.delivered_days where stream = 'availability_checks'),

watched as (
    select
        o.as_of, o.grain, o.team_id, o.service_id,
        count(d.day) as delivered_days, count(a.day) as watched_days
    from ref.owned_services as o
    join delivered as d on d.day > o."on" - 8 and d.day <= o."on"
    -- Who has just taken a service over has not yet left it unwatched.
    join ref.calendar as c on c.day = d.day and c.starts_at >= o.owned_since
    left join macros.told_from('availability_checks') as k on k.team_id = o.team_id
    left join facts.availability_daily as a
        on a.service_id = o.service_id and a.day = d.day and a.known_minutes > 0
    where o.criticality = 'critical' and (k.told_from <= d.day) is not false
    group by o.as_of, o.grain, o.team_id, o.service_id
)

select team_id, as_of, grain, count(*) as finding_count
from watched
where delivered_days >= 8 and watched_days = 0
group by team_id, as_of, grain
order by team_id, grain, as_of

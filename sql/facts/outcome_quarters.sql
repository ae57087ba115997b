-- title = "Outcomes of each quarter for each team, per service: what practice is for (method 3.19)"
-- key = ["team_id", "as_of", "outcome"]
-- [columns]
-- team_id = "Team that owned the services on each day; of vulnerabilities, at the end"
-- as_of = "End of the quarter, UTC (exclusive)"
-- starts_at = "Start of the quarter, UTC: the end of the one before"
-- outcome = "down_minutes, major_incidents or overdue_vulnerabilities"
-- exposure = "Services of which it can be told: mean of the days, or those at the end; of down minutes, watched ones"
-- amount = "Minutes or number, of what is known"
-- value = """\
--     Down minutes per valid service-day (eligible maintenance left out), or incidents of severity 1 and 2 (exercises \
--     left out) or vulnerabilities past their due date per service; null = nothing was delivered"""
-- delivered = "Share of it that the sources told, 0..1: below 0.9 the value is not an outcome"
-- [ranges]
-- delivered = [0, 1]
with quarters as (
    select
        as_of, period_starts_at as starts_at, "on",
        round((epoch_us(as_of) - epoch_us(period_starts_at)) / 86400e6) as days
    from ref.as_of
    where grain = 'series_quarter'
),

held as (
    select
        q.*, o.team_id, o.service_id, c.day, (epoch_us(c.ends_at) - epoch_us(c.starts_at)) / 60e6 as day_minutes
    from quarters as q
    join ref.calendar as c on macros.within(c.starts_at, q.starts_at, q.as_of)
    join ref.service_owners as o on macros.within(c.starts_at, o.valid_from_at, o.valid_to_at)
),

-- A service that no monitor ever looked at has no down time to know; one whose monitors fell silent has.
watched as (
    select service_id, min(day) as first_on from facts.availability_daily group by service_id
),

down as (
    select
        h.team_id, h.as_of, h.starts_at, 'down_minutes' as outcome, count(*) / h.days as exposure,
        coalesce(sum(a.down_minutes), 0) as amount,
        sum(a.down_minutes) / nullif(sum(a.valid_minutes) / 1440, 0) as value,
        coalesce(sum(a.known_minutes), 0) / sum(h.day_minutes) as delivered
    from held as h
    join watched as w on w.service_id = h.service_id and w.first_on <= h."on"
    left join facts.availability_daily as a on a.service_id = h.service_id and a.day = h.day
    group by h.team_id, h.as_of, h.starts_at, h.days
),

-- Before a team's incidents are connected none are seen, which is not none.
services as (
    select
        h.team_id, h.as_of, h.starts_at, count(*) / h.days as exposure,
        count(*) filter (h.day >= s.connected_on) / count(*) as connected
    from held as h
    left join ref.team_streams as s on s.team_id = h.team_id and s.stream = 'incidents'
    group by h.team_id, h.as_of, h.starts_at, h.days
),

severe as (
    select
        i.team_id, q.as_of, count(*) filter (not i.is_exercise) as amount,
        macros.known_share(cast(i.is_exercise as integer), 1) as known
    from quarters as q
    join facts.incidents as i on macros.within(i.declared_at, q.starts_at, q.as_of)
    where i.severity <= 2
    group by i.team_id, q.as_of
),

-- The stream is whole where the metric that needs nothing else has the whole quarter.
major as (
    select
        h.team_id, h.as_of, h.starts_at, 'major_incidents', h.exposure, coalesce(i.amount, 0),
        coalesce(i.amount, 0) / h.exposure, least(h.connected, coalesce(w.completeness, 0)) * coalesce(i.known, 1)
    from services as h
    left join severe as i on i.team_id = h.team_id and i.as_of = h.as_of
    left join facts.measured_windows as w
        on w.metric_id = 'inc_postmortem_on_time' and w.as_of = h.as_of and w.grain = 'series_quarter'
),

-- Open and past every deadline that is possible is overdue; past the strictest alone, or perhaps mended, is not known.
late as (
    select
        v.as_of, v.service_id, count(*) as possible,
        count(*) filter (v.latest_due_at <= v.as_of and v.knows_fix) as amount
    from macros.vulnerabilities_at('sec_overdue_exploited') as v
    where v.grain = 'series_month' and v.due_at <= v.as_of and v.fixed_at >= v.as_of
    group by v.as_of, v.service_id
),

overdue as (
    select
        o.team_id, q.as_of, q.starts_at, 'overdue_vulnerabilities', count(*) as exposure, coalesce(sum(l.amount), 0),
        coalesce(sum(l.amount), 0) / count(*),
        coalesce(any_value(w.completeness), 0) * cast(bool_or(s.connected_on <= q."on") is true as integer)
        * coalesce(sum(l.amount) / sum(l.possible), 1)
    from quarters as q
    join ref.owned_services as o on o.as_of = q.as_of and o.grain = 'series_quarter'
    left join late as l on l.service_id = o.service_id and l.as_of = q.as_of
    left join ref.team_streams as s on s.team_id = o.team_id and s.stream = 'vulnerabilities'
    left join facts.measured_windows as w
        on w.metric_id = 'sec_overdue_exploited' and w.as_of = q.as_of and w.grain = 'series_month'
    group by o.team_id, q.as_of, q.starts_at
),

together as (
    select * from down
    union all
    select * from major
    union all
    select * from overdue
)

select
    team_id, as_of, starts_at, outcome, cast(exposure as double) as exposure, cast(amount as double) as amount, value,
    delivered
from together
order by team_id, as_of, outcome

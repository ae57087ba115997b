-- title = "Every goal at every review since it was decided: closed or not, at which pace, when, and whether it is late"
-- key = ["team_id", "metric_id", "decided_on", "as_of", "grain"]
-- [columns]
-- team_id = "Team"
-- metric_id = "Metric"
-- decided_on = "Day of the decision"
-- due_on = "Day by which the gap is to be closed"
-- as_of = "Instant of the review, UTC"
-- grain = "month or latest"
-- points_then = "Points of the metric at the newest week end before the decision, 0..100; null = not measured"
-- points_now = "Points at the review; null = not measured"
-- aim_points = """\
--     60 (the requirement) where the metric was below it at the decision, else 100 (the target), which alone meets \
--     some requirements"""
-- is_closed = "points_now reach aim_points; null where nothing is measured"
-- expected_points = """\
--     Points of the team score that closing the gap was to bring: the register's, else what the gap was \
--     worth; null = neither is known"""
-- recovered_points = """\
--     Points of the team score that the metric gave since the month end before the decision, everything else held as \
--     it was (scores.change_metric); 0 where it did not move; null where points_then is"""
-- pace = "Points a week: median of all pairs of the last 13 week ends (Theil-Sen); null = too few, or nothing measured"
-- forecast_on = "Day on which that pace reaches the aim; null where it does not within two years"
-- slip_days = "forecast_on - due_on; positive is late; null where forecast_on is"
-- forecast = "closed, on_time, late, not_moving, or cannot_tell (fewer than 8 week ends, or nothing measured)"
with reviews as (
    select g.*, r.as_of, r.grain, r."on"
    from ref.goals as g
    join macros.shown_instants() as r on r."on" >= g.decided_on
),

weeks as (
    select s.team_id, s.metric_id, w."on", w.as_of, s.points, p.gain_if_met, p.gain_to_krav
    from scores.metric as s
    join ref.as_of as w on w.as_of = s.as_of and w.grain = s.grain
    left join scores.gap as p
        on p.team_id = s.team_id and p.metric_id = s.metric_id and p.as_of = s.as_of and p.grain = s.grain
    where s.grain = 'week' and (s.team_id, s.metric_id) in (select (team_id, metric_id) from ref.goals)
),

starts as (
    select g.team_id, g.metric_id, g.decided_on, w.points, w.gain_if_met, w.gain_to_krav
    from ref.goals as g
    join weeks as w on w.team_id = g.team_id and w.metric_id = g.metric_id and w."on" <= g.decided_on
    qualify row_number() over (partition by g.team_id, g.metric_id, g.decided_on order by w."on" desc) = 1
),

recent as (
    select r.team_id, r.metric_id, r.decided_on, r.as_of, r.grain, w."on", w.points
    from reviews as r
    join weeks as w
        on
            w.team_id = r.team_id and w.metric_id = r.metric_id and w.as_of <= r.as_of
            and w."on" > r."on" - interval 13 week
    where w.points is not null
),

paces as (
    select
        a.team_id, a.metric_id, a.decided_on, a.as_of, a.grain, count(distinct a."on") + 1 as week_count,
        median((b.points - a.points) * 7.0 / (b."on" - a."on")) as pace
    from recent as a
    join recent as b
        on
            b.team_id = a.team_id and b.metric_id = a.metric_id and b.decided_on = a.decided_on and b.as_of = a.as_of
            and b.grain = a.grain and b."on" > a."on"
    group by all
),

-- Steps that end after the decision, up to the review: what happened from the month end before it.
won as (
    select r.team_id, r.metric_id, r.decided_on, r.as_of, r.grain, sum(c.performance) as recovered_points
    from reviews as r
    join scores.change_metric as c on c.team_id = r.team_id and c.metric_id = r.metric_id and c.as_of <= r.as_of
    join ref.as_of as w on w.as_of = c.as_of and w.grain = c.grain and w."on" >= r.decided_on
    -- A latest day that ends a month is that month once more.
    where c.grain = 'month' or r.grain = 'latest' and c.as_of not in (from ref.as_of select as_of where grain = 'month')
    group by all
),

measured as (
    select
        r.*, s.points as points_then, n.points as points_now,
        if(s.points >= 60 or m.krav is null, 100.0, 60.0) as aim_points, p.pace, coalesce(p.week_count, 0) as weeks,
        coalesce(r.expected_points, if(s.points >= 60, s.gain_if_met, s.gain_to_krav)) as expected,
        o.recovered_points
    from reviews as r
    join meta.metrics as m using (metric_id)
    left join starts as s using (team_id, metric_id, decided_on)
    left join won as o using (team_id, metric_id, decided_on, as_of, grain)
    left join scores.metric as n
        on n.team_id = r.team_id and n.metric_id = r.metric_id and n.as_of = r.as_of and n.grain = r.grain
    left join paces as p
        on
            p.team_id = r.team_id and p.metric_id = r.metric_id and p.decided_on = r.decided_on and p.as_of = r.as_of
            and p.grain = r.grain
),

forecasts as (
    select
        *, points_now >= aim_points - 1e-9 as is_closed,
        -- Days to go at this pace; further than two years is not moving.
        case
            when
                points_now < aim_points - 1e-9 and weeks >= 8 and pace > 0
                and (aim_points - points_now) / pace * 7 <= 730
                then cast(ceil((aim_points - points_now) / pace * 7) as integer)
        end as days_left
    from measured
)

select
    team_id, metric_id, decided_on, due_on, as_of, grain, points_then, points_now, aim_points, is_closed,
    expected as expected_points, recovered_points, if(weeks >= 8, pace, null) as pace,
    "on" + days_left as forecast_on, "on" + days_left - due_on as slip_days,
    case
        when is_closed then 'closed'
        when is_closed is null or weeks < 8 then 'cannot_tell'
        when days_left is null then 'not_moving'
        when "on" + days_left <= due_on then 'on_time'
        else 'late'
    end as forecast
from forecasts
order by decided_on, team_id, metric_id, as_of, grain

-- title = "Whether a metric really shifted after the action of a goal, on its XmR chart (method 3.11, ADR 0017)"
-- key = ["team_id", "metric_id", "decided_on", "as_of", "grain"]
-- [columns]
-- team_id = "Team"
-- metric_id = "Metric"
-- decided_on = "Day of the decision"
-- as_of = "Instant of the review, UTC"
-- grain = "month or latest"
-- before_count = "Periods that ended before the action, at most the newest 12"
-- after_count = "Periods that began after it, up to the review; the one in which it fell is neither"
-- before_mean = "Mean of the periods before, in the metric's unit"
-- low = "Lower natural limit of the periods before"
-- high = "Upper natural limit"
-- after_mean = "Mean of the periods after"
-- effect = "better, worse or no_certain_shift; or why one cannot tell: not_acted, too_few_before (8), too_few_after (3), moved_before"
with reviews as (
    select g.*, r.as_of, r.grain, r."on"
    from ref.goals as g
    join ref.as_of as r on r.grain in ('month', 'latest') and r."on" >= g.decided_on
),
points as (
    select r.team_id, r.metric_id, r.decided_on, r.as_of, r.grain, c.as_of as period_at,
        -- Rounded, so that sums taken in another order are no change.
        round(c.value, 9) as value, w."on" < r.acted_on as is_before,
        date_trunc(if(w.grain = 'series_quarter', 'quarter', 'month'), w."on") >= r.acted_on as is_after
    from reviews as r
    join scores.control_chart as c on c.team_id = r.team_id and c.metric_id = r.metric_id and c.as_of <= r.as_of
    join ref.as_of as w on w.as_of = c.as_of and w.grain = c.grain
    where r.acted_on is not null
),
recent as (
    select * from points where is_before
    window series as (partition by team_id, metric_id, decided_on, as_of, grain order by period_at desc)
    qualify row_number() over series <= 12
),
ranges as (
    select *, abs(value - lag(value) over series) as moved
    from recent window series as (partition by team_id, metric_id, decided_on, as_of, grain order by period_at)
),
limits as (
    select team_id, metric_id, decided_on, as_of, grain, count(*) as before_count, round(avg(value), 9) as centre,
        2.66 * coalesce(avg(moved), 0) as reach
    from ranges group by all
),
drifts as (
    -- Kendall's S of the periods before.
    select a.team_id, a.metric_id, a.decided_on, a.as_of, a.grain, sum(sign(b.value - a.value)) as s
    from recent as a
    join recent as b using (team_id, metric_id, decided_on, as_of, grain)
    where b.period_at > a.period_at
    group by all
),
sides as (
    select p.*, l.centre, l.reach,
        case when p.value > l.centre then 1 when p.value < l.centre then -1 else 0 end as side,
        -- A constant metric has no reach: any other value is near, but not the same one.
        case when p.value > l.centre + l.reach * 2 / 3 then 1 when p.value < l.centre - l.reach * 2 / 3 then -1
            else 0 end as near
    from points as p join limits as l using (team_id, metric_id, decided_on, as_of, grain)
    where p.is_after
),
signals as (
    select *,
        near <> 0 and greatest(count(*) filter (near = 1) over three, count(*) filter (near = -1) over three) >= 2
            and sum(near) over three * near > 0 as is_two_of_three,
        abs(sum(side) over seven) = 7 as is_seven
    from sides
    window series as (partition by team_id, metric_id, decided_on, as_of, grain order by period_at),
    three as (series rows between 2 preceding and current row),
    seven as (series rows between 6 preceding and current row)
),
after as (
    select team_id, metric_id, decided_on, as_of, grain, count(*) as after_count, avg(value) as after_mean,
        -- One period outside is not a shift: two of three or seven, and the newest still on that side.
        arg_max(side, period_at) as newest,
        bool_or((is_two_of_three or is_seven) and side = 1) as is_up,
        bool_or((is_two_of_three or is_seven) and side = -1) as is_down
    from signals group by all
)
select team_id, metric_id, decided_on, as_of, grain, coalesce(l.before_count, 0) as before_count,
    coalesce(a.after_count, 0) as after_count, l.centre as before_mean, l.centre - l.reach as low,
    l.centre + l.reach as high, a.after_mean,
    case
        when r.acted_on is null or r.acted_on > r."on" then 'not_acted'
        when coalesce(l.before_count, 0) < 8 then 'too_few_before'
        when coalesce(a.after_count, 0) < 3 then 'too_few_after'
        when ((a.is_up and a.newest = 1 and d.s > 0) or (a.is_down and a.newest = -1 and d.s < 0))
            and (abs(d.s) - 1) / sqrt(before_count * (before_count - 1) * (2 * before_count + 5) / 18) >= 1.645
            then 'moved_before'
        when a.is_up and a.newest = 1 then if(m.mal > m.floor, 'better', 'worse')
        when a.is_down and a.newest = -1 then if(m.mal > m.floor, 'worse', 'better')
        else 'no_certain_shift'
    end as effect
from reviews as r
join meta.metrics as m using (metric_id)
left join limits as l using (team_id, metric_id, decided_on, as_of, grain)
left join drifts as d using (team_id, metric_id, decided_on, as_of, grain)
left join after as a using (team_id, metric_id, decided_on, as_of, grain)
order by decided_on, team_id, metric_id, as_of, grain

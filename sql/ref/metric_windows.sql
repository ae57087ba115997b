-- title = "Window of each metric at each instant, and how much of it the sources delivered"
-- key = ["metric_id", "as_of", "grain"]
-- [columns]
-- metric_id = "Metric"
-- as_of = "End of the window, UTC (exclusive)"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- on = "Last local day of the window"
-- starts_at = "Start of the window, UTC; equal to as_of for a state"
-- completeness = """\
--     Share of the window's days with a complete load, the least of the needed streams; for a state 1 if fresh, else \
--     0"""
-- least_stream = "The needed stream that delivered least of it; null where all delivered everything"
-- [ranges]
-- completeness = [0, 1]
with needs as (
    select metric_id, window_days, unnest(needs) as stream from meta.metrics
),

-- Days delivered up to and including each day, so that any window is one subtraction.
delivered as (
    select s.stream, c.day, count(d.day) over (partition by s.stream order by c.day) as days
    from meta.streams as s
    cross join ref.calendar as c
    left join meta.delivered_days as d on d.stream = s.stream and d.day = c.day
),

-- A state needs news within two expected intervals (at least two days).
windows as (
    select
        n.metric_id, n.stream, w.as_of, w.grain, w."on", w.starts_at, n.window_days, s.is_register,
        case
            when n.window_days = 0 then w."on" - macros.fresh_days(s.expected_hours)
            else w.starts_on - 1
        end as before_on, w."on" - w.starts_on + 1 as days
    from needs as n
    join ref.windows as w on w.window_days = n.window_days
    join meta.streams as s on s.stream = n.stream
),

measured as (
    select
        w.metric_id, w.stream, w.as_of, w.grain, w."on", w.starts_at,
        case
            when w.is_register then case when r.stream is null then 0.0 else 1.0 end
            when w.window_days = 0 then case when coalesce(e.days, 0) > coalesce(b.days, 0) then 1.0 else 0.0 end
            else (coalesce(e.days, 0) - coalesce(b.days, 0)) / cast(w.days as double)
        end as completeness
    from windows as w
    left join delivered as e on e.stream = w.stream and e.day = w."on"
    left join delivered as b on b.stream = w.stream and b.day = w.before_on
    left join meta.register_loads as r on r.stream = w.stream and r.is_complete
)

select
    metric_id, as_of, grain, "on", starts_at, min(completeness) as completeness,
    -- Of two that delivered as little the first by name, in every build the same.
    min_by(stream, (completeness, stream)) filter (completeness < 1) as least_stream
from measured
group by all
order by metric_id, grain, as_of

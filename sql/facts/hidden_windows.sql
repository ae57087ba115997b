-- title = "How much of a metric's window a stream told of a team, where its source did not show all of its services"
-- key = ["team_id", "metric_id", "stream", "as_of", "grain"]
-- [columns]
-- team_id = "Team"
-- metric_id = "Metric"
-- stream = "Needed stream"
-- as_of = "End of the window, UTC (exclusive)"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- told_share = "Share of days and services of the team that were told, of the days that were delivered"
-- [ranges]
-- told_share = [0, 1]
with needs as (
    select m.metric_id, m.window_days, m.stream
    from (select metric_id, window_days, unnest(needs) as stream from meta.metrics) as m
    semi join facts.hidden_days as h on h.stream = m.stream
),

windows as (
    select
        n.metric_id, n.stream, n.window_days, w.as_of, w.grain, w."on",
        case when n.window_days = 0 then w."on" - macros.fresh_days(s.expected_hours) + 1 else w.starts_on end
            as starts_on
    from needs as n
    join meta.streams as s on s.stream = n.stream
    join ref.windows as w on w.window_days = n.window_days
),

-- Of a state the newest day alone: it rests on that.
delivered as (
    select w.metric_id, w.stream, w.as_of, w.grain, d.day
    from windows as w
    join meta.delivered_days as d on d.stream = w.stream and d.day between w.starts_on and w."on"
    qualify
        w.window_days > 0
        or d.day = max(d.day) over (partition by w.metric_id, w.stream, w.as_of, w.grain)
),

teams as (select distinct team_id, stream from facts.hidden_days)

select
    t.team_id, d.metric_id, d.stream, d.as_of, d.grain, 1 - sum(coalesce(h.share, 0)) / count(*) as told_share
from delivered as d
join teams as t on t.stream = d.stream
left join facts.hidden_days as h on h.team_id = t.team_id and h.stream = d.stream and h.day = d.day
group by t.team_id, d.metric_id, d.stream, d.as_of, d.grain
having sum(h.share) > 0
order by t.team_id, d.metric_id, d.stream, d.grain, d.as_of

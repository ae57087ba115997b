-- title = { nb = "Nattlige vaktvarsler", en = "Night pages" }
-- unit = "per_night"
-- why_not_scored = { nb = "Et arbeidsmiljøsignal; vises bare for team, aldri for personer.", en = "A signal on the work environment; shown for teams only, never for people." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
nights as (
    select d.team_id, w.as_of, w.grain, c.day, c.ends_at - interval 2 hour as starts_at,
        m.work_starts_at - interval 1 hour as ends_at
    from windows as w
    join ref.calendar as c on c.day >= w.starts_on and c.day < w."on"
    join ref.calendar as m on m.day = c.day + 1
    join ref.oncall_duties as d
        on d.coverage = 'always' and c.starts_at >= d.valid_from_at and c.starts_at < d.valid_to_at
)
select n.team_id, n.as_of, n.grain, '' as entity_id, 'mean' as statistic,
    count(distinct coalesce(a.incident_id, a.alert_id)) / count(distinct n.day) as value,
    count(distinct n.day) as sample_size, null::double as low, null::double as high
from nights as n
left join facts.alerts as a on a.team_id = n.team_id and a.fired_at >= n.starts_at and a.fired_at < n.ends_at
group by n.team_id, n.as_of, n.grain
order by n.team_id, n.grain, n.as_of

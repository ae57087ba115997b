-- title = { nb = "Nattlige vaktvarsler", en = "Night pages" }
-- unit = "per_night"
-- why_not_scored.nb = "Et arbeidsmiljøsignal; vises bare for team, aldri for personer."
-- why_not_scored.en = "A signal on the work environment; shown for teams only, never for people."
with nights as (
    select
        d.team_id, w.as_of, w.grain, c.day, c.ends_at - interval 2 hour as starts_at,
        -- Whatever hours the team works.
        timezone(z.timezone, cast(c.day + 1 as timestamp) + interval 7 hour) as ends_at
    from macros.shown_windows(90) as w
    cross join meta.organisation as z
    join ref.calendar as c on c.day >= w.starts_on and c.day < w."on"
    join ref.oncall_duties as d
        on d.coverage = 'always' and macros.within(c.starts_at, d.valid_from_at, d.valid_to_at)
    left join macros.told_from('alerts') as k on k.team_id = d.team_id
    -- Nights of which the team's pages were delivered, evening and morning.
    where (k.told_from <= c.day) is not false and (
        select count(*) from meta.delivered_days as e where e.stream = 'alerts' and e.day in (c.day, c.day + 1)
    ) = 2
),

-- A night with a page that may have been a test is left out, and counted.
judged as (
    select
        n.*, not exists (
            select 1 from facts.alerts as a
            where a.team_id = n.team_id and a.is_test is null and macros.within(a.fired_at, n.starts_at, n.ends_at)
        ) as is_known
    from nights as n
)

select
    n.team_id, n.as_of, n.grain, '' as entity_id,
    unnest(macros.statistic(
        'mean',
        count(distinct coalesce(a.incident_id, a.alert_id)) filter (n.is_known)
        / count(distinct n.day) filter (n.is_known),
        count(distinct n.day) filter (n.is_known),
        not_known := count(distinct n.day) filter (not n.is_known)
    ))
from judged as n
left join facts.alerts as a on a.team_id = n.team_id and macros.within(a.fired_at, n.starts_at, n.ends_at)
group by n.team_id, n.as_of, n.grain
having bool_or(n.is_known)
order by n.team_id, n.grain, n.as_of

-- title = { nb = "Median oppdateringsetterslep", en = "Median update lag (Kaplan–Meier)" }
-- unit = "days"
-- why_not_scored.nb = "Medianen kan pyntes ved å ta den enkle halvdelen raskt."
-- why_not_scored.en = "The median can be polished by taking the easy half fast."
with items as (
    select
        e.team_id, w.as_of, w.grain,
        macros.days_waiting(e.available_at, e.applied_at, e.dismissed_at, w.as_of) as days,
        macros.is_applied(e.applied_at, e.dismissed_at, w.as_of) as is_done, e.knows_end,
        -- A package that nobody can date is one item of which nothing is known, however often it was looked at.
        case
            when e.unknown_because is null then e.episode_id else e.repository || ' ' || coalesce(e.package, '')
        end as item_id
    from macros.shown_windows(180) as w
    join facts.update_episodes as e on macros.within(e.available_at, w.starts_at, w.as_of)
),

unknown as (
    select team_id, as_of, grain, count(distinct item_id) filter (not knows_end) as not_known
    from items
    group by team_id, as_of, grain
),

times as (
    select
        team_id, as_of, grain, days, count(*) filter (is_done) as done, count(*) as episodes,
        sum(count(*)) over (partition by team_id, as_of, grain order by days desc) as at_risk
    from items where knows_end
    group by team_id, as_of, grain, days
),

survival as (
    select *, product(1 - done / at_risk) over (partition by team_id, as_of, grain order by days) as waiting
    from times
)

-- Smallest time at which at most half still wait; null where half was never reached (method 2.4).
select
    s.team_id, s.as_of, s.grain, '' as entity_id,
    unnest(macros.statistic(
        'p50', min(s.days) filter (s.waiting <= 0.5 + 1e-12), sum(s.episodes)::bigint,
        not_known := any_value(u.not_known)
    ))
from survival as s
join unknown as u on u.team_id = s.team_id and u.as_of = s.as_of and u.grain = s.grain
group by s.team_id, s.as_of, s.grain
order by s.team_id, s.grain, s.as_of

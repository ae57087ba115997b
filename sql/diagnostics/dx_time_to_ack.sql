-- title = { nb = "Tid til kvittering", en = "Time to acknowledge" }
-- unit = "minutes"
-- why_not_scored.nb = "Små tall og lange haler: både snitt og median svinger uten at noe er endret."
-- why_not_scored.en = "Small numbers and long tails: mean and median swing without any real change."
with items as (
    select
        a.team_id, w.as_of, w.grain,
        case
            when a.acknowledged_by_kind = 'human' and a.acknowledged_at < w.as_of
                then epoch_us(a.acknowledged_at - a.fired_at) / 60e6
            else 'infinity'::double
        end as minutes,
        coalesce(
            not a.is_test and macros.told(a.untold, 'acknowledged_at') and macros.told(a.untold, 'acknowledged_by_kind')
            and (a.acknowledged_at is null or a.acknowledged_by_kind is not null), false
        ) as is_known
    from macros.shown_windows(90) as w
    join facts.alerts as a on macros.within(a.fired_at, w.starts_at, w.as_of)
),

collected as (
    select
        team_id, as_of, grain,
        unnest(macros.duration_statistics(
            list_sort(list(minutes) filter (is_known)), count(*) filter (not is_known)
        )) as found
    from items
    group by team_id, as_of, grain
    having bool_or(is_known)
)

select team_id, as_of, grain, '' as entity_id, unnest(found)
from collected
order by team_id, grain, as_of, found.statistic

-- title = { nb = "Tid til gjenoppretting av tjenesten", en = "Time to mitigate" }
-- unit = "minutes"
-- why_not_scored.nb = "Små tall og lange haler: både snitt og median svinger uten at noe er endret."
-- why_not_scored.en = "Small numbers and long tails: mean and median swing without any real change."
with items as (
    select
        i.team_id, w.as_of, w.grain,
        case when i.resolved_at < w.as_of then i.restore_minutes else 'infinity'::double end as minutes,
        macros.told(i.untold, 'resolved_at') as is_known
    from macros.shown_windows(180) as w
    join facts.incidents as i on macros.within(i.declared_at, w.starts_at, w.as_of)
    where i.is_exercise is distinct from true
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

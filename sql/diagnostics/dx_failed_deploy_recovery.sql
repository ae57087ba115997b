-- title = { nb = "Tid til retting av feilet endring", en = "Failed deployment recovery time" }
-- unit = "hours"
-- why_not_scored.nb = "Små tall og lange haler: både snitt og median svinger uten at noe er endret."
-- why_not_scored.en = "Small numbers and long tails: mean and median swing without any real change."
with items as (
    select
        d.team_id, w.as_of, w.grain,
        case
            when d.recovered_at < w.as_of then epoch_us(d.recovered_at - d.deployed_at) / 3600e6
            else 'infinity'::double
        end as hours,
        d.knows_recovery as is_known
    from macros.shown_windows(180) as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
    where d.failed_at < w.as_of
),

collected as (
    select
        team_id, as_of, grain,
        unnest(macros.duration_statistics(
            list_sort(list(hours) filter (is_known)), count(*) filter (not is_known)
        )) as found
    from items
    group by team_id, as_of, grain
    having bool_or(is_known)
)

select team_id, as_of, grain, '' as entity_id, unnest(found)
from collected
order by team_id, grain, as_of, found.statistic

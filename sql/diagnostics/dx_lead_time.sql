-- title = { nb = "Tid fra kode til produksjon", en = "Lead time for changes" }
-- unit = "hours"
-- why_not_scored.nb = "Ingen plikt i håndboken; gir sammenheng til andelen som feiler."
-- why_not_scored.en = "No duty of the handbook; it gives context to the change fail rate."
with items as (
    select
        d.team_id, w.as_of, w.grain, epoch_us(d.deployed_at - d.committed_at) / 3600e6 as hours,
        d.committed_at is not null as is_known
    from macros.shown_windows(90) as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
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

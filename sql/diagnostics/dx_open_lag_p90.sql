-- title = { nb = "Alder på åpne oppdateringer", en = "Age of open updates" }
-- unit = "days"
-- why_not_scored.nb = "Viser gammelt etterslep som andelen innen 30 dager ikke ser."
-- why_not_scored.en = "Shows old backlog that the share within 30 days does not see."
with
-- What is open is a state: it is the owner's of the instant, also what began before the team had the repository.
items as (
    select
        o.team_id, w.as_of, w.grain, epoch_us(w.as_of - e.available_at) / 86400e6 as days,
        e.unknown_because is null
        and (e.applied_at is not null or e.dismissed_at is not null or macros.told(e.untold, 'applied_at'))
            as knows_end,
        case
            when e.unknown_because is null then e.episode_id else r.current_name || ' ' || coalesce(e.package, '')
        end as item_id
    from macros.shown_windows(0) as w
    join staging.update_episodes as e
        on
            e.available_at < w.as_of
            and coalesce(least(e.applied_at, e.dismissed_at) >= w.as_of, true)
            -- A package that nobody can date is told of again every 28 days: its last look says that it is there.
            and (e.unknown_because is null or e.available_at >= w.as_of - interval 28 day)
    join facts.repositories as r on r.repository = e.repository
    join ref.owned_services as o on o.service_id = r.service_id and o.as_of = w.as_of and o.grain = w.grain
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic(
        'p90', quantile_cont(days, 0.9) filter (knows_end), count(*) filter (knows_end),
        not_known := count(distinct item_id) filter (not knows_end)
    ))
from items
group by team_id, as_of, grain
having bool_or(knows_end)
order by team_id, grain, as_of

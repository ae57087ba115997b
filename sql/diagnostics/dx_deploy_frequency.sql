-- title = { nb = "Utrullinger per uke", en = "Deployments a week" }
-- unit = "per_week"
-- why_not_scored.nb = "Ingen plikt i håndboken; gir sammenheng til andelen som feiler."
-- why_not_scored.en = "No duty of the handbook; it gives context to the change fail rate."
with counted as (
    select w.as_of, w.grain, d.team_id, count(*) as deployments
    from macros.shown_windows(90) as w
    join facts.deployments as d on macros.within(d.deployed_at, w.starts_at, w.as_of)
    join ref.calendar as c on macros.within(d.deployed_at, c.starts_at, c.ends_at)
    semi join meta.delivered_days as y on y.stream = 'deployments' and y.day = c.day
    left join macros.told_from('deployments') as k on k.team_id = d.team_id
    anti join facts.hidden_days as h on h.team_id = d.team_id and h.stream = 'deployments' and h.day = c.day
    where (k.told_from <= c.day) is not false
    group by w.as_of, w.grain, d.team_id
),

-- Only days that were delivered, and on which the team had something to deploy: others are no days without deployments.
delivered as (
    select c.team_id, w.as_of, w.grain, count(*) as days
    from macros.shown_windows(90) as w
    join counted as c on c.as_of = w.as_of and c.grain = w.grain
    left join macros.told_from('deployments') as k on k.team_id = c.team_id
    join meta.delivered_days as y
        on
            y.stream = 'deployments' and y.day between w.starts_on and w."on"
            and (k.told_from <= y.day) is not false
    join ref.calendar as l on l.day = y.day
    anti join facts.hidden_days as h on h.team_id = c.team_id and h.stream = 'deployments' and h.day = y.day
    where
        exists (
            select 1 from ref.service_owners as o
            where o.team_id = c.team_id and o.valid_from_at < l.ends_at and o.valid_to_at > l.starts_at
        )
    group by c.team_id, w.as_of, w.grain
)

select
    c.team_id, c.as_of, c.grain, '' as entity_id,
    unnest(macros.statistic('mean', c.deployments * 7 / d.days, c.deployments))
from counted as c
join delivered as d on d.team_id = c.team_id and d.as_of = c.as_of and d.grain = c.grain
order by c.team_id, c.grain, c.as_of

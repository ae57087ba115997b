-- title = { nb = "Tilgjengelighet per tjeneste", en = "Availability per service" }
-- unit = "share"
-- why_not_scored.nb = "Den poengsettes gjennom feilbudsjettet; et tall med mange nitall er vanskelig å lese."
-- why_not_scored.en = "It is scored through the error budget; a number with many nines is hard to read."
with measured as (
    select
        o.team_id, o.as_of, o.grain, o.service_id, sum(a.known_minutes) as known, sum(a.valid_minutes) as valid,
        sum(a.down_minutes) as down, sum(a.raw_down_minutes) as raw_down, count(*) as days
    from macros.shown_windows(90) as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
    join facts.availability_daily as a on a.service_id = o.service_id and a.day >= w.starts_on and a.day <= w."on"
    -- What was before the team took it over is not its own.
    join ref.calendar as c on c.day = a.day and c.starts_at >= o.owned_since
    group by o.team_id, o.as_of, o.grain, o.service_id
)

select
    team_id, as_of, grain, service_id as entity_id,
    unnest(macros.statistic('without_maintenance', 1 - down / nullif(valid, 0), days))
from measured
union all
select team_id, as_of, grain, service_id, unnest(macros.statistic('raw', 1 - raw_down / nullif(known, 0), days))
from measured
order by team_id, grain, as_of, entity_id, statistic

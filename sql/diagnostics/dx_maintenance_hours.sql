-- title = { nb = "Timer med vedlikeholdsvindu", en = "Hours of maintenance windows" }
-- unit = "hours"
-- why_not_scored.nb = "Viser bruken av unntaket; selve tiden er allerede holdt utenfor."
-- why_not_scored.en = "Shows how the exception is used; the time itself is already left out."
with spans as (
    select service_id, starts_at, ends_at, 'registered' as statistic from ref.maintenance_windows
    union all
    select service_id, starts_at, ends_at, 'left_out' from facts.maintenance
),

used as (
    select
        o.team_id, o.as_of, o.grain, s.statistic,
        epoch_us(least(s.ends_at, w.as_of) - greatest(s.starts_at, w.starts_at)) / 3600e6 as hours
    from macros.shown_windows(90) as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
    join spans as s on s.service_id = o.service_id and s.starts_at < w.as_of and s.ends_at > w.starts_at
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic(statistic, sum(cast(hours as decimal(18, 6)))::double, count(*)))
from used
group by team_id, as_of, grain, statistic
order by team_id, grain, as_of, statistic

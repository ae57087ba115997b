-- title = { nb = "Timer med vedlikeholdsvindu", en = "Hours of maintenance windows" }
-- unit = "hours"
-- why_not_scored.nb = "Viser bruken av unntaket; selve tiden er allerede holdt utenfor."
-- why_not_scored.en = "Shows how the exception is used; the time itself is already left out."
with ordered as (
    select
        service_id, starts_at, ends_at, max(ends_at) over (
            partition by service_id order by starts_at, ends_at rows between unbounded preceding and 1 preceding
        ) as reached_at
    from ref.maintenance_windows
),

islands as (
    select
        *, sum(cast(reached_at is null or starts_at > reached_at as integer)) over (
            partition by service_id order by starts_at, ends_at
        ) as island
    from ordered
),

-- Hours that two windows share are there once, as in what is left out.
spans as (
    select service_id, min(starts_at) as starts_at, max(ends_at) as ends_at, 'registered' as statistic
    from islands
    group by service_id, island
    union all
    select service_id, starts_at, ends_at, 'left_out' from facts.maintenance
),

used as (
    select
        o.team_id, w.as_of, w.grain, s.statistic,
        epoch_us(least(s.ends_at, w.as_of, o.valid_to_at) - greatest(s.starts_at, w.starts_at, o.valid_from_at))
        / 3600e6 as hours
    from macros.shown_windows(90) as w
    join spans as s on s.starts_at < w.as_of and s.ends_at > w.starts_at
    -- Each owner's are those of its own time.
    join ref.service_owners as o
        on
            o.service_id = s.service_id and o.valid_from_at < least(s.ends_at, w.as_of)
            and o.valid_to_at > greatest(s.starts_at, w.starts_at)
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic(statistic, sum(cast(hours as decimal(18, 6)))::double, count(*)))
from used
group by team_id, as_of, grain, statistic
order by team_id, grain, as_of, statistic

-- title = { nb = "Timer med vedlikeholdsvindu", en = "Hours of maintenance windows" }
-- unit = "hours"
-- why_not_scored = { nb = "Viser bruken av unntaket; selve tiden er allerede holdt utenfor.", en = "Shows how the exception is used; the time itself is already left out." }
with windows as (
    select * from ref.windows where window_days = 90 and grain in ('month', 'latest')
),
used as (
    select o.team_id, o.as_of, o.grain, 'registered' as statistic,
        epoch_us(least(m.ends_at, w.as_of) - greatest(m.starts_at, w.starts_at)) / 3600e6 as hours
    from windows as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
    join ref.maintenance_windows as m
        on m.service_id = o.service_id and m.starts_at < w.as_of and m.ends_at > w.starts_at
    union all
    select o.team_id, o.as_of, o.grain, 'left_out',
        epoch_us(least(m.ends_at, w.as_of) - greatest(m.starts_at, w.starts_at)) / 3600e6
    from windows as w
    join ref.owned_services as o on o.as_of = w.as_of and o.grain = w.grain
    join facts.maintenance as m
        on m.service_id = o.service_id and m.starts_at < w.as_of and m.ends_at > w.starts_at
)
select team_id, as_of, grain, '' as entity_id, statistic, sum(cast(hours as decimal(18, 6)))::double as value,
    count(*) as sample_size, null::double as low, null::double as high
from used
group by team_id, as_of, grain, statistic
order by team_id, grain, as_of, statistic

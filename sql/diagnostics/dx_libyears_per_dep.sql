-- title = { nb = "Bibliotekår per avhengighet", en = "Libyears per dependency" }
-- unit = "years"
-- why_not_scored = { nb = "Døde avhengigheter teller null, og summen vokser med størrelsen.", en = "Dead dependencies count as zero, and the sum grows with size." }
with windows as (
    select * from ref.windows where window_days = 0 and grain in ('month', 'latest')
),
newest as (
    select w.as_of, w.grain, s.*
    from windows as w
    join staging.dependency_states as s on s.observed_on <= w."on" and s.observed_on > w."on" - 35
    qualify row_number() over (
        partition by w.as_of, w.grain, s.repository, s.package order by s.observed_on desc
    ) = 1
),
items as (
    select o.team_id, n.as_of, n.grain,
        greatest(0, n.newest_released_on - n.installed_released_on) / 365.25 as libyears
    from newest as n
    join facts.repositories as r on r.repository = n.repository
    join ref.owned_services as o on o.service_id = r.service_id and o.as_of = n.as_of and o.grain = n.grain
    where n.newest_released_on is not null and n.installed_released_on is not null
)
select team_id, as_of, grain, '' as entity_id, unnest(['mean', 'sum']) as statistic,
    unnest([sum(cast(libyears as decimal(18, 6)))::double / count(*), sum(cast(libyears as decimal(18, 6)))::double])
        as value,
    count(*) as sample_size, null::double as low, null::double as high
from items
group by team_id, as_of, grain
order by team_id, grain, as_of, statistic

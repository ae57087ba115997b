-- title = { nb = "Bibliotekår per avhengighet", en = "Libyears per dependency" }
-- unit = "years"
-- why_not_scored.nb = "Døde avhengigheter teller null, og summen vokser med størrelsen."
-- why_not_scored.en = "Dead dependencies count as zero, and the sum grows with size."
with newest as (
    select w.as_of, w.grain, r.service_id, s.*
    from macros.shown_windows(0) as w
    join staging.dependency_states as s on macros.stands(s.observed_on, w."on", days := 35)
    join facts.repositories as r on r.repository = s.repository
    qualify row_number() over (
        partition by w.as_of, w.grain, r.current_name, s.package order by s.observed_on desc
    ) = 1
),

items as (
    select
        o.team_id, n.as_of, n.grain,
        cast(case
            when n.newest_released_on is not null and n.installed_released_on is not null
                then greatest(0, n.newest_released_on - n.installed_released_on) / 365.25
        end as decimal(18, 6)) as libyears
    from newest as n
    join ref.owned_services as o on o.service_id = n.service_id and o.as_of = n.as_of and o.grain = n.grain
)

select
    team_id, as_of, grain, '' as entity_id,
    unnest(macros.statistic(
        'sum', sum(libyears)::double, count(libyears), not_known := count(*) - count(libyears)
    ))
from items
group by team_id, as_of, grain
having count(libyears) > 0
union all
select
    team_id, as_of, grain, '',
    unnest(macros.statistic(
        'mean', sum(libyears)::double / count(libyears), count(libyears), not_known := count(*) - count(libyears)
    ))
from items
group by team_id, as_of, grain
having count(libyears) > 0
order by team_id, grain, as_of, statistic

-- title = { nb = "Renovate-dekning", en = "Update-bot coverage" }
-- unit = "share"
-- kind = "census"
-- window = "now"
-- floor = 0.5
-- krav = 0.95
-- mal = 1.0
-- weight = 3
-- obligations = ["O64"]
-- needs = ["repository_states"]
-- when_empty = "not_applicable"
-- formula = { nb = "aktive kodelagre der oppdateringsroboten virker / aktive kodelagre", en = "active repositories where the update bot works / active repositories" }
-- why = { nb = "Håndboken nevner Renovate; det virker bare der det er slått på og kjører.", en = "The handbook names Renovate; it helps only where it is on and runs." }
-- remedy = { nb = "Slå på Renovate med felles konfigurasjon; rett kjøringer som feiler.", en = "Turn on Renovate with the shared configuration; mend failing runs." }
-- effort = "S"
-- version = 1
with windows as (
    select * from ref.metric_windows where metric_id = 'aut_update_bot_coverage'
),
newest as (
    select w.as_of, w.grain, w.completeness, s.*
    from windows as w
    join staging.repository_states as s on s.observed_on <= w."on" and s.observed_on > w."on" - 14
    qualify row_number() over (partition by w.as_of, w.grain, s.repository order by s.observed_on desc) = 1
),
items as (
    select o.team_id, n.as_of, n.grain, n.repository as item_id, n.last_bot_success_at as item_at,
        cast(n.is_bot_enabled and coalesce(n.is_bot_config_valid, false) and coalesce(n.unmanaged_count, 0) = 0
            and coalesce(n.last_bot_success_at >= n.as_of - interval 7 day, false) as integer) as numerator,
        1 as denominator,
        case when not n.is_bot_enabled then 'off' when not coalesce(n.is_bot_config_valid, false) then 'invalid'
            else 'on' end as detail, n.completeness
    from newest as n
    join facts.repositories as r on r.repository = n.repository
    join ref.owned_services as o on o.service_id = r.service_id and o.as_of = n.as_of and o.grain = n.grain
    where n.last_activity_on >= n.observed_on - 180
)
select team_id, as_of, grain,
    sum(numerator) as numerator, sum(denominator) as denominator,
    sum(numerator) / nullif(sum(denominator), 0) as value,
    count(*) as sample_size, any_value(completeness) as completeness
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

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
-- formula.nb = "aktive kodelagre der oppdateringsroboten virker / aktive kodelagre"
-- formula.en = "active repositories where the update bot works / active repositories"
-- why.nb = "Håndboken nevner Renovate; det virker bare der det er slått på og kjører."
-- why.en = "The handbook names Renovate; it helps only where it is on and runs."
-- remedy.nb = "Slå på Renovate med felles konfigurasjon; rett kjøringer som feiler."
-- remedy.en = "Turn on Renovate with the shared configuration; fix failing runs."
-- effort = "S"
-- rests_on = [
--     "repository_states.last_activity_on", "repository_states.is_bot_enabled",
--     "repository_states.last_bot_success_at",
-- ]
-- better_with = ["repository_states.is_bot_config_valid", "repository_states.unmanaged_count"]
-- version = 2
with newest as (
    select w.as_of, w.grain, w.completeness, r.service_id, s.* replace (r.current_name as repository)
    from macros.metric_windows('aut_update_bot_coverage') as w
    join staging.repository_states as s on macros.stands(s.observed_on, w."on")
    join facts.repositories as r on r.repository = s.repository
    qualify row_number() over (
        partition by w.as_of, w.grain, r.current_name order by s.observed_on desc, s.repository
    ) = 1
),

judged as (
    select
        *,
        coalesce(
            macros.within(last_bot_success_at, as_of - interval 7 day, as_of),
            case when macros.told(untold, 'last_bot_success_at') then false end
        ) as has_run,
        coalesce(
            unmanaged_count = 0, case when not macros.told(untold, 'unmanaged_count') then true end
        ) as manages_all
    from newest
),

items as (
    select
        o.team_id, n.as_of, n.grain, n.repository as item_id, n.last_bot_success_at as item_at,
        -- Without a word on the configuration, a run that succeeded shows that it works.
        case when n.last_activity_on is not null then cast(
            n.is_bot_enabled and coalesce(n.is_bot_config_valid, true) and n.has_run and n.manages_all as integer
        ) end as numerator,
        1 as denominator,
        case
            when n.is_bot_enabled is null then 'not known'
            when not n.is_bot_enabled then 'off' when not n.is_bot_config_valid then 'invalid'
            when not n.has_run then 'no run' when not n.manages_all then 'leaves some out' else 'on'
        end as detail, n.completeness
    from judged as n
    join ref.owned_services as o on o.service_id = n.service_id and o.as_of = n.as_of and o.grain = n.grain
    -- Active, or nobody can tell.
    where (n.last_activity_on >= n.observed_on - 180) is not false
)

select team_id, as_of, grain, unnest(macros.share(numerator, denominator, completeness))
from items
group by team_id, as_of, grain
order by team_id, grain, as_of

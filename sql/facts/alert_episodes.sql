-- title = "Episodes: pages of one rule and service with less than 30 quiet minutes between them"
-- key = ["episode_id"]
-- [columns]
-- episode_id = "Id of the first page"
-- service_id = "Service"
-- team_id = "Owner at the first page"
-- rule_id = "Normalised rule"
-- started_at = "First page, UTC"
-- closed_at = "Last page closed, UTC; null while one is open"
-- page_count = "Pages"
-- label = "actionable if any page was, or an incident is linked; noise; null = not labelled"
-- last_fired_at = "Last page, UTC"
-- is_test = "false; null = not known of one of its pages"
-- untold = "Columns that the source of one of its pages cannot tell"
with
-- Quiet begins when a page is closed. One that stays open keeps its episode going for a day at most: what is closed
-- later may not change which pages belonged together before.
ongoing as (
    select
        *,
        case
            when macros.told(untold, 'closed_at') then least(closed_at, fired_at + interval 1 day) else fired_at
        end as ends_at
    from facts.alerts
),

ordered as (
    select
        *, max(ends_at) over (
            partition by service_id, lower(rule_id)
            order by fired_at, alert_id rows between unbounded preceding and 1 preceding
        ) as quiet_from
    from ongoing
),

marked as (
    select *, quiet_from is null or fired_at > quiet_from + interval 30 minute as is_first from ordered
),

numbered as (
    select
        *, sum(cast(is_first as integer)) over (
            partition by service_id, lower(rule_id) order by fired_at, alert_id
        ) as episode
    from marked
)

select
    any_value(alert_id) filter (is_first) as episode_id, service_id,
    any_value(team_id) filter (is_first) as team_id, any_value(rule_id) filter (is_first) as rule_id,
    min(fired_at) as started_at,
    case when count(*) = count(closed_at) then max(closed_at) end as closed_at, count(*) as page_count,
    case
        when bool_or(label = 'actionable' or incident_id is not null) then 'actionable'
        when bool_or(label = 'noise') then 'noise'
    end as label,
    max(fired_at) as last_fired_at, case when count(*) = count(is_test) then false end as is_test,
    list_sort(list_distinct(flatten(list(coalesce(untold, []))))) as untold
from numbered
group by service_id, lower(rule_id), episode
order by started_at, episode_id

-- title = "Repositories seen in the data, with the service they belong to and the name they have now"
-- key = ["repository"]
-- [columns]
-- repository = "owner/name as the source writes it"
-- service_id = "Service, or null where services.toml names it not"
-- current_name = "owner/name as services.toml writes it now; as the source writes it where a pattern or nothing fits"
-- first_seen_on = "Local day of the first row that names it"
with rows_of_each as (
    select repository, day from staging.update_merges
    union all
    select repository, day from staging.dependency_updates
    union all
    select repository, day from staging.commits_daily
    union all
    select repository, day from staging.update_episodes
    union all
    select repository, day from staging.repository_states
    union all
    select repository, day from staging.dependency_states
),

seen as (select repository, min(day) as first_seen_on from rows_of_each group by repository)

select
    s.repository, p.service_id,
    -- Of spellings that differ in case only, one stands for all.
    coalesce(p.repository, min(s.repository) over (partition by lower(s.repository))) as current_name,
    s.first_seen_on
from seen as s
left join ref.repository_patterns as p
    on
        case
            when p.is_pattern then lower(s.repository) glob p.pattern
            else lower(s.repository) = p.pattern
        end
-- A name says more than a pattern, and a long pattern more than a short one.
qualify
    row_number() over (
        partition by s.repository order by p.is_pattern, length(p.pattern) desc, p.pattern
    ) = 1
order by s.repository

-- title = "Repositories seen in the data, with the service they belong to"
-- key = ["repository"]
-- [columns]
-- repository = "owner/name"
-- service_id = "Service, or null where no pattern of services.toml fits"
with seen as (
    select repository from staging.update_merges
    union select repository from staging.dependency_updates
    union select repository from staging.commits_daily
    union select repository from staging.update_episodes
    union select repository from staging.repository_states
)
select s.repository, p.service_id
from seen as s
left join ref.repository_patterns as p on s.repository glob p.pattern
qualify row_number() over (partition by s.repository order by length(p.pattern) desc, p.pattern) = 1
order by s.repository

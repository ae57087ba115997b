-- title = "Package version changes, by bots and people"
-- key = ["update_id"]
-- [columns]
-- update_id = "Digest of repository, commit and change"
-- repository = "owner/name"
-- service_id = "Service, or null where no pattern fits"
-- commit_id = "Commit"
-- merged_at = "Merged, UTC"
-- is_bot = "By Renovate or Dependabot"
-- actor_kind = "Who"
-- update_type = "major, minor, patch, ..."
-- direction = "up, down, same or unknown"
-- lag_days = "Release to merge, days; null where the release date is unknown"
select
    md5(concat_ws(
        '|', u.repository, u.commit_id, coalesce(u.ecosystem, ''), coalesce(u.package, ''),
        coalesce(u.from_version, ''), coalesce(u.to_version, ''), coalesce(u.from_digest, ''),
        coalesce(u.to_digest, '')
    )) as update_id,
    r.current_name as repository,
    r.service_id,
    u.commit_id,
    u.merged_at,
    u.actor_kind in ('renovate', 'dependabot') as is_bot,
    u.actor_kind, u.update_type, u.direction, u.lag_days
from staging.dependency_updates as u
join facts.repositories as r on r.repository = u.repository
order by u.merged_at, update_id

-- title = "Update lag episodes, with the team that owned the repository's service when they began"
-- key = ["episode_id"]
-- [columns]
-- episode_id = "Episode"
-- repository = "owner/name"
-- team_id = "Owner at that time"
-- package = "Package"
-- available_at = "Newer version available, UTC"
-- applied_at = "On the newest version, UTC; null = open"
-- dismissed_at = "Dismissed with reason and approver, UTC"
select e.episode_id, e.repository, o.team_id, e.package, e.available_at, e.applied_at, e.dismissed_at
from staging.update_episodes as e
join facts.repositories as r on r.repository = e.repository
join ref.service_owners as o
    on o.service_id = r.service_id and e.available_at >= o.valid_from_at and e.available_at < o.valid_to_at
order by e.available_at, e.episode_id

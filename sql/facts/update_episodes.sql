-- title = """\
--     Update lag episodes, and looks at packages that nobody can date, with the team that owned the repository's \
--     service when they began"""
-- key = ["episode_id"]
-- [columns]
-- episode_id = "Episode"
-- repository = "owner/name"
-- team_id = "Owner at that time"
-- package = "Package"
-- available_at = "Newer version available, UTC; when it was looked at where unknown_because says why nobody knows"
-- applied_at = "On the newest version, UTC; null = open"
-- dismissed_at = "Dismissed with reason and approver, UTC; null = not, or untold"
-- service_id = "Service of the repository"
-- unknown_because = "Why nobody can tell whether an update waited; null = one did, since available_at"
-- knows_end = """\
--     It is an episode that has ended, or whose source can tell that: an open one is known to be open"""
select
    e.episode_id, r.current_name as repository, o.team_id, e.package, e.available_at, e.applied_at, e.dismissed_at,
    r.service_id, e.unknown_because,
    e.unknown_because is null
    and (e.applied_at is not null or e.dismissed_at is not null or macros.told(e.untold, 'applied_at')) as knows_end
from staging.update_episodes as e
join facts.repositories as r on r.repository = e.repository
join ref.service_owners as o
    on o.service_id = r.service_id and macros.within(e.available_at, o.valid_from_at, o.valid_to_at)
order by e.available_at, e.episode_id

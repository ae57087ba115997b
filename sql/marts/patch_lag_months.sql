-- title = """\
--     Patch lag of each repository, local month and update type: bots only, upward versions with a known release \
--     date"""
-- key = ["repository", "period", "update_type"]
-- [columns]
-- repository = "owner/name"
-- service_id = "Service, or null where no pattern fits"
-- period = "Month as 2026-08, or ALL for the whole history"
-- update_type = "major, minor, patch, or all for the three together"
-- update_count = "Package updates; a grouped merge counts once per package"
-- lag_days_p50 = "Median days from release to merge (linear interpolation)"
-- lag_days_p90 = "90th percentile"
-- lag_days_max = "Largest"
-- within_14_days_share = "Share with at most 14.0 days, 0..1"
-- not_known_count = "Updates of the kind whose release date is not known: in none of the other numbers"
with updates as (
    select
        u.repository, u.service_id, strftime(timezone(o.timezone, u.merged_at), '%Y-%m') as month, u.update_type,
        u.lag_days
    from facts.updates as u, meta.organisation as o
    where u.is_bot and u.direction = 'up' and u.update_type in ('major', 'minor', 'patch')
),

grouped as (
    select
        repository, any_value(service_id) as service_id, coalesce(month, 'ALL') as period,
        coalesce(update_type, 'all') as update_type, count(lag_days) as update_count,
        quantile_cont(lag_days, 0.5) as lag_days_p50, quantile_cont(lag_days, 0.9) as lag_days_p90,
        max(lag_days) as lag_days_max, avg(cast(lag_days <= 14.0 as integer)) as within_14_days_share,
        count(*) - count(lag_days) as not_known_count
    from updates
    group by repository, cube(month, update_type)
    having count(lag_days) > 0
)

select
    repository, service_id, period, update_type, update_count, lag_days_p50, lag_days_p90, lag_days_max,
    within_14_days_share, not_known_count
from grouped
order by repository, period, update_type

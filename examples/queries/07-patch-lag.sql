-- How many days do updates wait in each team, month by month (median and slowest tenth), and of how many is it not known?
with waits as (
    select u.team_id, strftime(c.day, '%Y-%m') as month,
        -- Nobody knows how long what nobody can date had waited.
        case when u.unknown_because is null then greatest(0, epoch(u.applied_at) - epoch(u.available_at)) / 86400 end
            as days
    from facts.update_episodes as u
    join ref.calendar as c on u.applied_at >= c.starts_at and u.applied_at < c.ends_at
    -- What was dismissed first was never taken.
    where u.applied_at <= coalesce(u.dismissed_at, u.applied_at)
)
select team_id, month, count(days) as updates, count(*) - count(days) as not_known,
    round(median(days), 1) as median_days, round(quantile_cont(days, 0.9), 1) as p90_days
from waits
group by all
order by team_id, month

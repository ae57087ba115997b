-- How many days do updates wait in each team, month by month (median and slowest tenth)?
select team_id, date_trunc('month', applied_at) as month, count(*) as updates,
    round(median(epoch(applied_at - available_at) / 86400), 1) as median_days,
    round(quantile_cont(epoch(applied_at - available_at) / 86400, 0.9), 1) as p90_days
from facts.update_episodes
where applied_at is not null
group by all
order by team_id, month

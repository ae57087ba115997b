-- Which areas are furthest from the requirement (level 3) across the organisation today, and of how many is it not known?
select area, count(score) as teams, count(*) filter (level < 3) as below_requirement,
    count(*) filter (score is null and status <> 'not_applicable') as not_known,
    round(avg(score), 1) as mean_score, round(min(score), 1) as lowest
from marts.scorecard
group by area
order by below_requirement desc, mean_score, area

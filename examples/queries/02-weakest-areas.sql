-- Which areas are furthest from the requirement (level 3) across the organisation today?
select area, count(*) as teams, count(*) filter (level < 3) as below_requirement,
    round(avg(score), 1) as mean_score, round(min(score), 1) as lowest
from marts.scorecard
where score is not null
group by area
order by below_requirement desc, mean_score, area

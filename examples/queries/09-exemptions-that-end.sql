-- Which exemptions end within the next three months, and whose are they?
select team_id, kind, subject, valid_to - 1 as last_day, days_left
from marts.exemptions
where is_active and days_left <= 92
order by days_left, team_id, kind, subject

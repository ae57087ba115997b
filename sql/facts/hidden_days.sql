-- title = "Days on which a source showed nothing of services of a team, and the share of its services that these are"
-- key = ["team_id", "stream", "day"]
-- [columns]
-- team_id = "Team that owned them on the day"
-- stream = "Stream"
-- day = "Local day"
-- share = "Share of the services that the team owned on the day, 0..1"
-- [ranges]
-- share = [0, 1]
with days as (
    select distinct h.stream, h.day, c.starts_at, c.ends_at
    from facts.hidden_services as h
    join ref.calendar as c on c.day = h.day
)

select
    o.team_id, d.stream, d.day,
    count(distinct o.service_id) filter (h.service_id is not null) / count(distinct o.service_id) as share
from days as d
join ref.service_owners as o on o.valid_from_at < d.ends_at and o.valid_to_at > d.starts_at
left join facts.hidden_services as h on h.stream = d.stream and h.day = d.day and h.service_id = o.service_id
group by o.team_id, d.stream, d.day
having share > 0
order by o.team_id, d.stream, d.day

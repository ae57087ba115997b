-- title = "Services of which a source showed nothing on a day that it told of all others: what they did is not known"
-- key = ["stream", "day", "service_id"]
-- [columns]
-- stream = "Stream"
-- day = "Local day"
-- service_id = "Service"
select distinct d.stream, d.day, n.service_id
from meta.load_days as d
join (select stream, load_id, unnest(hidden) as name from meta.loads) as h
    on h.stream = d.stream and h.load_id = d.load_id
join ref.service_names as n on n.name = lower(h.name)
where d.is_complete
order by d.stream, d.day, n.service_id

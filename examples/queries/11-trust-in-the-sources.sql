-- Which sources are late or failing, and which of their days will soon be lost?
select h.stream, h.origin, h.state, h.last_day, h.quarantined, d.starts_on as missing_from, d.ends_on as missing_to, d.lost_on
from marts.source_health as h
left join marts.missing_days as d on d.stream = h.stream and d.origin = h.origin and d.state = 'at_risk'
order by h.state, h.stream, h.origin, missing_from

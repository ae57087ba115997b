-- title = "Hours of each local day in which a signal of a service reached a registered tool"
-- key = ["service_id", "signal", "day"]
-- [columns]
-- service_id = "Service"
-- signal = "availability, performance or security"
-- day = "Local day"
-- hours_with_data = "Hours with data, of the tool that saw most"
select n.service_id, s.signal, s.observed_on as day, max(s.hours_with_data) as hours_with_data
from staging.signal_hours as s
join ref.service_names as n on n.name = lower(s.service_id)
group by n.service_id, s.signal, s.observed_on
order by n.service_id, s.signal, s.observed_on

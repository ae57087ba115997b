-- title = "Incidents: the winning load of each day; what several deliveries tell of one is one row"
-- like_stream = "incidents"
select * exclude (first_starts_at, first_day)
from macros.lasting_rows('incidents', incident_id, declared_at)

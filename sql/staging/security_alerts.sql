-- title = "Scanner alerts: the winning load of each day; what several deliveries tell of one is one row"
-- like_stream = "security_alerts"
select * exclude (first_starts_at, first_day)
from macros.lasting_rows('security_alerts', alert_id, opened_at)

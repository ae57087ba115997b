-- title = { nb = "UptimeRobot: hendelseslogg (CSV)", en = "UptimeRobot log of events (CSV)" }
-- stream = "availability_checks"
-- source = "uptimerobot"
-- input = "log"
-- columns = ["Event", "Date-Time", "Reason", "Duration (in mins.)"]
-- naive_time = "local"
-- note.nb = "Loggen har bare endringer: gi monitorene kind = \"transitions\" i services.toml. Tidene er i kontoens tidssone."
-- note.en = "The log has changes only: give the monitors kind = \"transitions\" in services.toml. Times are of the account's time zone."
select
    _file, _line,
    'uptimerobot' as provider,
    "Monitor" as monitor_id, -- if "Monitor"
    instant("Date-Time", ['%Y-%m-%d %H:%M:%S', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M:%S %p']) as checked_at,
    mapped("Event", map { 'Up': 'up', 'Down': 'down', 'Paused': 'unknown', 'Started': 'unknown' }) as status
from log

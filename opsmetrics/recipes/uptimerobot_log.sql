-- title = { nb = "UptimeRobot: hendelseslogg (CSV)", en = "UptimeRobot log of events (CSV)" }
-- stream = "availability_checks"
-- source = "uptimerobot"
-- input = "log"
-- columns = ["Event", "Date-Time", "Reason", "Duration (in mins.)"]
-- naive_time = "local"
-- note.nb = "Loggen har bare endringer: gi monitorene kind = \"transitions\" i services.toml. Tidene er i kontoens tidssone. Av loggen for én monitor er monitoren filens navn."
-- note.en = "The log has changes only: give the monitors kind = \"transitions\" in services.toml. Times are of the account's time zone. Of the log of one monitor the monitor is the file's name."
select
    _file, _line,
    'uptimerobot' as provider,
    "Monitor" as monitor_id, -- if "Monitor"
    regexp_replace(regexp_extract(_file, '([^/]+)\.[^./]+$', 1), '(?i)^uptimerobot-|-logs?$', '', 'g') as monitor_id, -- unless "Monitor"
    instant("Date-Time", [
        '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M', '%m/%d/%Y %H:%M:%S', '%d/%m/%Y %H:%M:%S', '%m/%d/%Y %I:%M:%S %p',
        '%m/%d/%Y %H:%M', '%d/%m/%Y %H:%M', '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H:%M', '%Y-%m-%dT%H:%M:%SZ'
    ], _file) as checked_at,
    mapped("Event", map {
        'Up': 'up', 'Down': 'down', 'Seems down': 'down', 'Paused': 'unknown', 'Started': 'unknown', 'Not checked yet': 'unknown'
    }) as status
from log

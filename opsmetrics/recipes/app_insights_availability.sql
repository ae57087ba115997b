-- title = { nb = "Application Insights: tilgjengelighetstester (CSV fra Logs)", en = "Application Insights availability tests (CSV of Logs)" }
-- stream = "availability_checks"
-- source = "app-insights"
-- input = "test"
-- columns = ["name", "location", "success", "timestamp [UTC]"]
-- naive_time = "UTC"
-- note.nb = "Monitorens navn er testens navn, uansett hvor den kjørte fra."
-- note.en = "The monitor is the test's name, from wherever it ran."
select
    _file, _line,
    'app-insights' as provider,
    name as monitor_id,
    instant(
        "timestamp [UTC]",
        ['%m/%d/%Y, %I:%M:%S.%g %p', '%m/%d/%Y, %I:%M:%S %p', '%Y-%m-%dT%H:%M:%S.%fZ', '%Y-%m-%dT%H:%M:%SZ']
    ) as checked_at,
    mapped(success, map { '1': 'up', 'true': 'up', '0': 'down', 'false': 'down' }) as status,
    duration as response_ms, -- if "duration"
    row_number() over (partition by name, "timestamp [UTC]" order by location) as sequence
from test

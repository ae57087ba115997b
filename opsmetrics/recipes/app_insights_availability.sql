-- title = { nb = "Application Insights: tilgjengelighetstester (CSV fra Logs)", en = "Application Insights availability tests (CSV of Logs)" }
-- stream = "availability_checks"
-- source = "app-insights"
-- input = "test"
-- cut_at = [10000, 30000]
-- columns = ["name", "location", "success", "timestamp [UTC]"]
-- naive_time = "UTC"
-- note.nb = "Monitorens navn er testens navn, uansett hvor den kjørte fra. Visningen i Logs må stå på UTC."
-- note.en = "The monitor is the test's name, from wherever it ran. Logs must show times in UTC."
-- names."timestamp [UTC]" = ["TimeGenerated [UTC]", "timestamp", "TimeGenerated"]
-- names.duration = ["DurationMs"]
-- names.id = ["Id"]
with told as (
    -- A result that two exports hold is one.
    select *, row_number() over (partition by "name", "timestamp [UTC]", "location", "id" order by _file, _line) as copy -- if "id"
    select *, row_number() over (partition by "name", "timestamp [UTC]", "location", "success" order by _file, _line) as copy -- unless "id"
    from test
)

select
    _file, _line,
    'app-insights' as provider,
    "name" as monitor_id,
    -- As the browser's language writes it: AM and PM in capitals is the American way. Without its zone in the header, a
    -- time says it itself.
    case
        when regexp_matches("timestamp [UTC]", '[AP]M') then instant("timestamp [UTC]", ['%m/%d/%Y, %I:%M:%S.%g %p', '%m/%d/%Y, %I:%M:%S %p'])
        else instant("timestamp [UTC]", [
            '%Y-%m-%dT%H:%M:%S.%fZ', '%Y-%m-%dT%H:%M:%SZ', '%Y-%m-%d %H:%M:%S.%f', '%Y-%m-%d %H:%M:%S', '%d.%m.%Y, %H:%M:%S,%g',
            '%d.%m.%Y, %H:%M:%S.%g', '%d.%m.%Y, %H:%M:%S', '%d/%m/%Y, %H:%M:%S.%g', '%d/%m/%Y, %H:%M:%S', '%d/%m/%Y, %H:%M:%S,%g',
            '%m/%d/%Y, %H:%M:%S.%g', '%d/%m/%Y, %I:%M:%S.%g %p', '%d/%m/%Y, %I:%M:%S %p', '%Y-%m-%d, %H:%M:%S.%g', '%Y-%m-%d, %H:%M:%S,%g'
        ], _file)
    end as checked_at,
    mapped("success", map { '1': 'up', 'true': 'up', '0': 'down', 'false': 'down' }) as status,
    "duration" as response_ms, -- if "duration"
    row_number() over (partition by "name", "timestamp [UTC]" order by "location") as sequence
from told
where copy = 1

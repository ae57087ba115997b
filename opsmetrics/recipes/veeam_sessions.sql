-- title = { nb = "Veeam: økter (Get-VBRBackupSession | Export-Csv)", en = "Veeam sessions (Get-VBRBackupSession | Export-Csv)" }
-- stream = "recovery_points"
-- source = "veeam"
-- input = "session"
-- columns = ["JobName", "CreationTime", "EndTime", "Result"]
-- naive_time = "local"
-- note.nb = "Navnene på jobbene må stå i datastores.toml. En advarsel regnes som brukbar kopi."
-- note.en = "Names of jobs must stand in datastores.toml. A warning counts as a usable copy."
select
    _file, _line,
    "JobName" as datastore_id,
    instant("CreationTime", [
        '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H.%M.%S', '%Y-%m-%d %H:%M:%S', '%m/%d/%Y %I:%M:%S %p'
    ]) as taken_at,
    mapped("Result", map { 'Success': 'true', 'Warning': 'true', 'Failed': 'false' }) as is_usable
from session
where lower("Result") <> 'none'

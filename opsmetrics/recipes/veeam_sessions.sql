-- title = { nb = "Veeam: økter (Get-VBRBackupSession | Export-Csv)", en = "Veeam sessions (Get-VBRBackupSession | Export-Csv)" }
-- stream = "recovery_points"
-- source = "veeam"
-- input = "session"
-- columns = ["JobName", "CreationTime", "Result"]
-- formats = ["csv", "sheet"]
-- naive_time = "local"
-- note.nb = "Navnene på jobbene må stå i datastores.toml. En advarsel regnes som brukbar kopi. Tiden er når økten begynte."
-- note.en = "Names of jobs must stand in datastores.toml. A warning counts as a usable copy. The time is when the session began."
-- names.CreationTime = ["Creation Time", "Date", "StartTime", "Start Time"]
-- names.JobName = ["Job Name"]
-- names.Result = ["Status"]
select
    _file, _line,
    "JobName" as datastore_id,
    instant("CreationTime", [
        '%d.%m.%Y %H:%M:%S', '%d.%m.%Y %H.%M.%S', '%Y-%m-%d %H:%M:%S', '%m/%d/%Y %I:%M:%S %p', '%d/%m/%Y %I:%M:%S %p',
        '%m/%d/%Y %H:%M:%S', '%d/%m/%Y %H:%M:%S', '%d-%m-%Y %H:%M:%S', '%Y-%m-%dT%H:%M:%S', '%d.%m.%Y %H:%M'
    ], _file) as taken_at,
    mapped("Result", map { 'Success': 'true', 'Warning': 'true', 'Failed': 'false', '0': 'true', '1': 'true', '2': 'false' }) as is_usable
from session
-- None: it has not ended. The numbers are those of the same words. Of exports that overlap the newest has the word, and
-- of a report with a row for each machine the one that failed: the job's copy does not hold it.
qualify
    row_number() over (partition by "JobName", "CreationTime" order by made_at(_file, _modified_at) desc, is_usable = 'true', _line) = 1
    and coalesce(lower(trim("Result")), '') not in ('none', '-1')

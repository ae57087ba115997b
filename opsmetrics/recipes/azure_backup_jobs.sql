-- title = { nb = "Azure Backup: jobber (eksport fra portalen eller PowerShell)", en = "Azure Backup jobs (export of the portal or of PowerShell)" }
-- stream = "recovery_points"
-- source = "azure-backup"
-- input = "job"
-- columns = ["Backup instance", "Operation", "Status", "Start time"]
-- naive_time = "local"
-- note.nb = "Tidene er i nettleserens tidssone, skrevet slik språket der skriver dem. Navnene på det som sikkerhetskopieres, må stå i datastores.toml."
-- note.en = "Times are those of the browser's time zone, written as its language writes them. What is backed up must stand in datastores.toml."
-- names."Backup instance" = ["Workload name", "WorkloadName", "Protected item", "Item name"]
-- names."Start time" = ["StartTime"]
select
    _file, _line,
    "Backup instance" as datastore_id,
    -- AM and PM in capitals is the American way; in small letters it is that of others, whose day comes first.
    case
        when regexp_matches("Start time", '[AP]M') and "Start time" like '%,%' then instant("Start time", '%m/%d/%Y, %I:%M:%S %p')
        else instant("Start time", [
            '%d/%m/%Y, %I:%M:%S %p', '%d/%m/%Y, %H:%M:%S', '%d.%m.%Y, %H:%M:%S', '%d.%m.%Y, %H.%M.%S', '%d.%m.%Y %H:%M:%S',
            '%Y-%m-%d %H:%M:%S', '%Y-%m-%d, %H:%M:%S', '%Y-%m-%dT%H:%M:%SZ', '%d/%m/%Y %H:%M:%S', '%m/%d/%Y %H:%M:%S',
            '%m/%d/%Y %I:%M:%S %p', '%d/%m/%Y %I:%M:%S %p', '%Y-%m-%d, %I:%M:%S %p'
        ], _file)
    end as taken_at,
    case
        when not regexp_matches(coalesce("Operation", ''), '(?i)backup|sikkerhetskopi') then unknown_word("Operation")
        else mapped("Status", map {
            'Completed': 'true', 'Completed with warnings': 'true', 'CompletedWithWarnings': 'true',
            'Completed with information': 'true', 'Failed': 'false', 'Cancelled': 'false'
        })
    end as is_usable
from job
-- Of exports that overlap the newest has the word, also where it says that a record is left out: so no where.
qualify
    rank() over (partition by "Backup instance", "Start time" order by made_at(_file, _modified_at) desc) = 1
    and not regexp_matches(coalesce("Operation", ''), '(?i)restore|recovery|gjenoppret|configure|disable|enable|delete|undelete|register|modify|stop|update')
    and coalesce(lower(trim("Status")), '') not in ('in progress', 'inprogress', 'cancelling')

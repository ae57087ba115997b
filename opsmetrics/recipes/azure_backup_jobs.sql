-- title = { nb = "Azure Backup: jobber (eksport fra Backup Center)", en = "Azure Backup jobs (export of Backup center)" }
-- stream = "recovery_points"
-- source = "azure-backup"
-- input = "job"
-- columns = ["Backup instance", "Operation", "Status", "Start time"]
-- naive_time = "local"
-- note.nb = "Tidene er i nettleserens tidssone, skrevet på amerikansk. Navnene på det som sikkerhetskopieres, må stå i datastores.toml."
-- note.en = "Times are those of the browser's time zone, written the American way. What is backed up must stand in datastores.toml."
select
    _file, _line,
    "Backup instance" as datastore_id,
    instant("Start time", ['%m/%d/%Y, %I:%M:%S %p', '%m/%d/%Y %I:%M:%S %p']) as taken_at,
    mapped("Status", map {
        'Completed': 'true', 'Completed with warnings': 'true', 'CompletedWithWarnings': 'true',
        'Failed': 'false', 'Cancelled': 'false'
    }) as is_usable
from job
where
    not regexp_matches("Operation", '(?i)restore|recovery|gjenoppret|configure|disable|delete|register|modify')
    and lower("Status") not in ('in progress', 'inprogress', 'cancelling')

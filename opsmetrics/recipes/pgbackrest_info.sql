-- title = { nb = "pgBackRest: `pgbackrest info --output=json`", en = "pgBackRest: `pgbackrest info --output=json`" }
-- stream = "recovery_points"
-- source = "pgbackrest"
-- input = "stanza"
-- columns = ["name", "backup"]
-- note.nb = "Utløpte kopier står ikke i svaret: ta vare på svarene, for eksempel ett om dagen. WAL-arkivet er ikke regnet med."
-- note.en = "Expired backups are not in the answer: keep the answers, one a day for instance. The WAL archive is not counted."
select distinct
    name as datastore_id,
    instant_of_seconds(copy ->> '$.timestamp.stop') as taken_at,
    coalesce(copy ->> '$.error', 'false') = 'false' as is_usable,
    min(_file) over same as _file,
    min(_line) over same as _line
from stanza, unnest(items(backup)) as of_stanza(copy)
window same as (partition by name, copy ->> '$.timestamp.stop')

-- title = { nb = "restic: `restic snapshots --json`", en = "restic: `restic snapshots --json`" }
-- stream = "recovery_points"
-- source = "restic"
-- input = "snapshot"
-- columns = ["time", "tree", "paths", "hostname", "id"]
-- formats = ["json"]
-- note.nb = "Datalageret er maskin og stier, som restic selv grupperer dem: web-1 og /srv/db er web-1-srv-db. Gi kopier fra containere et fast navn med --host. Slettede kopier står ikke i svaret: ta vare på svarene, for eksempel ett om dagen. En kopi som mangler filer (avslutningskode 3), ser ut som de andre."
-- note.en = "The datastore is host and paths, as restic itself groups them: web-1 and /srv/db are web-1-srv-db. Give backups of containers a lasting name with --host. Forgotten snapshots are not in the answer: keep the answers, one a day for instance. A snapshot that lacks files (exit code 3) looks like the others."
with named as (
    select
        _file, _line, "time",
        trim(regexp_replace(
            replace(translate(strip_accents(lower(concat_ws('-', "hostname",
                list_aggregate(list_sort(list_transform(items("paths"), lambda path: path ->> '$')), 'string_agg', '-')
            ))), 'ø', 'o'), 'æ', 'ae'),
            '[^a-z0-9_.]+', '-', 'g'
        ), '-_.') as datastore
    from snapshot
)
select
    _file, _line,
    case when length(datastore) > 80 then left(datastore, 63) || '-' || opaque(datastore) else datastore end as datastore_id,
    "time" as taken_at,
    'true' as is_usable
from named
-- Answers overlap: each has every snapshot that was there.
qualify row_number() over (partition by datastore, utc("time") order by _file, _line) = 1

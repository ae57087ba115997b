-- title = { nb = "Uptime Kuma: databasen `kuma.db` (SQLite)", en = "Uptime Kuma: its database `kuma.db` (SQLite)" }
-- stream = "availability_checks"
-- source = "uptime-kuma"
-- input = "heartbeat"
-- columns = ["id", "monitor_id", "status", "time", "ping"]
-- formats = ["sqlite"]
-- records = ["heartbeat"]
-- tables.monitor = "monitor"
-- naive_time = "UTC"
-- note.nb = "Ta kopien med sqlite3 kuma.db \".backup kopi.db\". Versjon 2 har alle sjekker bare for det siste døgnet, og før det bare endringene: ta vare på en kopi om dagen og gi monitorene hold_minutes, eller gi dem kind = \"transitions\". En sjekk som prøves igjen, regnes som nede, som i Kumas egen oppetid; vedlikehold er ukjent. Grupper gjentar monitorene sine og er ikke med."
-- note.en = "Make the copy with sqlite3 kuma.db \".backup copy.db\". Version 2 has every check of the last day only, and before that the changes: keep a copy a day and give the monitors hold_minutes, or give them kind = \"transitions\". A check that is retried counts as down, as in Kuma's own uptime; maintenance is unknown. Groups repeat their monitors and are left out."
with named as (
    select
        _file, id, "active", "interval", "type",
        -- Names need not be unique there.
        case when count(*) over (partition by _file, "name") > 1 then concat("name", ' (', id, ')') else "name" end as monitor
    from monitor
),

beats as (
    select
        beat._file, beat._line, beat._modified_at, beat.id, beat."time", beat.status, beat.ping, named."active", named."interval",
        coalesce(named.monitor, beat.monitor_id) as monitor
    from heartbeat as beat
    left join named on beat._file = named._file and beat.monitor_id = named.id
    qualify
        rank() over (partition by coalesce(named.monitor, beat.monitor_id), beat."time" order by made_at(beat._file, beat._modified_at) desc) = 1
        and named."type" is distinct from 'group'
)

select
    _file, _line,
    'uptime-kuma' as provider,
    monitor as monitor_id,
    "time" as checked_at,
    mapped(status, map { '0': 'down', '1': 'up', '2': 'down', '3': 'unknown' }) as status,
    ping as response_ms,
    id as sequence
from beats
union all
-- A pause writes no row: what a monitor said last does not stand longer than until its next check.
select
    arg_max(_file, "time"), arg_max(_line, "time"), 'uptime-kuma', monitor, later(max("time"), arg_max("interval", "time")), 'unknown', null, null
from beats
group by monitor
having arg_max("active", "time") = '0'

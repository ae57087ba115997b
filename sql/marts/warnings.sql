-- title = """\
--     What makes the data say less than they seem to: one row per thing, for the command line, the data quality page \
--     and analysts"""
-- key = ["kind", "stream", "origin", "name"]
-- [columns]
-- kind = """\
--     all_set_aside, all_unmatched (errors: nothing of the stream can be used), nothing_connected (an error), \
--     set_aside, missing_days, shared_id, unknown_name, unknown_reference, before_owner, no_owner, unread_update, \
--     new_column, untold_column, future, silent_monitor, unseen_monitor, clock or not_connected"""
-- stream = "Stream; empty where it is about none"
-- origin = "Source; empty where it is about none, or about several"
-- name = "Name, reason or column that it is about; empty where it is about none"
-- row_count = "Rows; of missing_days, days; of a monitor, days of silence; null = nothing is counted"
-- first_on = "First local day; null = of no day"
-- last_on = "Last local day; null = of no day"
-- is_error = "Nothing usable is left, so that commands fail without being asked to be strict"
with latest as (select "on" from ref.as_of where grain = 'latest'),

counting as (
    select distinct stream, load_id from meta.load_days
    union
    select stream, load_id from meta.register_loads
),

set_aside as (
    select q.stream, l.origin, q.reason, count(*) as row_count
    from meta.quarantine as q
    join counting as c on c.stream = q.stream and c.load_id = q.load_id
    join meta.loads as l on l.stream = q.stream and l.load_id = q.load_id
    group by q.stream, l.origin, q.reason
),

-- Columns that the newest load brought and the one before it did not.
columns as (
    select
        stream, origin, dropped_columns,
        coalesce(lag(dropped_columns) over in_order, []) as dropped_before,
        row_number() over (partition by stream, origin order by sequence desc) as age
    from meta.loads
    window in_order as (partition by stream, origin order by sequence)
),

strangers as (
    select *, sum(row_count) over (partition by stream, kind) >= stream_rows as is_all from facts.unmatched_rows
),

late as (
    select d.stream, d.origin, sum(r.rows) as row_count, min(r.day) as first_on, max(r.day) as last_on
    from meta.load_days as d
    join meta.day_rows as r on r.stream = d.stream and r.load_id = d.load_id and r.day = d.day
    cross join latest as l
    where r.day > l."on" + 1 and d.is_complete
    group by d.stream, d.origin
),

found as (
    select
        case when h.row_count = 0 then 'all_set_aside' else 'set_aside' end as kind, s.stream, s.origin,
        s.reason as name, s.row_count, cast(null as date) as first_on, h.last_day as last_on
    from set_aside as s
    join marts.source_health as h on h.stream = s.stream and h.origin = s.origin
    union all
    select 'missing_days', stream, origin, origin, sum(day_count), min(starts_on), max(ends_on)
    from marts.missing_days
    where (stream, origin) in (select (stream, origin) from meta.sources where kind = 'files') group by stream, origin
    union all
    select
        case
            when kind in ('resource', 'rule', 'deployment', 'product', 'subject') then 'unknown_reference'
            when is_all then 'all_unmatched'
            when reason = 'unknown' then 'unknown_name' else reason
        end,
        stream, '',
        concat(kind, ' ', ltrim(name, '/'), case when is_all and reason <> 'unknown' then ', ' || reason end),
        row_count, first_on, last_on
    from strangers
    union all
    select 'shared_id', stream, '', array_to_string(origins, ' + '), count(*), min(first_on), max(last_on)
    from staging.shared_ids group by stream, origins
    union all
    select 'unread_update', 'update_merges', '', unread_form, count(*), min(day), max(day)
    from staging.update_merges where unread_form is not null group by unread_form
    union all
    select distinct
        'new_column', stream, origin,
        unnest(list_filter(dropped_columns, lambda x: not list_contains(dropped_before, x))), null, null, null
    from columns
    where age = 1
    union all
    select 'untold_column', u.stream, u.origin, u.column_name, null, u.first_on, u.last_on
    from meta.untold as u where u.stream || '.' || u.column_name in (select unnest(rests_on) from meta.metrics)
    union all
    select 'future', stream, origin, '', row_count, first_on, last_on from late
    union all
    select
        case state when 'silent' then 'silent_monitor' else 'unseen_monitor' end,
        'availability_checks', '', ltrim(name, '/'), silent_days, null, last_on
    from marts.silent_monitors
    union all
    select 'clock', '', '', '', null, cast(frozen_at as date), null from meta.organisation where frozen_at is not null
    union all
    select 'not_connected', stream, '', '', null, null, null
    from meta.streams
    where not is_connected and not is_left_out and stream in (select unnest(needs) from meta.metrics)
    union all
    select 'nothing_connected', '', '', '', null, null, null from meta.streams
    where stream in (select unnest(needs) from meta.metrics) having not bool_or(is_connected)
)

select
    * replace (cast(row_count as bigint) as row_count),
    kind in ('all_set_aside', 'all_unmatched', 'nothing_connected') as is_error
from found
order by kind, stream, origin, row_count desc nulls last, name

-- title = "Freshness of every connected stream, worst first"
-- key = ["stream"]
-- [columns]
-- stream = "Stream"
-- doc = "What a row is"
-- is_register = "Every load is the whole state"
-- expected_hours = "Hours between new data"
-- attempted_at = "Last pull, UTC"
-- error = "What went wrong at the last pull, or null"
-- last_day = "Last local day with a complete load; registers: day of the load"
-- row_count = "Rows in the loads that count"
-- quarantined = "Rows set aside in the loads that count"
-- state = "fresh, late (older than two expected intervals) or failed (last pull failed, or no data at all)"
with latest as (select "on" from ref.as_of where grain = 'latest'),
winners as (
    select stream, load_id, max(day) filter (is_complete) as last_day from meta.load_days group by stream, load_id
    union all
    select stream, load_id, cast(loaded_at as date) from meta.register_loads
),
totals as (
    select w.stream, max(w.last_day) as last_day, cast(sum(l.rows) as bigint) as row_count,
        cast(sum(l.quarantined) as bigint) as quarantined
    from winners as w
    join meta.loads as l on l.stream = w.stream and l.load_id = w.load_id
    group by w.stream
),
judged as (
    select s.stream, s.doc, s.is_register, s.expected_hours, s.attempted_at, s.error, t.last_day,
        coalesce(t.row_count, 0) as row_count, coalesce(t.quarantined, 0) as quarantined,
        case
            when s.error is not null or t.last_day is null then 'failed'
            when not s.is_register
                and t.last_day <= l."on" - cast(greatest(2, ceil(s.expected_hours / 12.0)) as integer) then 'late'
            else 'fresh'
        end as state
    from meta.streams as s
    cross join latest as l
    left join totals as t on t.stream = s.stream
    where s.is_connected
)
select * from judged
order by case state when 'failed' then 0 when 'late' then 1 else 2 end, stream

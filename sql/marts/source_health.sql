-- title = "Freshness of every source of every connected stream, worst first"
-- key = ["stream", "origin"]
-- [columns]
-- stream = "Stream"
-- origin = "Source: files, or a connector of sources.toml"
-- kind = "Kind of connector, or files"
-- doc = "What a row is"
-- is_register = "Every load is the whole state"
-- expected_hours = "Hours between new data"
-- attempted_at = "Last pull, UTC"
-- error = "What went wrong at the last pull, or null"
-- last_day = "Last local day with a complete load; registers: day of the load"
-- row_count = "Rows that count: of each day those of the load that replaced the others"
-- quarantined = "Rows set aside in the loads that count"
-- state = """\
--     fresh, gaps (files that are fresh and lack days of the last four weeks), late (older than two expected \
--     intervals), failed (last pull failed, or no data at all) or ended"""
-- missing_days = "Days that it owes and has not delivered whole: marts.missing_days"
with latest as (select "on" from ref.as_of where grain = 'latest'),

winners as (
    select
        d.stream, d.origin, d.load_id, max(d.day) filter (d.is_complete) as last_day,
        coalesce(sum(r.rows), 0) as row_count
    from meta.load_days as d
    left join meta.day_rows as r on r.stream = d.stream and r.load_id = d.load_id and r.day = d.day
    group by d.stream, d.origin, d.load_id
    union all
    select g.stream, g.origin, g.load_id, cast(g.loaded_at as date), l.rows
    from meta.register_loads as g
    join meta.loads as l on l.stream = g.stream and l.load_id = g.load_id
),

totals as (
    select
        w.stream, w.origin, max(w.last_day) as last_day, cast(sum(w.row_count) as bigint) as row_count,
        cast(sum(l.quarantined) as bigint) as quarantined
    from winners as w
    join meta.loads as l on l.stream = w.stream and l.load_id = w.load_id
    group by w.stream, w.origin
),

missing as (
    select stream, origin, sum(day_count) as day_count, max(ends_on) as last_on
    from marts.missing_days
    group by stream, origin
),

judged as (
    select
        s.stream, s.origin, s.kind, m.doc, m.is_register, m.expected_hours, s.attempted_at, s.error, t.last_day,
        coalesce(t.row_count, 0) as row_count, coalesce(t.quarantined, 0) as quarantined,
        case
            when s.due_to <= l."on" and t.last_day is not null then 'ended'
            when s.error is not null or t.last_day is null then 'failed'
            when
                not m.is_register
                and t.last_day <= l."on" - macros.fresh_days(m.expected_hours) then 'late'
            when s.kind = 'files' and g.last_on > l."on" - 28 then 'gaps'
            else 'fresh'
        end as state,
        cast(coalesce(g.day_count, 0) as bigint) as missing_days
    from meta.sources as s
    join meta.streams as m on m.stream = s.stream
    cross join latest as l
    left join totals as t on t.stream = s.stream and t.origin = s.origin
    left join missing as g on g.stream = s.stream and g.origin = s.origin
)

select * from judged
order by
    case state when 'failed' then 0 when 'late' then 1 when 'gaps' then 2 when 'fresh' then 3 else 4 end, stream, origin

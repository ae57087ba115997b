-- title = "Time of which every source of a stream has delivered the whole: days in a row are one span"
-- [arguments]
-- for_stream = "Stream, as a literal"
create or replace macro macros.delivered_spans(for_stream) as table
    select min(c.starts_at) as starts_at, max(c.ends_at) as ends_at
    from (
        select day, day - cast(row_number() over (order by day) as integer) as island
        from meta.delivered_days
        where stream = for_stream
    ) as d
    join ref.calendar as c on c.day = d.day
    group by d.island

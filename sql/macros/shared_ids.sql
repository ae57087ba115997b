-- title = """\
--     Ids of a stream that several sources give to records which began more than a day apart: two desks that both \
--     count from one"""
-- [arguments]
-- for_stream = "Stream, as a literal"
-- key = "Column that identifies a row"
-- starts = "Column that says when it began"
-- [names_table]
-- for_stream = "raw"
create or replace macro macros.shared_ids(for_stream, key, starts) as table
    with counting as (
        select load_id, day from meta.load_days where stream = for_stream
        union all
        select load_id, null from meta.register_loads where stream = for_stream
    ),

    told as (
        select key as id, starts as started_at, l.origin, r._day as day
        from query_table('raw.' || for_stream) as r
        join counting as w on w.load_id = r._load_id and coalesce(w.day = r._day, true)
        join meta.loads as l on l.stream = for_stream and l.load_id = r._load_id
        -- Of a stream with one source nothing is read.
        where (select count(distinct origin) from meta.loads where stream = for_stream) > 1
    )

    select
        for_stream as stream, id, list_sort(list(distinct origin)) as origins, min(day) as first_on, max(day) as last_on
    from told
    group by id
    having count(distinct origin) > 1 and epoch_us(max(started_at)) - epoch_us(min(started_at)) > 86400e6

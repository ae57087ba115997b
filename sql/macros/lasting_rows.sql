-- title = """\
--     Rows that last, from the winning load of each day: what several deliveries tell of one is one row; of each \
--     column, what the delivery of the latest days says that says anything"""
-- [arguments]
-- for_stream = "Stream, as a literal"
-- key = "Column that identifies a row, or several in parentheses"
-- starts = "Column that says when it began; its earliest value and day are first_starts_at and first_day"
-- [names_table]
-- for_stream = "raw"
create or replace macro macros.lasting_rows(for_stream, key, starts) as table
    with told as (
        select
            r.* exclude (_line, _load_id), starts as first_starts_at, l.untold, l.origin as _origin,
            -- By the days of the delivery, then by number: a late or mended file of an early day says nothing newer.
            row_number() over (partition by key order by l.window_end, w.sequence, r._line) as _rank,
            count(*) over (partition by key) as _copies
        from query_table('raw.' || for_stream) as r
        join meta.load_days as w on w.stream = for_stream and w.day = r._day and w.load_id = r._load_id
        join meta.loads as l on l.stream = for_stream and l.load_id = r._load_id
    ),

    -- What another source told under the same id of something that began more than a day apart is something else
    -- (staging.shared_ids): one row is never made of two records.
    several as (
        select *, arg_max(first_starts_at, _rank) over (partition by key) as _start
        from told where _copies > 1
        qualify
            _origin is not distinct from arg_max(_origin, _rank) over (partition by key)
            or coalesce(
                abs(
                    epoch_us(first_starts_at) - epoch_us(arg_max(first_starts_at, _rank) over (partition by key))
                ) <= 86400e6,
                true
            )
    )

    select * exclude (_rank, _copies, _origin, _day, untold), _day as first_day, _day as day, untold
    from told where _copies = 1
    union all by name
    -- arg_max passes over nulls: a delivery that does not tell of the acknowledgement takes back none that was told.
    select
        arg_max(columns(* exclude (_rank, _copies, _origin, _day, _start, first_starts_at, untold)), _rank),
        -- Its day is that on which it began, whenever it was told again.
        min(first_starts_at) as first_starts_at, min(_day) as first_day,
        min(_day) filter (first_starts_at is not distinct from _start) as day,
        arg_min(untold, row(len(untold), untold)) as untold
    from several group by key

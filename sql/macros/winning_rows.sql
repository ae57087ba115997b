-- title = "Rows of a stream from the winning load of each day; of a row that moved to another day, the one landed last"
-- [arguments]
-- for_stream = "Stream, as a literal"
-- key = "Column that identifies a row, or several in parentheses"
-- [names_table]
-- for_stream = "raw"
create or replace macro macros.winning_rows(for_stream, key) as table
    select r.* exclude (_day, _line, _load_id), r._day as day, l.untold
    from query_table('raw.' || for_stream) as r
    join meta.load_days as w on w.stream = for_stream and w.day = r._day and w.load_id = r._load_id
    join meta.loads as l on l.stream = for_stream and l.load_id = r._load_id
    -- By number, never by the clock that stands in a load's id: clocks jump.
    qualify row_number() over (partition by key order by w.sequence desc, r._line desc) = 1

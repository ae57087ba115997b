-- title = "Rows of a stream that is a register: of each key, the row of the newest load"
-- [arguments]
-- for_stream = "Stream, as a literal"
-- key = "Column that identifies a row, or several in parentheses"
-- [names_table]
-- for_stream = "raw"
create or replace macro macros.register_rows(for_stream, key) as table
    select r.* exclude (_day, _line, _load_id), r._day as day, l.untold
    from query_table('raw.' || for_stream) as r
    join meta.register_loads as w on w.stream = for_stream and w.load_id = r._load_id
    join meta.loads as l on l.stream = for_stream and l.load_id = r._load_id
    qualify row_number() over (partition by key order by w.sequence desc) = 1

-- title = "End-of-support dates: the newest register"
-- like_stream = "eol_dates"
select * from macros.register_rows('eol_dates', (product, cycle))

-- title = "Assessment findings: the newest register"
-- like_stream = "findings"
select * from macros.register_rows('findings', finding_id)

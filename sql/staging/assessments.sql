-- title = "Security assessments: the newest register"
-- like_stream = "assessments"
select * exclude (untold) from macros.register_rows('assessments', assessment_id)

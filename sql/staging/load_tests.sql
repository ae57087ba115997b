-- title = "Load tests: the newest register"
-- like_stream = "load_tests"
select * exclude (untold) from macros.register_rows('load_tests', test_id)

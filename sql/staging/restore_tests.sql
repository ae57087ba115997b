-- title = "Restore tests: the newest register"
-- like_stream = "restore_tests"
select * from macros.register_rows('restore_tests', test_id)

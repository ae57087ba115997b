-- title = "Restore tests: the newest register"
-- like_stream = "restore_tests"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.restore_tests as r
join meta.register_loads as w on w.stream = 'restore_tests' and w.load_id = r._load_id
qualify row_number() over (partition by r.test_id order by w.sequence desc) = 1

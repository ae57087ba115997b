-- title = "Planned maintenance: the newest register"
-- like_stream = "maintenance_tasks"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.maintenance_tasks as r
join meta.register_loads as w on w.stream = 'maintenance_tasks' and w.load_id = r._load_id
qualify row_number() over (partition by r.task_id order by w.sequence desc) = 1

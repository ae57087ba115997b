-- title = "Planned maintenance: the newest register"
-- like_stream = "maintenance_tasks"
select * from macros.register_rows('maintenance_tasks', task_id)

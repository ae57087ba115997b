-- title = "Corrective actions: the newest register"
-- like_stream = "action_items"
select * from macros.register_rows('action_items', action_id)

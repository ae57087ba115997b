-- title = "Recovery points: the winning load of each day"
-- like_stream = "recovery_points"
select * exclude (untold) from macros.winning_rows('recovery_points', (datastore_id, taken_at))

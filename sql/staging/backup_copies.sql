-- title = "Backup copies: the winning load of each day"
-- like_stream = "backup_copies"
select * exclude (untold) from macros.winning_rows('backup_copies', (datastore_id, copy_id, observed_on))

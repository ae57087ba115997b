-- title = "Merged bot updates: the winning load of each day"
-- like_stream = "update_merges"
select * exclude (untold) from macros.winning_rows('update_merges', (repository, commit_id))

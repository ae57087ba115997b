-- title = "Security control results: the winning load of each day"
-- like_stream = "control_results"
select * exclude (untold) from macros.winning_rows('control_results', (control_id, asset_id, observed_on))

-- title = "Signal hours: the winning load of each day"
-- like_stream = "signal_hours"
select * exclude (untold) from macros.winning_rows('signal_hours', (service_id, signal, tool, observed_on))

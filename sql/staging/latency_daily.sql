-- title = "Requests within the latency threshold: the winning load of each day"
-- like_stream = "latency_daily"
select * exclude (untold) from macros.winning_rows('latency_daily', (service_id, observed_on))

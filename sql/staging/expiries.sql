-- title = "Secrets and certificates: the winning load of each day"
-- like_stream = "expiries"
select * exclude (untold) from macros.winning_rows('expiries', (expiry_id, observed_on))

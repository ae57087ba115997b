-- title = "Secure scores: the winning load of each day"
-- like_stream = "secure_scores"
select * exclude (untold) from macros.winning_rows('secure_scores', (subscription_id, observed_on))

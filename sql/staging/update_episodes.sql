-- title = "Lag episodes: the winning load of each day; what several deliveries tell of one is one row"
-- like_stream = "update_episodes"
select * exclude (first_starts_at, first_day)
from macros.lasting_rows('update_episodes', episode_id, available_at)

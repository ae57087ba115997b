-- title = "Vulnerabilities: the winning load of each day; what several deliveries tell of a tier state is one row"
-- like_stream = "vulnerabilities"
select * exclude (first_starts_at, first_day)
from macros.lasting_rows('vulnerabilities', (vulnerability_id, effective_at), effective_at)

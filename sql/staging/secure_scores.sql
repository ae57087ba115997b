-- title = "Secure scores: the winning load of each day"
-- like_stream = "secure_scores"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.secure_scores as r
join meta.load_days as w on w.stream = 'secure_scores' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (partition by r.subscription_id, r.observed_on order by r._load_id desc, r._line desc) = 1

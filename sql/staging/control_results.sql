-- title = "Security control results: the winning load of each day"
-- like_stream = "control_results"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.control_results as r
join meta.load_days as w on w.stream = 'control_results' and w.day = r._day and w.load_id = r._load_id
qualify row_number() over (
    partition by r.control_id, r.asset_id, r.observed_on
    order by r._load_id desc, r._line desc
) = 1

-- title = "Security assessments: the newest register"
-- like_stream = "assessments"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.assessments as r
join meta.register_loads as w on w.stream = 'assessments' and w.load_id = r._load_id
qualify row_number() over (partition by r.assessment_id order by w.sequence desc) = 1

-- title = "Reviews of documentation pages: the newest register"
-- like_stream = "documents"
select r.* exclude (_day, _line, _load_id), r._day as day
from raw.documents as r
join meta.register_loads as w on w.stream = 'documents' and w.load_id = r._load_id
qualify row_number() over (partition by r.document_id, r.reviewed_at order by w.sequence desc) = 1

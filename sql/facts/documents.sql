-- title = "Reviews of documentation pages, with their service where they name one"
-- key = ["document_id", "reviewed_at"]
-- [columns]
-- document_id = "Page"
-- kind = "monitoring, known_error, restore, incident_routine, incident_exercise or monitoring_guide"
-- service_id = "Service, or null"
-- subject_id = "Alert rule, incident signature or datastore, or null"
-- reviewed_at = "Reviewed, UTC"
-- is_reviewed_by_other = "By somebody other than the author"
-- is_complete = "It has the required fields"
select d.document_id, d.kind, n.service_id, d.subject_id, d.reviewed_at, d.is_reviewed_by_other, d.is_complete
from staging.documents as d
left join ref.service_names as n on n.name = d.service_id
order by d.document_id, d.reviewed_at

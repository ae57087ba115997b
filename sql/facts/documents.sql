-- title = "Reviews of documentation pages, with their service where they name one"
-- key = ["document_id", "reviewed_at"]
-- [columns]
-- document_id = "Page"
-- kind = "monitoring, known_error, restore, incident_routine, incident_exercise or monitoring_guide"
-- service_id = "Service; null = it names none, or none that is known"
-- is_general = "It names no service at all; null = its register does not tell"
-- subject_id = "Alert rule, incident signature or datastore; null = none, or untold"
-- reviewed_at = "Reviewed, UTC"
-- is_reviewed_by_other = "By somebody other than the author"
-- is_complete = "It has the required fields"
-- untold = "Columns that its source cannot tell: empty there says nothing at all"
select
    d.document_id, d.kind, n.service_id,
    case when d.service_id is not null then false when macros.told(d.untold, 'service_id') then true end as is_general,
    d.subject_id, d.reviewed_at, d.is_reviewed_by_other, d.is_complete, d.untold
from staging.documents as d
left join ref.service_names as n on n.name = lower(d.service_id)
order by d.document_id, d.reviewed_at

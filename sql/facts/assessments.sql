-- title = "Security assessments of catalogued services"
-- key = ["assessment_id"]
-- [columns]
-- assessment_id = "Assessment"
-- service_id = "Service"
-- kind = "risk, threat_model or penetration_test"
-- approved_at = "Approved, UTC"
select a.assessment_id, n.service_id, a.kind, a.approved_at
from staging.assessments as a
join ref.service_names as n on n.name = lower(a.service_id)
order by a.approved_at, a.assessment_id

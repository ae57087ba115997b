-- title = "Who answers for which datastore at each instant"
-- key = ["datastore_id", "as_of", "grain"]
-- [columns]
-- as_of = "Instant of evaluation, UTC"
-- grain = "month, tertial, week, latest; series_month and series_quarter for trends"
-- team_id = "Owner of the service"
-- datastore_id = "Datastore"
-- data_class = "A to D"
-- rpo_hours = "Recovery point objective, hours"
-- rto_minutes = "Recovery time objective, minutes"
-- backup_interval_hours = "Hours between backups; null = no policy"
-- has_restore_plan = "A plan row for restore tests exists"
-- has_rebuild_rationale = "Class D with approved rationale"
-- criticality_weight = "3, 2 or 1, of the service"
select
    o.as_of, o.grain, o.team_id, d.datastore_id, d.data_class, d.rpo_hours, d.rto_minutes,
    d.backup_interval_hours, d.has_restore_plan, d.has_rebuild_rationale, o.criticality_weight
from ref.owned_services as o
join ref.datastores as d on d.service_id = o.service_id
order by d.datastore_id, o.grain, o.as_of

-- title = """\
--     Ids that several sources give to different records, which began more than a day apart: of each id only the \
--     record of the source that told last counts"""
-- key = ["stream", "id"]
-- [columns]
-- stream = "Stream"
-- id = "Id at the sources"
-- origins = "Sources that give it"
-- first_on = "First local day of these records; null = of no day"
-- last_on = "Last local day of these records; null = of no day"
from macros.shared_ids('alerts', alert_id, fired_at)
union all
from macros.shared_ids('incidents', incident_id, declared_at)
union all
from macros.shared_ids('action_items', action_id, created_at)
union all
from macros.shared_ids('assist_requests', request_id, asked_at)
union all
from macros.shared_ids('oncall_shifts', shift_id, starts_at)
union all
from macros.shared_ids('deployments', deployment_id, deployed_at)
union all
from macros.shared_ids('restore_tests', test_id, requested_at)
union all
from macros.shared_ids('findings', finding_id, found_at)
union all
from macros.shared_ids('security_alerts', alert_id, opened_at)
order by stream, id

-- title = { nb = "Statuspage: historikk (/api/v2/incidents.json)", en = "Statuspage history (/api/v2/incidents.json)" }
-- stream = "incident_reports"
-- source = "statuspage"
-- input = "report"
-- columns = ["id", "impact", "created_at", "resolved_at", "status", "page_id"]
-- records = ["incidents", "scheduled_maintenances"]
-- note.nb = "Siden viser de 50 nyeste: ta vare på svarene, og la path være et mønster."
-- note.en = "The page shows the 50 newest: keep the answers, and let path be a pattern."
select
    _file, _line,
    page_id as provider,
    id as report_id,
    case when impact = 'maintenance' then 'maintenance' else 'incident' end as kind,
    impact as severity,
    coalesce(started_at, created_at) as started_at, -- if "started_at"
    case when status in ('resolved', 'postmortem', 'completed') then resolved_at end as resolved_at,
    created_at as announced_at
from report
qualify row_number() over (partition by page_id, id order by updated_at desc) = 1 and status is distinct from 'scheduled' -- if "updated_at"
where status is distinct from 'scheduled' -- unless "updated_at"

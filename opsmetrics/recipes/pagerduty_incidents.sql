-- title = { nb = "PagerDuty: hendelser med prioritet (rapport eller analytics)", en = "PagerDuty incidents with a priority (report or analytics)" }
-- stream = "incidents"
-- source = "pagerduty"
-- input = "incident"
-- columns = ["incident_number", "service_name", "seconds_to_resolve", "priority_name", "urgency"]
-- records = ["data", ""]
-- team = "team_name"
-- note.nb = "I PagerDuty er hver vakttelefon en hendelse; de som har prioritet, regnes som hendelser her."
-- note.en = "In PagerDuty each page is an incident; those with a priority are incidents here."
select
    _file, _line,
    incident_number as incident_id,
    service_name as service_id,
    mapped(matched(priority_name, '(?i)^(?:p|sev-?)([1-5])'), map { '5': '4' }) as severity,
    created_on as declared_at, -- if "created_on"
    created_at as declared_at, -- if "created_at"
    resolved_on as resolved_at -- if "resolved_on"
    resolved_at -- if "resolved_at"
from incident
-- Of exports that overlap the newest has the word, also where it says that a record is left out: so no where.
qualify
    rank() over (partition by incident_number order by made_at(_file, _modified_at) desc) = 1
    and nullif(trim(priority_name), '') is not null

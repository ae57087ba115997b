-- title = { nb = "PagerDuty: vakttelefoner (rapport eller analytics)", en = "PagerDuty pages (report or analytics)" }
-- stream = "alerts"
-- source = "pagerduty"
-- input = "page"
-- columns = ["incident_number", "description", "service_name", "seconds_to_first_ack", "urgency"]
-- records = ["data", ""]
-- team = "team_name"
-- note.nb = "Saker med lav hast vekker ingen og er utelatt. Hasten er den som gjelder til slutt: en sak som fikk lavere hast etter varselet, mangler. Hvem som kvitterte, er ikke med."
-- note.en = "Incidents of low urgency wake nobody and are left out. The urgency is the last one: a page whose urgency was lowered afterwards is missing. Who acknowledged is not told."
select
    _file, _line,
    incident_number as alert_id,
    service_name as service_id,
    opaque(lower(regexp_replace(description, '[0-9]+', '', 'g'))) as rule_id,
    created_on as fired_at, -- if "created_on"
    created_at as fired_at, -- if "created_at"
    later(created_on, seconds_to_first_ack) as acknowledged_at, -- if "created_on"
    later(created_at, seconds_to_first_ack) as acknowledged_at, -- if "created_at"
    resolved_on as closed_at -- if "resolved_on"
    resolved_at as closed_at -- if "resolved_at"
from page
-- Of exports that overlap the newest has the word, also where it says that a record is left out: so no where.
qualify
    rank() over (partition by incident_number order by made_at(_file, _modified_at) desc) = 1
    and lower(trim(urgency)) is distinct from 'low'

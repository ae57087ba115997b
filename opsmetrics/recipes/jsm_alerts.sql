-- title = { nb = "Jira Service Management Operations: varsler (svar fra API-et)", en = "Jira Service Management Operations alerts (answers of the API)" }
-- stream = "alerts"
-- source = "jsm"
-- input = "alert"
-- columns = ["id", "tinyId", "createdAt", "priority", "status", "tags"]
-- records = ["values", "data", ""]
-- note.nb = "Tjenesten leses av merkelappen `service:`. Hvem som kvitterte, står ikke i svaret."
-- note.en = "The service is read from the tag `service:`. The answer does not say who acknowledged."
select
    _file, _line,
    id as alert_id,
    nullif(regexp_extract(tags, '(?i)"service:\s*([^"]+)"', 1), '') as service_id,
    coalesce(nullif(regexp_extract(tags, '(?i)"rule:\s*([^"]+)"', 1), ''), opaque(alias)) as rule_id, -- if "alias"
    mapped(priority, map { 'P1': '1', 'P2': '2', 'P3': '3', 'P4': '4', 'P5': '5' }) as severity,
    createdAt as fired_at,
    coalesce(ackTime, case when acknowledged = 'true' then 'acknowledged, without a time' end) as acknowledged_at, -- if "ackTime" -- if "acknowledged"
    ackTime as acknowledged_at, -- if "ackTime" -- unless "acknowledged"
    -- One that is closed without a time is not open: it was last changed when it was closed, or later.
    coalesce(closeTime, case when status = 'closed' then coalesce( -- if "closeTime"
        updatedAt, -- if "closeTime" -- if "updatedAt"
        'closed, without a time') end) as closed_at, -- if "closeTime"
    case when status = 'closed' then coalesce( -- if "report"
        later(createdAt, thousandth(report ->> 'closeTime')), -- if "report"
        updatedAt, -- if "report" -- if "updatedAt"
        'closed, without a time') end as closed_at, -- if "report"
    later(createdAt, thousandth(report ->> 'ackTime')) as acknowledged_at -- if "report"
from alert
qualify rank() over (partition by id order by made_at(_file, _modified_at) desc) = 1

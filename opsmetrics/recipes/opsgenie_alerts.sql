-- title = { nb = "Opsgenie: varsler (CSV-eksport)", en = "Opsgenie alerts (CSV export)" }
-- stream = "alerts"
-- source = "opsgenie"
-- input = "alert"
-- columns = ["Alias", "Status", "Acknowledged", "CreatedAt", "Priority", "Tags", "AckTime", "CloseTime"]
-- team = "Teams"
-- note.nb = "Tjenesten leses av merkelappen `service:`. Hvem som kvitterte, står ikke i eksporten."
-- note.en = "The service is read from the tag `service:`. The export does not say who acknowledged."
select
    _file, _line,
    "Alert ID" as alert_id, -- if "Alert ID"
    "AlertID" as alert_id, -- if "AlertID"
    nullif(regexp_extract("Tags", '(?i)\bservice:\s*([^,\]]+)', 1), '') as service_id,
    coalesce(nullif(regexp_extract("Tags", '(?i)\brule:\s*([^,\]]+)', 1), ''), opaque("Alias")) as rule_id,
    mapped("Priority", map { 'P1': '1', 'P2': '2', 'P3': '3', 'P4': '4', 'P5': '5' }) as severity,
    instant_of_ms("CreatedAt") as fired_at,
    -- Nor is one that is acknowledged without a time one that nobody answered.
    case when lower(trim("Acknowledged")) <> 'false'
        then coalesce(later(instant_of_ms("CreatedAt"), thousandth("AckTime")), 'acknowledged, without a time')
    end as acknowledged_at,
    -- One that is closed without a time is not open: it was last changed when it was closed, or later.
    case when lower("Status") = 'closed'
        then coalesce(
            later(instant_of_ms("CreatedAt"), thousandth("CloseTime")),
            instant_of_ms("UpdatedAt"), -- if "UpdatedAt"
            'closed, without a time'
        )
    end as closed_at
from alert
-- Of exports that overlap the newest has the word.
qualify rank() over (partition by "Alert ID" order by made_at(_file, _modified_at) desc) = 1 -- if "Alert ID"
qualify rank() over (partition by "AlertID" order by made_at(_file, _modified_at) desc) = 1 -- if "AlertID"

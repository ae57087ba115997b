-- title = { nb = "ServiceNow: hendelser (eksportert liste)", en = "ServiceNow incidents (exported list)" }
-- stream = "incidents"
-- source = "servicenow"
-- input = "incident"
-- cut_at = [10000]
-- columns = ["number", "opened_at", "priority", "state"]
-- formats = ["csv", "sheet", "parquet"]
-- naive_time = "local"
-- team = "assignment_group"
-- note.nb = "Tidene er i tidssonen til den som eksporterte. Avlyste hendelser er utelatt. Uten resolved_at er alle åpne: ta den med i listen."
-- note.en = "Times are those of the time zone of whoever exported. Cancelled incidents are left out. Without resolved_at nobody knows when one ended: add it to the list."
-- names.number = ["Number", "Nummer"]
-- names.opened_at = ["Opened", "Åpnet"]
-- names.priority = ["Priority", "Prioritet"]
-- names.state = ["State", "incident_state", "Incident state", "Tilstand", "Status"]
-- names.resolved_at = ["Resolved", "Løst"]
-- names.closed_at = ["Closed", "Lukket"]
-- names.business_service = ["Business service", "Service", "Tjeneste", "Forretningstjeneste"]
-- names.cmdb_ci = ["Configuration item", "Konfigurasjonselement"]
-- names.assignment_group = ["Assignment group", "Tildelingsgruppe"]
with read as (
    select
        *,
        coalesce(nullif(trim("resolved_at"), ''), "closed_at") as ended_at, -- if "resolved_at" -- if "closed_at"
        "resolved_at" as ended_at, -- if "resolved_at" -- unless "closed_at"
        case
            when lower(trim("state")) in ('new', 'in progress', 'active', 'awaiting user info', 'awaiting problem', 'awaiting evidence',
                'on hold', 'ny', 'pågår', 'under arbeid', 'under behandling', 'på vent', '1', '2', '3', '4', '5') then 'open'
            when lower(trim("state")) in ('resolved', 'closed', 'closed complete', 'løst', 'lukket', 'avsluttet', '6', '7') then 'over'
            when lower(trim("state")) in ('canceled', 'cancelled', 'kansellert', 'avbrutt', 'avlyst', '8') then 'withdrawn'
        end as phase
    from incident
)

select
    _file, _line,
    "number" as incident_id,
    coalesce(nullif(trim("business_service"), ''), "cmdb_ci") as service_id, -- if "business_service" -- if "cmdb_ci"
    "business_service" as service_id, -- if "business_service" -- unless "cmdb_ci"
    "cmdb_ci" as service_id, -- if "cmdb_ci" -- unless "business_service"
    mapped(matched("priority", '^(?:P ?)?([1-5])'), map { '5': '4' }) as severity,
    -- One that was opened again keeps the time at which it was resolved before; one that is over without a time is not open.
    case -- if "resolved_at"
        when phase is null then unknown_word("state") -- if "resolved_at"
        when phase = 'over' -- if "resolved_at"
            then coalesce(instant(ended_at, [ -- if "resolved_at"
                '%d.%m.%Y %H:%M:%S', '%Y-%m-%d %H:%M:%S', '%d/%m/%Y %H:%M:%S', '%m/%d/%Y %H:%M:%S', -- if "resolved_at"
                '%d-%m-%Y %H:%M:%S', '%m-%d-%Y %H:%M:%S', '%d/%m/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M:%S %p', -- if "resolved_at"
                '%d-%m-%Y %I:%M:%S %p', '%m-%d-%Y %I:%M:%S %p', '%Y-%m-%d %I:%M:%S %p', '%d.%m.%Y %H.%M.%S', -- if "resolved_at"
                '%d.%m.%Y %H:%M', '%Y-%m-%d %H:%M', '%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M' -- if "resolved_at"
            ], _file), concat("state", ', without a time')) -- if "resolved_at"
    end as resolved_at, -- if "resolved_at"
    instant("opened_at", [
        '%d.%m.%Y %H:%M:%S', '%Y-%m-%d %H:%M:%S', '%d/%m/%Y %H:%M:%S', '%m/%d/%Y %H:%M:%S', '%d-%m-%Y %H:%M:%S',
        '%m-%d-%Y %H:%M:%S', '%d/%m/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M:%S %p', '%d-%m-%Y %I:%M:%S %p', '%m-%d-%Y %I:%M:%S %p',
        '%Y-%m-%d %I:%M:%S %p', '%d.%m.%Y %H.%M.%S', '%d.%m.%Y %H:%M', '%Y-%m-%d %H:%M', '%d/%m/%Y %H:%M', '%m/%d/%Y %H:%M'
    ], _file) as declared_at
from read
-- Of exports that overlap the newest has the word, also where it says that a record is left out: so no where.
qualify
    rank() over (partition by "number" order by made_at(_file, _modified_at) desc) = 1
    and phase is distinct from 'withdrawn'

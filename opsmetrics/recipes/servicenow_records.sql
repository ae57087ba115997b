-- title = { nb = "ServiceNow: hendelser (JSON fra Table API)", en = "ServiceNow incidents (JSON of the Table API)" }
-- stream = "incidents"
-- source = "servicenow"
-- input = "incident"
-- cut_at = [10000]
-- columns = ["number", "opened_at", "priority", "state"]
-- formats = ["json", "jsonl"]
-- records = ["result", "records", ""]
-- naive_time = "UTC"
-- note.nb = "Verdiene må være de lagrede (sysparm_display_value=false): da er tidene i UTC og tilstandene tall. Avlyste hendelser er utelatt."
-- note.en = "Values must be those that are stored (sysparm_display_value=false): then times are UTC and states are numbers. Cancelled incidents are left out."
select
    _file, _line,
    number as incident_id,
    -- A reference is an object with an address and a value.
    coalesce(nullif(regexp_extract(business_service, '"value": *"([^"]+)"', 1), ''), business_service) as service_id, -- if "business_service"
    coalesce(nullif(regexp_extract(cmdb_ci, '"value": *"([^"]+)"', 1), ''), cmdb_ci) as service_id, -- if "cmdb_ci" -- unless "business_service"
    mapped(matched(priority, '^([1-5])$'), map { '5': '4' }) as severity,
    -- A word instead of a number is what a person saw, whose time zone nobody tells.
    case when regexp_matches(state, '^[0-9]+$') then instant(opened_at, '%Y-%m-%d %H:%M:%S') else unknown_word(state) end
        as declared_at,
    case -- if "resolved_at"
        -- One that is over without a time is not open.
        when state in ('6', '7') -- if "resolved_at"
            then coalesce( -- if "resolved_at"
                instant(resolved_at, '%Y-%m-%d %H:%M:%S'), -- if "resolved_at"
                instant(closed_at, '%Y-%m-%d %H:%M:%S'), -- if "resolved_at" -- if "closed_at"
                concat(state, ', without a time') -- if "resolved_at"
            ) -- if "resolved_at"
        when state not in ('1', '2', '3', '4', '5') then unknown_word(state) -- if "resolved_at"
    end as resolved_at -- if "resolved_at"
from incident
-- Of exports that overlap the newest has the word, also where it says that a record is left out: so no where.
qualify
    rank() over (partition by number order by made_at(_file, _modified_at) desc) = 1
    and state is distinct from '8'
